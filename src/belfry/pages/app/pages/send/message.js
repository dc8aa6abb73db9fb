// What is said, and how it gets there: the fields that a notification, a broadcast and a schedule have in common.

import { h } from "../../../bell/dom.js";
import { Choices } from "../../ui/choices.js";
import { Field } from "../../ui/form.js";

/** `words` are those of words.js here. */
export function messageFields(words, { channels }) {
  const options = Object.entries(words.priorities).map(([value, text]) => h("option", { value, selected: value === "3" }, text));
  return {
    title: new Field("title", words.heading, { required: true, maxlength: 255, autocomplete: "off" }),
    content: new Field("content", words.content, { control: h("textarea", { maxlength: 20_000, rows: 5 }) }),
    link: new Field("link", words.link, { type: "url", inputmode: "url", hint: words.linkHint, autocomplete: "off" }),
    channels: new Choices("channels", words.channels, {
      options: Object.entries(words.channel),
      value: channels,
      many: true,
      kind: "checks",
      check: (chosen) => (chosen.length ? null : words.oneChannel),
    }),
    priority: new Field("priority", words.priority, { control: h("select", {}, ...options) }),
    tags: new Field("tags", words.tags, { hint: words.tagsHint, autocomplete: "off" }),
  };
}

/** The message of a form's values, as the API takes it. */
export function messageOf({ title, content, link, channels, priority, tags }) {
  return {
    title: title.trim(),
    content,
    ...(link.trim() && { link: link.trim() }),
    channels,
    priority: Number(priority),
    tags: tags.split(/[\s,，]+/).filter(Boolean),
  };
}
