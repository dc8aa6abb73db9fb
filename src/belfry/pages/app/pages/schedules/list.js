// All schedules, with what is due next.

import { h } from "../../../bell/dom.js";
import { Listing } from "../../ui/listing.js";
import { repeat } from "../../ui/repeat.js";
import { written } from "../../ui/written.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 15;

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const list = new Listing(app, { label: words.title, load: (query) => app.api.get("v1/schedules", query), row, empty: words.empty });

  function row(item) {
    const [next] = item.next_runs;
    return h(
      "li",
      { "data-id": item.id, class: item.enabled ? "" : "is-off" },
      h("a", { class: "name", href: `#/schedules/${item.id}` }, written(item.name)),
      h("p", { class: "line" }, h("code", {}, item.cron), h("span", {}, item.time_zone), h("span", {}, audience(item, words)), h("span", {}, words.sent(item.sent))),
      h("div", { class: "end" }, next ? h("span", { class: "soft small" }, `${words.next} `, moment(next, item, app)) : h("span", { class: "tag is-warn" }, words.paused)),
    );
  }

  repeat(SECONDS, () => list.refresh(), signal);
  const heading = h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), h("a", { class: "button is-main", href: "#/schedules/new" }, words.make));
  return { element: h("section", { class: "page desk" }, heading, list.element), title: words.title };
}

export function audience(item, words) {
  return item.audience === "everyone" ? words.everyone : words.people(item.audience.length);
}

/** A time on the schedule's own clock. */
export function moment(at, { time_zone: timeZone }, app) {
  const style = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone };
  return h("time", { datetime: at }, new Intl.DateTimeFormat({ en: "en-GB", zh: "zh-Hans" }[app.lang], style).format(new Date(at)));
}
