// What happened to a notification: each step with its time, and what the mail server said.

import { Refused } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { Form } from "../../ui/form.js";
import { belfry } from "../../ui/icons.js";
import { repeat } from "../../ui/repeat.js";
import { isBusy, status } from "../../ui/status.js";
import { full } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { Recipient } from "../send/recipient.js";
import { WORDS as SENDING } from "../send/words.js";
import { stepsOf } from "./steps.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 2;

export function open({ app, place, signal }) {
  const page = new TracePage(app, place, signal);
  repeat(SECONDS, () => page.look(), signal);
  return page;
}

class TracePage {
  #app;
  #words;
  #id;
  #user;
  #signal;
  #drawn = "";
  #done = false;

  constructor(app, { parameters, query }, signal) {
    this.#app = app;
    this.#signal = signal;
    this.#words = app.words(WORDS);
    this.#id = encodeURIComponent(parameters.id);
    this.#user = query.get("user");
    this.title = this.#words.title;
    this.heading = h("h1", { tabindex: -1 }, this.title);
    this.about = h("p", { class: "about" });
    this.acts = h("p", { class: "actions" });
    this.choice = h("div", { class: "card", hidden: true });
    this.steps = h("ol", { role: "list", class: "timeline" });
    const head = h("header", { class: "heading is-tall" }, this.heading, this.about, this.acts);
    this.element = h("section", { class: "page desk is-narrow" }, head, this.choice, h("h2", {}, this.#words.steps), this.steps);
  }

  async look() {
    if (this.#done) return;
    let trace;
    try {
      trace = await this.#app.api.get(`v1/notifications/${this.#id}/trace`, { user: this.#user });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      this.#done = true;
      const [headline, text] = this.#words.gone;
      return void this.element.replaceChildren(h("div", { class: "message" }, belfry(), h("h1", { tabindex: -1 }, headline), h("p", {}, text)));
    }
    const drawn = JSON.stringify(trace);
    if (drawn === this.#drawn || this.#signal.aborted) return;
    this.#drawn = drawn;
    this.#draw(trace);
    // of a broadcast the whole may go on while one e-mail is done
    this.#done = !isBusy(trace.status) && trace.status !== "scheduled" && trace.read_at !== null;
  }

  #draw(trace) {
    const words = this.#words;
    this.heading.replaceChildren(written(trace.title, words.untitled));
    this.title = `${visible(trace.title) || words.untitled} · ${words.title}`;
    this.#app.entitle();
    const to = trace.type === "broadcast" ? words.broadcast : words.personal;
    const about = [
      h("span", {}, trace.recipient ? `${words.personal} ` : to, ...(trace.recipient ? [written(trace.recipient.name)] : [])),
      status(trace.status, this.#app),
      ...(trace.expires_at ? [h("span", { class: "soft small" }, words.expires(full(trace.expires_at, this.#app)))] : []),
    ];
    this.about.replaceChildren(...about);
    this.acts.replaceChildren(...this.#actsOf(trace));
    const steps = stepsOf(trace, words);
    this.steps.replaceChildren(...steps.map((step) => this.#step(step, new Date(steps[0].at))));
    if (trace.type === "broadcast" && !this.#user && this.choice.hidden) this.#offer();
  }

  #actsOf(trace) {
    const words = this.#words;
    const act = (label, how, done) =>
      action(label, async () => {
        await this.#app.api.post(`v1/notifications/${this.#id}/${how}`);
        this.#app.toast(done);
        await this.look();
      });
    const acts = [];
    if (["scheduled", "pending"].includes(trace.status)) acts.push(act(words.cancel, "cancel", words.cancelled));
    if (trace.type === "personal" && ["failed", "uncertain"].includes(trace.status)) acts.push(act(words.retry, "retry", words.retried));
    if (trace.type === "broadcast" && this.#app.me.role !== "member") acts.push(h("a", { class: "button", href: `#/broadcasts/${this.#id}` }, words.progress));
    return acts;
  }

  /** Ask whose e-mail of a broadcast to look at. */
  #offer() {
    const words = this.#words;
    const to = new Recipient(this.#app, { ...this.#app.words(SENDING), to: words.whose, toHint: words.whoseHint }, { onchange: () => {} });
    const form = new Form(this.#app, {
      fields: [to],
      submit: words.follow,
      send: async () => {
        const found = typeof to.value === "number" ? to.value : await this.#userOf(to.value);
        if (found) this.#app.go(`/trace/${this.#id}?user=${found}`);
        else to.complain(this.#app.words(SENDING).found(0));
      },
    });
    this.choice.append(form.element);
    this.choice.hidden = false;
  }

  async #userOf(address) {
    const { items } = await this.#app.api.get("v1/users", { q: address });
    return items.find(({ email }) => email.toLowerCase() === address.toLowerCase())?.id;
  }

  #step({ at, text, by, said, kind = "" }, begun) {
    const lang = { en: "en-GB", zh: "zh-Hans" }[this.#app.lang];
    const moment = at && new Date(at);
    const exact = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false };
    const later = moment && moment.toDateString() !== begun.toDateString();
    const time = moment && new Intl.DateTimeFormat(lang, { ...(later && { day: "numeric", month: "short" }), ...exact }).format(moment);
    return h(
      "li",
      { class: kind && `is-${kind}` },
      h("span", { class: "time" }, ...(moment ? [h("time", { datetime: at, title: full(at, this.#app) }, time)] : [])),
      h("div", {}, h("p", {}, text, ...(by ? [" ", h("span", { class: "soft small" }, written(by))] : [])), ...(said ? [h("p", { class: "said" }, written(said))] : [])),
    );
  }
}
