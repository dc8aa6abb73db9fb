// A new schedule.

import { h } from "../../../bell/dom.js";
import { Choices } from "../../ui/choices.js";
import { Field, Form } from "../../ui/form.js";
import { messageFields, messageOf } from "../send/message.js";
import { WORDS as SENDING } from "../send/words.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

export function open({ app }) {
  const words = app.words(WORDS);
  const fields = messageFields(app.words(SENDING), { channels: ["inbox"] });
  const zones = Intl.supportedValuesOf("timeZone");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const options = ["UTC", ...zones.filter((zone) => zone !== "UTC")].map((zone) => h("option", { value: zone, selected: zone === here }, zone.replaceAll("_", " ")));
  const name = new Field("name", words.name, { required: true, maxlength: 100, autocomplete: "off" });
  const cron = new Field("cron", words.cron, { required: true, maxlength: 255, hint: words.cronHint, autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "0 7 * * MON-FRI" });
  const zone = new Field("time_zone", words.zone, { control: h("select", {}, ...options) });
  const late = new Field("late_policy", words.late, { control: h("select", {}, ...Object.entries(words.policy).map(([value, text]) => h("option", { value }, text))) });
  const people = new Field("audience", words.to, { control: h("textarea", { rows: 2 }), hint: words.toHint });
  const addressed = (kind) => {
    people.element.hidden = kind === "everyone";
    people.control.required = kind !== "everyone";
  };
  const kind = new Choices("kind", words.audience, { options: Object.entries(words.audiences), value: "everyone", onchange: addressed });
  const { title, content, link, channels, priority, tags } = fields;
  const form = new Form(app, {
    fields: [name, cron, zone, late, kind, people, title, content, link, channels, priority, tags],
    submit: words.submit,
    async send(values) {
      const audience = values.kind === "everyone" ? "everyone" : values.audience.split(/[\s,，;]+/).filter(Boolean);
      const { id } = await app.api.post("v1/schedules", {
        ...messageOf(values),
        name: values.name.trim(),
        cron: values.cron.trim(),
        time_zone: values.time_zone,
        late_policy: values.late_policy,
        audience,
      });
      app.go(`/schedules/${id}`, { replace: true });
    },
  });
  const pair = (...some) => h("div", { class: "pair" }, ...some.map((field) => field.element));
  form.element.classList.add("is-wide");
  form.element.prepend(
    h("section", { class: "group" }, name.element, cron.element, pair(zone, late)),
    h("section", { class: "group" }, kind.element, people.element),
    h("section", { class: "group" }, h("h2", {}, words.what), h("p", { class: "hint" }, words.variables), title.element, content.element, link.element, channels.element, pair(priority, tags)),
  );
  addressed("everyone");
  const heading = h("header", { class: "heading is-tall" }, h("h1", { tabindex: -1 }, words.make), h("p", { class: "soft" }, words.about));
  return { element: h("section", { class: "page desk is-narrow" }, heading, form.element), title: words.make };
}
