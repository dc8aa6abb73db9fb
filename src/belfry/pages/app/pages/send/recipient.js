// Whom it is for: an address, or somebody found by a part of the name. A combobox, as ARIA's authoring practices have it.

import { Failure } from "../../../bell/api.js";
import { h, set, write } from "../../../bell/dom.js";
import { Field } from "../../ui/form.js";
import { written } from "../../ui/written.js";

const TYPED = 150; // milliseconds after a key before we search
const SHOWN = 8;

export class Recipient extends Field {
  #app;
  #words;
  #found = []; // users
  #at = -1; // the one that Enter takes
  #taken = null; // a user
  #timer;
  #asked = 0;

  constructor(app, words, { onchange }) {
    const control = h("input", { type: "text", role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": "recipients", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 254, required: true });
    super("to", words.to, { control, hint: words.toHint });
    this.#app = app;
    this.#words = words;
    this.options = h("ul", { id: "recipients", role: "listbox", class: "options", "aria-label": words.to, hidden: true });
    this.said = h("p", { class: "unseen", role: "status" });
    const box = h("div", { class: "combobox" });
    control.replaceWith(box);
    box.append(control, this.options, this.said);
    control.addEventListener("input", () => {
      this.#taken = null;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), TYPED);
      onchange();
    });
    control.addEventListener("keydown", (event) => this.#key(event));
    control.addEventListener("blur", () => this.#close());
    this.options.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the focus stays
      const option = event.target.closest("li");
      if (option) this.#take(this.#found[[...this.options.children].indexOf(option)]);
    });
    this.onchange = onchange;
  }

  /** A user's id, or an address as it was typed. */
  get value() {
    return this.#taken?.id ?? this.control.value.trim();
  }

  /** The name of who it is, as far as it is known. */
  get who() {
    return this.#taken?.display_name || this.control.value.trim();
  }

  async #search() {
    const q = this.control.value.trim();
    const asked = ++this.#asked;
    if (!q) return this.#close();
    let found = [];
    try {
      found = (await this.#app.api.get("v1/users", { q, page_size: SHOWN })).items;
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // without suggestions an address still does
    }
    if (asked !== this.#asked || document.activeElement !== this.control) return;
    const pointed = this.#found[this.#at]?.id;
    this.#found = found.filter((user) => !user.disabled_at);
    this.options.replaceChildren(...this.#found.map((user, index) => option(user, index)));
    this.#open(this.#found.length > 0);
    this.#point(this.#found.findIndex(({ id }) => id === pointed)); // what comes late takes no choice back
    write(this.said, this.#words.found(this.#found.length));
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const open = !this.options.hidden;
    if (step && open) {
      event.preventDefault();
      const count = this.#found.length;
      this.#point((this.#at + step + count + (this.#at < 0 && step < 0 ? 1 : 0)) % count);
    } else if (step === 1) {
      this.#search();
    } else if (event.key === "Enter" && open && this.#at >= 0) {
      event.preventDefault(); // and does not send
      this.#take(this.#found[this.#at]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.#close();
    }
  }

  #point(index) {
    this.#at = index;
    for (const [each, element] of [...this.options.children].entries()) set(element, "aria-selected", String(each === index));
    set(this.control, "aria-activedescendant", index >= 0 ? `recipient-${index}` : null);
    this.options.children[index]?.scrollIntoView({ block: "nearest" });
  }

  #take(user) {
    this.#taken = user;
    this.control.value = user.email;
    this.complain(null);
    this.#close();
    this.onchange();
  }

  #open(whether) {
    this.options.hidden = !whether;
    set(this.control, "aria-expanded", String(whether));
    if (!whether) this.#point(-1);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked++;
    this.#open(false);
    write(this.said, "");
  }
}

function option({ email, display_name: name }, index) {
  const parts = name ? [written(name), h("span", { class: "soft small" }, written(email))] : [written(email)];
  return h("li", { role: "option", id: `recipient-${index}`, "aria-selected": "false" }, ...parts);
}
