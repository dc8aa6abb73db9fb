// One schedule: when it is due, what came of each time, and what can be done with it.

import { Refused } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { belfry } from "../../ui/icons.js";
import { Listing } from "../../ui/listing.js";
import { repeat } from "../../ui/repeat.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { audience, moment } from "./list.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 10;
const KINDS = { sent: "is-good", skipped: "is-warn", failed: "is-bad" };

export function open({ app, place, signal }) {
  const words = app.words(WORDS);
  const path = `v1/schedules/${encodeURIComponent(place.parameters.id)}`;
  const heading = h("h1", { tabindex: -1 }, words.title);
  const about = h("p", { class: "about" });
  const acts = h("p", { class: "actions" });
  const next = h("ol", { role: "list", class: "times" });
  const text = h("div", { class: "card note" });
  const runs = new Listing(app, { label: words.ledger, load: (query) => app.api.get(`${path}/runs`, query), row: run, empty: words.noRuns });
  const element = h("section", { class: "page desk is-narrow" }, h("header", { class: "heading is-tall" }, heading, about, acts), h("h2", {}, words.nextRuns), next, text, h("h2", {}, words.ledger), runs.element);

  function run({ id, due_at: due, outcome, reason, manual, notification_ids: ids }) {
    const traces = ids.slice(0, 1).map((each) => h("a", { href: `#/trace/${each}` }, words.trace));
    return h(
      "li",
      { "data-id": id },
      h("p", { class: "name" }, since(due, app), ...(manual ? [" ", h("span", { class: "soft small" }, words.manual)] : [])),
      h("p", { class: "line" }, ...(reason ? [h("span", {}, written(reason))] : []), ...traces),
      h("div", { class: "end" }, h("span", { class: `tag ${KINDS[outcome]}` }, words.outcome[outcome])),
    );
  }

  let drawn = "";
  const look = async () => {
    let item;
    try {
      item = await app.api.get(path);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      const [headline, said] = words.gone;
      return void element.replaceChildren(h("div", { class: "message" }, belfry(), h("h1", { tabindex: -1 }, headline), h("p", {}, said), h("a", { class: "button", href: "#/schedules" }, words.back)));
    }
    await runs.refresh();
    if (JSON.stringify(item) === drawn) return;
    drawn = JSON.stringify(item);
    show(item);
  };

  function show(item) {
    heading.replaceChildren(written(item.name));
    about.replaceChildren(
      ...(item.enabled ? [] : [h("span", { class: "tag is-warn" }, words.paused)]),
      h("code", {}, item.cron),
      h("span", {}, item.time_zone),
      h("span", {}, audience(item, words)),
      h("span", {}, `${words.by} `, written(item.owner?.name, words.nobody)),
    );
    next.replaceChildren(...(item.next_runs.length ? item.next_runs.map((each) => h("li", {}, moment(each, item, app))) : [h("li", { class: "soft" }, words.noNext)]));
    text.replaceChildren(h("h3", {}, written(item.title)), ...(item.content ? [h("div", { class: "content", dir: "auto" }, visible(item.content))] : []));
    const mayChange = app.me.role === "admin" || item.owner?.id === app.me.id;
    acts.replaceChildren(...(mayChange ? actsOf(item) : []));
  }

  function actsOf(item) {
    const name = visible(item.name);
    const turn = async () => {
      await app.api.patch(path, { enabled: !item.enabled });
      await look();
    };
    const runNow = async () => {
      if (!(await app.confirm(words.runNow(name)))) return;
      const { outcome } = await app.api.post(`${path}/run`);
      app.toast(words.ran[outcome]);
      await look();
    };
    const remove = async () => {
      if (!(await app.confirm({ ...words.confirm(name), danger: true }))) return;
      await app.api.delete(path);
      app.toast(words.removed);
      app.go("/schedules", { replace: true });
    };
    return [action(words.run, runNow), action(item.enabled ? words.pause : words.resume, turn), action(words.remove, remove, { kind: "button is-danger" })];
  }

  repeat(SECONDS, look, signal);
  return { element, title: words.title };
}
