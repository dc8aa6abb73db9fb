// A field that is a choice among a few: one of them, or with `many` any of them.

import { h, set, write } from "../../bell/dom.js";

let made = 0;

/** As `Field` in form.js; `options` are `[value, label]`, and `value` is one of their values or a list of them. */
export class Choices {
  #many;
  #inputs;

  constructor(name, label, { options, value, many = false, hint, check, onchange, kind = "segments" }) {
    const id = `choices-${++made}`;
    this.name = name;
    this.check = check;
    this.#many = many;
    this.problem = h("p", { class: "problem", id: `${id}-problem` });
    const chosen = [value].flat();
    this.#inputs = options.map(([each]) =>
      h("input", { type: many ? "checkbox" : "radio", name: `${id}-${name}`, value: each, checked: chosen.includes(each), "aria-describedby": `${id}-problem` }),
    );
    const labels = options.map(([, text], index) => h("label", {}, this.#inputs[index], h("span", {}, text)));
    const change = () => {
      this.complain(null);
      onchange?.(this.value);
    };
    this.element = h(
      "fieldset",
      { class: `field choices is-${kind}`, onchange: change },
      h("legend", {}, label),
      h("div", {}, ...labels),
      ...(hint ? [h("p", { class: "hint" }, hint)] : []),
      this.problem,
    );
  }

  /** What takes the focus. */
  get control() {
    return this.#inputs.find((input) => input.checked) ?? this.#inputs[0];
  }

  get value() {
    const chosen = this.#inputs.filter((input) => input.checked).map((input) => input.value);
    return this.#many ? chosen : chosen[0];
  }

  set value(value) {
    const chosen = [value].flat();
    for (const input of this.#inputs) input.checked = chosen.includes(input.value);
  }

  complain(problem) {
    write(this.problem, problem ?? "");
    for (const input of this.#inputs) set(input, "aria-invalid", problem && input === this.control ? "true" : null);
  }
}
