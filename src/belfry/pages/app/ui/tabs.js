// Pages that stand beside each other.

import { h, set } from "../../bell/dom.js";

/** `pages` are `[path, label]`. `show(path)` says which one is looked at. */
export class Tabs {
  #links;

  constructor(label, pages) {
    this.#links = new Map(pages.map(([path, text]) => [path, h("a", { href: `#${path}` }, text)]));
    this.element = h("nav", { class: "tabs", "aria-label": label }, ...this.#links.values());
  }

  show(path) {
    for (const [each, link] of this.#links) set(link, "aria-current", each === path ? "page" : null);
  }
}
