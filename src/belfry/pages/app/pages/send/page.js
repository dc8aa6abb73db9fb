// Sending: to somebody, to oneself, and for senders to everyone.

import { h, write } from "../../../bell/dom.js";
import { Choices } from "../../ui/choices.js";
import { Field, Form } from "../../ui/form.js";
import { full } from "../../ui/time.js";
import { check } from "../../ui/icons.js";
import { messageFields, messageOf } from "./message.js";
import { Preview } from "./preview.js";
import { Recipient } from "./recipient.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const CHANNELS = { somebody: ["inbox", "email"], me: ["inbox", "email"], everyone: ["inbox"] };

export function open({ app, place }) {
  const page = new SendPage(app);
  page.begin(place.query.get("to") === "everyone" ? "everyone" : null);
  return page;
}

class SendPage {
  #app;
  #words;
  #attempt = null; // what was sent last and not answered: trying it again is the same wish
  #chosen = false; // whether the reader said anything about channels

  constructor(app) {
    this.#app = app;
    this.#words = app.words(WORDS);
    this.title = this.#words.title;
    this.main = h("div", { class: "two" });
    this.element = h(
      "section",
      { class: "page desk is-wide" },
      h("header", { class: "heading is-tall" }, h("h1", { tabindex: -1 }, this.title), h("p", { class: "soft" }, this.#isMember ? this.#words.memberHint : this.#words.about)),
      this.main,
    );
  }

  get #isMember() {
    return this.#app.me.role === "member";
  }

  /** An empty form. */
  begin(audience) {
    const words = this.#words;
    const change = () => this.#changed();
    const kinds = this.#isMember ? ["me"] : ["somebody", "everyone", "me"];
    this.audience = new Choices("audience", words.audience, {
      options: kinds.map((kind) => [kind, words.audiences[kind]]),
      value: audience ?? kinds[0],
      onchange: () => this.#addressed(),
    });
    this.to = new Recipient(this.#app, words, { onchange: change });
    this.fields = messageFields(words, { channels: CHANNELS[this.audience.value] });
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.sendAt = new Field("send_at", words.sendAt, { type: "datetime-local", hint: words.sendAtHint(zone) });
    this.expiresAt = new Field("expires_at", words.expiresAt, { type: "datetime-local", hint: words.expiresAtHint });
    const { title, content, link, channels, priority, tags } = this.fields;
    this.form = new Form(this.#app, {
      fields: [this.audience, this.to, title, content, link, channels, priority, tags, this.sendAt, this.expiresAt],
      submit: words.submit.now,
      send: () => this.#send(),
    });
    const group = (name, ...fields) => h("section", { class: "group" }, h("h2", {}, name), ...fields.map((field) => field.element));
    const pair = (...fields) => ({ element: h("div", { class: "pair" }, ...fields.map((field) => field.element)) });
    this.form.element.prepend(
      h("section", { class: "group" }, this.audience.element, this.to.element),
      group(words.message, title, content, link),
      group(words.delivery, channels, pair(priority, tags)),
      group(words.time, pair(this.sendAt, this.expiresAt)),
    );
    this.audience.element.hidden = this.#isMember;
    this.form.element.addEventListener("input", change);
    this.form.element.addEventListener("change", change);
    channels.element.addEventListener("change", () => (this.#chosen = true));
    this.preview = new Preview(this.#app, words);
    this.#chosen = false;
    this.main.replaceChildren(this.form.element, this.preview.element);
    this.#addressed();
  }

  #addressed() {
    const kind = this.audience.value;
    this.to.element.hidden = kind !== "somebody";
    this.to.control.required = kind === "somebody";
    if (!this.#chosen) this.fields.channels.value = CHANNELS[kind];
    this.#changed();
  }

  #changed() {
    write(this.form.button, this.#words.submit[this.sendAt.value ? "later" : "now"]);
    this.preview.show(messageOf(this.form.values), { everyone: this.audience.value === "everyone" });
  }

  async #send() {
    const app = this.#app;
    const kind = this.audience.value;
    const body = {
      ...messageOf(this.form.values),
      ...(kind === "somebody" && { to: this.to.value }),
      ...(this.sendAt.value && { send_at: new Date(this.sendAt.value).toISOString() }),
      ...(this.expiresAt.value && { expires_at: new Date(this.expiresAt.value).toISOString() }),
    };
    const words = this.#words;
    if (kind === "everyone" && !(await app.confirm(words.confirm))) return;
    const path = kind === "everyone" ? "v1/broadcasts" : "v1/notifications";
    const wish = path + JSON.stringify(body);
    if (this.#attempt?.wish !== wish) this.#attempt = { wish, key: newKey() };
    const item = await app.api.post(path, body, { key: this.#attempt.key });
    this.#attempt = null;
    if (kind === "everyone") app.toast(words.done[item.send_at ? "later" : "now"]);
    if (kind === "everyone") return app.go(`/broadcasts/${item.id}`);
    this.#sent(item, kind === "me" ? words.yourself : this.to.who);
  }

  #sent(item, name) {
    const words = this.#words;
    const told = item.send_at ? words.arrives(name, full(item.send_at, this.#app)) : words.arrived(name);
    const heading = h("h2", { tabindex: -1 }, words.done[item.send_at ? "later" : "now"]);
    const again = () => {
      this.begin(null);
      this.element.querySelector("input:not([hidden])").focus();
    };
    this.main.replaceChildren(
      h(
        "div",
        { class: "message is-done" },
        check(),
        heading,
        h("p", { dir: "auto" }, told),
        h(
          "p",
          { class: "actions" },
          h("a", { class: "button is-main", href: `#/trace/${item.id}` }, words.follow),
          h("button", { class: "button", onclick: again }, words.again),
          h("a", { class: "link", href: "#/sent" }, words.all),
        ),
      ),
    );
    heading.focus();
    this.#app.say(told);
  }
}

/** 128 random bits; `crypto.randomUUID` is there under https only. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
