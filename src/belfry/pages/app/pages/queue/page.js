// The mail queue: as it is now, what failed, and who gets no mail.

import { h } from "../../../bell/dom.js";
import { Tabs } from "../../ui/tabs.js";
import { failed } from "./failed.js";
import { now } from "./now.js";
import { suppressed } from "./suppressed.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const PARTS = { "/queue": now, "/queue/failed": failed, "/queue/suppressed": suppressed };

export function open({ app, place, signal }) {
  const words = app.words(WORDS);
  const tabs = new Tabs(words.title, Object.entries(words.tabs));
  const body = h("div");
  let leaving = new AbortController();
  const update = ({ path }) => {
    leaving.abort();
    leaving = new AbortController();
    tabs.show(path);
    body.replaceChildren(PARTS[path](app, words, leaving.signal));
  };
  signal.addEventListener("abort", () => leaving.abort());
  update(place);
  const element = h("section", { class: "page desk" }, h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), tabs.element), body);
  return { element, title: words.title, update };
}
