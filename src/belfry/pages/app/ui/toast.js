// A word at the edge of the page, for some seconds, with something that can be done about it.

import { h } from "../../bell/dom.js";

const SECONDS = 6; // time stands still while somebody is at the button

export class Toast {
  #timer = null;
  #seconds = SECONDS;
  #action = null;
  #over = null;

  constructor() {
    const stay = () => clearTimeout(this.#timer);
    const go = () => this.#countDown();
    const held = { onpointerenter: stay, onfocusin: stay, onpointerleave: go, onfocusout: go };
    this.element = h("div", { class: "toast", hidden: true, ...held });
  }

  /** `over` is called when it goes, whether the action was taken or not. */
  show(text, { label, action, seconds = SECONDS, over } = {}) {
    this.hide();
    this.#seconds = seconds;
    this.#over = over;
    this.#action = action;
    const button = label && h("button", { class: "link", onclick: () => this.act() }, label);
    this.element.replaceChildren(h("p", {}, text), ...(button ? [button] : []));
    this.element.hidden = false;
    this.#countDown();
  }

  act() {
    this.#action?.();
    this.hide();
  }

  hide() {
    clearTimeout(this.#timer);
    const over = this.#over;
    this.#over = null;
    this.#action = null;
    this.element.hidden = true;
    over?.();
  }

  #countDown() {
    clearTimeout(this.#timer);
    if (!this.element.hidden) this.#timer = setTimeout(() => this.hide(), this.#seconds * 1000);
  }
}
