// Who did what, and when.

import { h } from "../../../bell/dom.js";
import { Listing } from "../../ui/listing.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

export function open({ app }) {
  const words = app.words(WORDS);
  const list = new Listing(app, { label: words.title, load: (query) => app.api.get("v1/audit", { action: what.value || null, ...query }), row, empty: words.empty });
  const options = [["", words.everything], ...Object.entries(words.actions)].map(([value, text]) => h("option", { value }, text));
  const what = h("select", { class: "input", "aria-label": words.what, onchange: () => list.reset() }, ...options);

  function row({ id, at, actor, action, subject, detail }) {
    const [, sent] = /^notification (\d+)$/.exec(subject) ?? [];
    const about = subject === actor ? "" : sent ? h("a", { href: `#/trace/${sent}` }, subject) : written(subject);
    const details = Object.entries(detail).filter(([, value]) => value !== null).map(([name, value]) => h("span", {}, `${name}: `, written(typeof value === "string" ? value : JSON.stringify(value))));
    return h(
      "li",
      { "data-id": id },
      h("p", { class: "name" }, written(actor), " ", h("span", { class: "did" }, words.actions[action] ?? action)),
      h("p", { class: "line" }, h("span", {}, since(at, app)), ...(about ? [h("span", {}, about)] : []), ...details),
    );
  }

  list.refresh();
  const heading = h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), h("div", { class: "filtering" }, what));
  return { element: h("section", { class: "page desk" }, heading, list.element), title: words.title };
}
