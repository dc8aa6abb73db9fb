// What is shown where there is nothing, or nothing for this reader.

import { h } from "../../bell/dom.js";
import { belfry } from "../ui/icons.js";
import { WORDS } from "./missing.words.js";

export function open({ app }) {
  const words = app.words(WORDS);
  const home = h("a", { class: "button", href: "#/" }, words.home);
  const element = h("section", { class: "message" }, belfry(), h("h1", { tabindex: -1 }, words.title), h("p", {}, words.text), home);
  return { element, title: words.title };
}
