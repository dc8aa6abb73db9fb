// E-mails that failed for good: one tried again, or all of a span of time.

import { h } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { Field, Form } from "../../ui/form.js";
import { Listing } from "../../ui/listing.js";
import { repeat } from "../../ui/repeat.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";

const SECONDS = 5;
const DAY = 86_400_000;

export function failed(app, { failed: texts }, signal) {
  const list = new Listing(app, { label: texts.empty[1], load: (query) => app.api.get("v1/deliveries/failed", query), row, empty: texts.empty });

  function row(item) {
    const broadcast = item.type === "broadcast";
    const trace = `#/trace/${item.notification_id}${broadcast ? `?user=${item.recipient.id}` : ""}`;
    const again = async () => {
      await app.api.post(`v1/notifications/${item.notification_id}/retry`);
      app.toast(texts.retried);
      await list.refresh();
    };
    const said = [item.code, item.said ?? item.reason].filter((each) => each != null).join(" ");
    return h(
      "li",
      { "data-id": item.id },
      h("a", { class: "name", href: trace }, written(item.title, texts.untitled)),
      h("p", { class: "line" }, h("span", {}, written(item.address)), ...(item.failed_at ? [h("span", {}, since(item.failed_at, app))] : []), h("span", {}, texts.tries(item.attempts))),
      h("div", { class: "end" }, action(broadcast ? texts.retryAll : texts.retry, again)),
      ...(said ? [h("p", { class: "said" }, written(said))] : []),
    );
  }

  repeat(SECONDS, () => list.refresh(), signal);
  return h("div", {}, list.element, spanOfTime(app, texts, list));
}

function spanOfTime(app, texts, list) {
  const needed = (value) => (value ? null : texts.needed);
  const moment = (name, label, at) => new Field(name, label, { type: "datetime-local", value: local(at), check: needed });
  const [from, to] = [moment("from", texts.from, Date.now() - DAY), moment("to", texts.to, Date.now() + 60_000)];
  const form = new Form(app, {
    fields: [from, to],
    submit: texts.submit,
    async send(values) {
      const span = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Date(value).toISOString()]));
      const { retried } = await app.api.post("v1/deliveries/retry", span);
      app.toast(texts.count(retried));
      await list.refresh();
    },
  });
  form.element.classList.add("is-row");
  return h("div", { class: "card" }, h("h2", {}, texts.span), h("p", { class: "about" }, texts.spanAbout), form.element);
}

/** A moment as a `datetime-local` input has it. */
function local(at) {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
