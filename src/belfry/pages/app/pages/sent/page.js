// What one has sent to people, and what became of it.

import { h } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { Listing } from "../../ui/listing.js";
import { repeat } from "../../ui/repeat.js";
import { isBusy, status } from "../../ui/status.js";
import { full, since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 2;
const QUIET = 30; // seconds, where nothing is under way

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const list = new Listing(app, {
    label: words.title,
    load: (query) => app.api.get("v1/notifications/sent", query),
    row: (item) => row(item),
    empty: words.empty,
  });
  const act = (label, item, how, done) =>
    action(label, async () => {
      await app.api.post(`v1/notifications/${item.id}/${how}`);
      app.toast(done);
      await list.refresh();
    });

  function row(item) {
    const acts = [];
    if (item.status === "scheduled" || item.status === "pending") acts.push(act(words.cancel, item, "cancel", words.cancelled));
    if (item.status === "failed" || item.status === "uncertain") acts.push(act(words.retry, item, "retry", words.retried));
    const when = item.status === "scheduled" ? words.at(full(item.send_at, app)) : since(item.created_at, app);
    return h(
      "li",
      { "data-id": item.id },
      h("a", { class: "name", href: `#/trace/${item.id}` }, written(item.title, words.untitled)),
      h("p", { class: "line" }, h("span", {}, `${words.to} `, written(item.recipient.name)), h("span", {}, when), ...(item.state === "read" ? [h("span", {}, words.read)] : [])),
      h("div", { class: "end" }, status(item.status, app), ...acts),
    );
  }

  let turn = 0;
  repeat(SECONDS, async () => {
    const busy = list.items.some((item) => isBusy(item.status) || (item.status === "scheduled" && new Date(item.send_at) - Date.now() < QUIET * 1000));
    if (turn++ % (QUIET / SECONDS) === 0 || busy) await list.refresh();
  }, signal);
  const heading = h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), h("a", { class: "button", href: "#/send" }, words.write));
  return { element: h("section", { class: "page desk" }, heading, list.element), title: words.title };
}
