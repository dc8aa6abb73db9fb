// What stands above the list: the words searched for, the filters, and what can be done with a selection.

import { h, set, write } from "../../../bell/dom.js";
import { bin, check, cross, dot, keyboard, search } from "../../ui/icons.js";
import { STATES, TYPES } from "./views.js";

const TYPED = 150; // milliseconds after a key before we search

export class Toolbar {
  #words;
  #typing = null;

  /** `reader`: `filtered(change)`, `readAll()`, `selectedAll(whether)`, `applied(how)`, `helped()`. */
  constructor(words, reader, signal) {
    this.#words = words;
    signal.addEventListener("abort", () => clearTimeout(this.#typing)); // it would lead back here
    this.summary = h("p", { class: "summary" });
    this.markAll = h("button", { class: "link small", onclick: () => reader.readAll() }, words.markAll);
    const helps = h(
      "button",
      { class: "icon helps", "aria-label": words.keys, title: words.keys, onclick: () => reader.helped() },
      keyboard(),
    );
    const typed = () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => reader.filtered({ q: this.search.value }), TYPED);
    };
    const about = {
      type: "search",
      class: "input",
      placeholder: words.search,
      "aria-label": words.search,
      maxlength: 255,
      autocomplete: "off",
    };
    this.search = h("input", { ...about, oninput: typed });
    this.found = h("p", { class: "found small soft", role: "status" });
    this.states = STATES.map((state) =>
      h("button", { "aria-pressed": "false", onclick: () => reader.filtered({ state }) }, words.states[state]),
    );
    const types = TYPES.map((type) => h("option", { value: type }, words.types[type]));
    this.type = h(
      "select",
      { "aria-label": words.type, onchange: () => reader.filtered({ type: this.type.value }) },
      ...types,
    );
    this.filters = h(
      "div",
      { class: "filters" },
      h("div", { class: "segments", role: "group", "aria-label": words.state }, ...this.states),
      this.type,
    );
    this.all = h("input", {
      type: "checkbox",
      class: "check",
      "aria-label": words.selectAll,
      onchange: () => reader.selectedAll(this.all.checked),
    });
    this.selected = h("p", { role: "status" });
    const act = (how, icon) =>
      h(
        "button",
        { class: "icon", "aria-label": words[how], title: words[how], onclick: () => reader.applied(how) },
        icon,
      );
    const clear = h(
      "button",
      { class: "icon", "aria-label": words.clear, title: words.clear, onclick: () => reader.selectedAll(false) },
      cross(),
    );
    this.selection = h(
      "div",
      { class: "selection", hidden: true },
      this.all,
      this.selected,
      act("read", check()),
      act("unread", dot()),
      act("remove", bin()),
      clear,
    );
    this.element = h(
      "header",
      { class: "toolbar" },
      h("div", { class: "titles" }, h("h1", { tabindex: -1 }, words.title), this.summary, this.markAll, helps),
      h("div", { class: "searches" }, search(), this.search),
      this.found,
      this.filters,
      this.selection,
    );
  }

  /** Show which part is looked at. */
  show({ state, type, q }) {
    if (this.search.value.trim() !== q.trim()) this.search.value = q;
    for (const [index, button] of this.states.entries()) set(button, "aria-pressed", String(STATES[index] === state));
    this.type.value = type;
    this.searches = q.trim() !== "";
  }

  render({ count, selected, loaded, view }) {
    write(this.summary, count === null ? "" : this.#words.summary(count));
    this.markAll.hidden = !count;
    write(this.found, this.searches && view.status === "loaded" ? this.#words.found(loaded, view.more) : "");
    this.filters.hidden = selected > 0;
    this.selection.hidden = selected === 0;
    write(this.selected, selected ? this.#words.selected(selected) : "");
    this.all.checked = selected > 0 && selected === loaded;
    this.all.indeterminate = selected > 0 && selected < loaded;
  }
}
