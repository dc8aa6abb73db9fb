// One item of the list.

import { bin, check, dot, h, set, visible, webAddress, write } from "./dom.js";
import { ago, inFull } from "./words.js";

/**
 * A row keeps its elements and is drawn anew when its item changes. What the reader does with it goes to
 * `reader.opened(item)`, `marked(item)` and `removed(item)`.
 */
export class Row {
  #words;
  #link;

  constructor(item, words, target, reader) {
    this.#words = words;
    this.#link = webAddress(item.link);
    const opened = () => reader.opened(this.item);
    const unfold = () => {
      set(this.main, "aria-expanded", String(this.element.classList.toggle("is-open")));
      opened();
    };
    const link = { href: this.#link?.href, target, rel: "noopener noreferrer", onclick: opened, onauxclick: opened };
    this.unread = h("span", { class: "unseen" });
    this.name = h("bdi", { dir: "auto" });
    const [kind, about] = this.#link ? ["a", link] : ["button", { "aria-expanded": "false", onclick: unfold }];
    this.main = h(kind, { class: "main", part: "item-title", ...about }, this.unread, this.name);
    this.content = h("p", { class: "content", part: "item-content", dir: "auto" });
    this.time = h("time");
    this.meta = h("p", { class: "meta", part: "item-meta" });
    this.mark = h("button", { class: "act", onclick: () => reader.marked(this.item) });
    this.remove = h("button", { class: "act", onclick: () => reader.removed(this.item) }, bin());
    this.element = h(
      "li",
      {},
      h("div", { class: "body" }, this.main, this.content, this.meta),
      h("div", { class: "acts" }, this.mark, this.remove),
    );
  }

  get hasFocus() {
    return this.element.matches(":focus-within");
  }

  show(item) {
    if (item === this.item) return;
    this.item = item;
    const words = this.#words;
    const title = visible(item.title) || words.untitled;
    const content = visible(item.content);
    const unread = item.state === "unread";
    this.element.className = `row${unread ? " is-unread" : ""}${this.element.matches(".is-open") ? " is-open" : ""}`;
    set(this.element, "part", unread ? "item item-unread" : "item");
    write(this.unread, unread ? `${words.isUnread} ` : "");
    write(this.name, title);
    write(this.content, content);
    this.content.hidden = !content;
    const who = item.type === "broadcast" ? words.toEveryone : visible(item.sender?.name ?? "");
    const parts = [item.priority >= 5 && words.urgent, who, this.time, this.#link?.host];
    this.meta.replaceChildren(...parts.filter(Boolean).map((part) => h("span", {}, h("bdi", {}, part))));
    this.meta.firstChild.className = item.priority >= 5 ? "urgent" : "";
    set(this.time, "datetime", item.created_at);
    set(this.time, "title", inFull(new Date(item.created_at), words));
    this.tick();
    set(this.mark, "aria-label", (unread ? words.markRead : words.markUnread)(title));
    this.mark.replaceChildren(unread ? check() : dot());
    set(this.remove, "aria-label", words.remove(title));
  }

  /** Time goes on. */
  tick() {
    write(this.time, ago(new Date(this.item.created_at), this.#words));
  }
}
