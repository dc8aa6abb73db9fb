// A card: what it is about on one side, what can be done on the other.

import { h } from "../../../bell/dom.js";

export function card(title, about, ...content) {
  const said = about ? [h("p", { class: "soft" }, about)] : [];
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, title), ...said), h("div", {}, ...content));
}
