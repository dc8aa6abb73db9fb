// Forms: labelled fields, and what is wrong with one said beside it.

import { h, set, write } from "../../bell/dom.js";
import { Failure } from "../../bell/api.js";
import { WORDS } from "../frame.words.js";

let made = 0;

/**
 * A field. `name` is the API's, so that its errors find it; `control` is an input, textarea or select made by the
 * caller, or an input of these `attributes` is made. `check(value)` says what is wrong with a value, or nothing;
 * `explain` is said in place of what the API says is wrong with it.
 */
export class Field {
  constructor(name, label, { control, hint, check, explain, ...attributes } = {}) {
    const id = `field-${++made}`;
    this.name = name;
    this.check = check;
    this.explain = explain;
    this.control = control ?? h("input", { type: "text", ...attributes });
    this.hint = h("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint ?? "");
    this.problem = h("p", { class: "problem", id: `${id}-problem` });
    const boolean = this.control.type === "checkbox";
    set(this.control, "id", id);
    set(this.control, "name", name);
    set(this.control, "aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-problem`);
    const parts = [h("label", { for: id }, label), this.control];
    this.element = h(
      "div",
      { class: boolean ? "field is-switch" : "field" },
      ...(boolean ? parts.reverse() : parts),
      this.hint,
      this.problem,
    );
    this.control.addEventListener("input", () => this.complain(null));
  }

  get value() {
    return this.control.type === "checkbox" ? this.control.checked : this.control.value;
  }

  /** Say what is wrong with it; null: nothing. */
  complain(problem) {
    write(this.problem, problem ?? "");
    set(this.control, "aria-invalid", problem ? "true" : null);
  }
}

/**
 * A form. `send(values)` is called with the values by name when all checks are passed, and not again before it is
 * done; what it throws of the API's is shown where it belongs. `explain(error)` may put an error of the whole form into words.
 */
export class Form {
  #app;
  #send;
  #explain;

  constructor(app, { fields, submit, send, explain = () => null, more = [] }) {
    this.#app = app;
    this.#send = send;
    this.#explain = explain;
    this.fields = fields;
    this.problem = h("p", { class: "problem", role: "alert" });
    this.button = h("button", { class: "button is-main", type: "submit" }, submit);
    const onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.element = h(
      "form",
      { class: "form", novalidate: true, onsubmit },
      ...fields.map((field) => field.element),
      this.problem,
      h("div", { class: "actions" }, this.button, ...more),
    );
  }

  get values() {
    return Object.fromEntries(this.fields.map((field) => [field.name, field.value]));
  }

  async #submit() {
    if (this.button.getAttribute("aria-busy")) return;
    write(this.problem, "");
    for (const field of this.fields) field.complain(this.#missing(field) ?? field.check?.(field.value));
    if (this.#focusProblem()) return;
    set(this.button, "aria-busy", "true");
    try {
      await this.#send(this.values);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.complain(error);
    } finally {
      set(this.button, "aria-busy", null);
    }
  }

  /** Show what the API said. */
  complain(error) {
    const others = [];
    for (const { field, message } of error.errors ?? []) {
      const found = this.fields.find(({ name }) => name === field.split(/[.[]/)[0]);
      if (found) found.complain(found.explain ?? message);
      else others.push(`${field}: ${message}`);
    }
    if (this.#focusProblem() && !others.length) return;
    write(this.problem, this.#explain(error) ?? (others.join(" ") || said(error, this.#app)));
  }

  #missing({ control, value }) {
    return control.required && !value ? this.#app.words(WORDS).required : null;
  }

  #focusProblem() {
    const field = this.fields.find(({ control }) => control.getAttribute("aria-invalid"));
    field?.control.focus();
    return field !== undefined;
  }
}

/** An error of the API in words. */
export function said(error, app) {
  const words = app.words(WORDS);
  return words.errors[error.status] ?? (error.status ? error.message : words.away);
}
