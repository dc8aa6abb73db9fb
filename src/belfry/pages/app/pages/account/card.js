// A page of one card.

import { h } from "../../../bell/dom.js";

/** The page: its title, and below it these. `fill(...)` puts others in their place. */
export function card(title, ...content) {
  const heading = h("h1", { tabindex: -1 }, title);
  const element = h("section", { class: "card account" }, heading, ...content);
  return {
    element,
    title,
    fill(...others) {
      element.replaceChildren(heading, ...others);
    },
  };
}

/** The page says something else now, and the reader is taken to it. */
export function tell(page, headline, text, ...more) {
  page.element.querySelector("h1").textContent = headline;
  page.fill(h("p", { class: "about" }, text), ...more);
  page.element.querySelector("h1").focus();
}

export const link = (href, text, kind = "link") => h("a", { class: kind, href }, text);
