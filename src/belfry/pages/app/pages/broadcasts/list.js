// All broadcasts.

import { h } from "../../../bell/dom.js";
import { Listing } from "../../ui/listing.js";
import { repeat } from "../../ui/repeat.js";
import { status } from "../../ui/status.js";
import { full, since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { isUnderWay, percent } from "./progress.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 10;

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const list = new Listing(app, { label: words.title, load: (query) => app.api.get("v1/broadcasts", query), row, empty: words.empty });

  function row(item) {
    const when = item.status === "scheduled" ? words.at(full(item.send_at, app)) : since(item.created_at, app);
    const mailed = item.channels.includes("email") && item.status !== "scheduled";
    const reading = item.status !== "scheduled" && item.channels.includes("inbox");
    return h(
      "li",
      { "data-id": item.id },
      h("a", { class: "name", href: `#/broadcasts/${item.id}` }, written(item.title, words.untitled)),
      h(
        "p",
        { class: "line" },
        h("span", {}, `${words.by} `, written(item.sender?.name, words.system)),
        h("span", {}, when),
        ...(reading ? [h("span", {}, words.readBy(item.read, item.total))] : []),
      ),
      h("div", { class: "end" }, ...(isUnderWay(item) && mailed ? [h("span", { class: "tag is-busy" }, words.percent(percent(item)))] : [status(item.status, app)])),
    );
  }

  app.inbox.addEventListener("progress", () => list.refresh(), { signal });
  repeat(SECONDS, () => list.refresh(), signal);
  const heading = h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), h("a", { class: "button is-main", href: "#/send?to=everyone" }, words.write));
  return { element: h("section", { class: "page desk" }, heading, list.element), title: words.title };
}
