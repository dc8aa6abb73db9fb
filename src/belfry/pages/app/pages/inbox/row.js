// One notification in the list.

import { h, set, visible, write } from "../../../bell/dom.js";
import { bell, bin, broadcast, check, dot } from "../../ui/icons.js";
import { since } from "../../ui/time.js";

/** `reader`: `addressOf(id)`, `selected(id, whether)`, `marked(item)`, `removed(item)`. */
export class Row {
  #app;
  #words;

  constructor(app, words, item, reader) {
    this.#app = app;
    this.#words = words;
    this.id = item.id;
    const held = { tabindex: -1 }; // one row is in the order of the Tab key, and there only its name
    this.box = h("input", {
      type: "checkbox",
      class: "check",
      ...held,
      onchange: () => reader.selected(this.id, this.box.checked),
    });
    this.face = h("span", { class: "face", "aria-hidden": "true" });
    this.unread = h("span", { class: "unseen" });
    this.name = h("bdi", { dir: "auto" });
    this.main = h("a", { class: "main", ...held }, this.unread, this.name);
    this.line = h("p", { class: "line" });
    this.time = h("span", { class: "when" });
    this.mark = h("button", { class: "icon", ...held, onclick: () => reader.marked(this.item) });
    this.remove = h("button", { class: "icon", ...held, onclick: () => reader.removed(this.item) }, bin());
    this.element = h(
      "li",
      { class: "row" },
      h("label", { class: "pick" }, this.face, this.box),
      this.main,
      this.time,
      this.line,
      h("div", { class: "acts" }, this.mark, this.remove),
    );
  }

  /** `place` is {index, size, current, selected, open, href}; the size is -1 where it is not known. */
  show(item, place) {
    this.#place(place);
    if (item === this.item) return;
    this.item = item;
    const words = this.#words;
    const title = visible(item.title) || words.untitled;
    const unread = item.state === "unread";
    this.element.classList.toggle("is-unread", unread);
    this.element.classList.toggle("is-urgent", item.priority >= 5);
    write(this.unread, unread ? `${words.isUnread} ` : "");
    write(this.name, title);
    this.#line(item);
    this.face.replaceChildren(face(item));
    this.time.replaceChildren(since(item.created_at, this.#app));
    set(this.box, "aria-label", words.select(title));
    set(this.mark, "aria-label", (unread ? words.readOne : words.unreadOne)(title));
    set(this.mark, "title", unread ? words.read : words.unread);
    this.mark.replaceChildren(unread ? check() : dot());
    set(this.remove, "aria-label", words.removeOne(title));
    set(this.remove, "title", words.remove);
  }

  #place({ index, size, current, selected, open, href }) {
    const { classList, style } = this.element;
    style.setProperty("--index", index);
    set(this.element, "aria-posinset", index + 1);
    set(this.element, "aria-setsize", size);
    set(this.main, "href", href);
    set(this.main, "tabindex", current ? 0 : -1);
    set(this.main, "aria-current", open ? "true" : null);
    classList.toggle("is-current", current);
    classList.toggle("is-selected", selected);
    classList.toggle("is-open", open);
    this.box.checked = selected;
  }

  /** Who sent it, and how it begins. */
  #line(item) {
    const words = this.#words;
    const urgent = item.priority >= 5 ? [h("b", {}, words.urgent)] : [];
    const text = visible(item.content).slice(0, 200);
    const parts = [
      ...urgent,
      h("bdi", { class: "sender" }, senderOf(item, words)),
      ...(text ? [h("bdi", { dir: "auto" }, text)] : []),
    ];
    this.line.replaceChildren(...parts);
  }
}

/** Whose it is, in a word. */
export function senderOf(item, words) {
  return item.type === "broadcast" ? words.toEveryone : visible(item.sender?.name ?? "") || words.system;
}

// A browser takes long to learn what a character is; most are one by themselves, with no mark or joiner after it.
const LETTER = /^[\p{L}\p{N}](?![\p{M}\p{Cf}])/u;

/** The letter of a sender, or what one without a letter is drawn as. */
export function face(item) {
  return item.type === "broadcast" ? broadcast() : initial(visible(item.sender?.name ?? "")) || bell();
}

/** The letter of a name; nothing of an empty one. */
export function initial(name) {
  return (LETTER.exec(name)?.[0] ?? [...new Intl.Segmenter().segment(name)][0]?.segment ?? "").toUpperCase();
}
