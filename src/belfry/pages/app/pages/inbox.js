// The inbox.

import { arrange, h } from "../../bell/dom.js";
import { visible } from "../../bell/text.js";
import { since } from "../ui/time.js";
import { WORDS } from "./inbox.words.js";

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const list = h("ul", { role: "list" });
  const render = () => {
    const view = app.inbox.store.view("all");
    if (view.status === "unloaded" && app.inbox.store.count !== null) app.inbox.load("all");
    arrange(list, view.items.map((item) => h("li", {}, h("bdi", { dir: "auto" }, visible(item.title)), " ", since(item.created_at, app))));
  };
  app.inbox.addEventListener("change", render, { signal });
  render();
  return { element: h("section", { class: "page" }, h("h1", { tabindex: -1 }, words.title), list), title: words.title };
}
