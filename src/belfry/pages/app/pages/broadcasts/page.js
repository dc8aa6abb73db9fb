// One broadcast: who has read it, and how far its e-mails got, as it happens.

import { Refused } from "../../../bell/api.js";
import { h, visible, webAddress, write } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { belfry } from "../../ui/icons.js";
import { repeat } from "../../ui/repeat.js";
import { status } from "../../ui/status.js";
import { full, since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { Progress, isUnderWay } from "./progress.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 3; // what the stream does not say: readers, and the progress of what others sent

export function open({ app, place, signal }) {
  const page = new BroadcastPage(app, Number(place.parameters.id), signal);
  app.inbox.addEventListener("progress", ({ detail }) => page.hear(detail), { signal });
  repeat(SECONDS, () => page.look(), signal);
  return page;
}

class BroadcastPage {
  #app;
  #words;
  #id;
  #signal;
  #item = null;
  #facts = {};
  #drawn = "";

  constructor(app, id, signal) {
    this.#app = app;
    this.#signal = signal;
    this.#id = id;
    const words = (this.#words = app.words(WORDS));
    this.title = words.title;
    this.heading = h("h1", { tabindex: -1 }, words.title);
    this.about = h("p", { class: "about" });
    this.acts = h("p", { class: "actions" });
    this.progress = new Progress(words);
    this.noMail = h("p", { class: "soft" }, words.noMail);
    this.numbers = h("dl", { class: "facts" }, ...Object.entries(words.facts).map(([name, label]) => this.#fact(name, label)));
    this.text = h("div", { class: "card note", hidden: true });
    this.element = h("section", { class: "page desk is-narrow" }, h("header", { class: "heading is-tall" }, this.heading, this.about, this.acts), this.progress.element, this.noMail, this.numbers, this.text);
  }

  /** Load it. */
  async look() {
    try {
      this.#show(await this.#app.api.get(`v1/broadcasts/${this.#id}`));
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      const [headline, text] = this.#words.gone;
      this.element.replaceChildren(h("div", { class: "message" }, belfry(), h("h1", { tabindex: -1 }, headline), h("p", {}, text)));
    }
  }

  /** What the stream says of it, while its e-mails go out. */
  async hear({ notification_id: id, ...progress }) {
    if (id !== this.#id || !this.#item) return;
    this.#show({ ...this.#item, ...progress });
    if (progress.remaining === 0) await this.look();
  }

  #fact(name, label) {
    const value = (this.#facts[name] = h("dd", {}, "–"));
    return h("div", { "data-fact": name }, h("dt", {}, label), value);
  }

  #show(item) {
    if (this.#signal.aborted) return;
    this.#item = item;
    const mailed = item.channels.includes("email");
    const lang = this.#app.lang;
    for (const [name, value] of Object.entries(this.#facts)) {
      write(value, item[name].toLocaleString(lang));
      value.parentElement.hidden = !mailed && !["total", "read"].includes(name);
      value.parentElement.classList.toggle("is-bad", name === "failed" && item.failed > 0);
    }
    this.progress.element.hidden = !mailed;
    this.noMail.hidden = mailed;
    if (mailed) this.progress.show(item);
    const drawn = JSON.stringify([item.status, item.title, item.failed > 0, isUnderWay(item)]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#describe(item);
  }

  /** What seldom changes. */
  #describe(item) {
    const words = this.#words;
    const app = this.#app;
    this.title = visible(item.title) || words.untitled;
    this.heading.replaceChildren(written(item.title, words.untitled));
    app.entitle();
    const when = item.status === "scheduled" ? words.at(full(item.send_at, app)) : since(item.created_at, app);
    this.about.replaceChildren(status(item.status, app), h("span", {}, `${words.by} `, written(item.sender?.name, words.system)), h("span", {}, when));
    this.acts.replaceChildren(...this.#actsOf(item));
    const link = webAddress(item.link);
    const content = visible(item.content);
    this.text.hidden = !content && !link;
    this.text.replaceChildren(
      h("h2", {}, words.message),
      ...(content ? [h("div", { class: "content", dir: "auto" }, content)] : []),
      ...(link ? [h("p", {}, h("a", { href: link.href, target: "_blank", rel: "noopener noreferrer" }, h("bdi", {}, link.href)))] : []),
    );
  }

  #actsOf(item) {
    const words = this.#words;
    const app = this.#app;
    const { role, id } = app.me;
    const acts = [];
    if (role === "admin" || item.sender?.id === id) {
      const ask = async (how, done) => {
        await app.api.post(`v1/notifications/${item.id}/${how}`);
        app.toast(done);
        await this.look();
      };
      const stop = async () => (await app.confirm({ ...words.cancelAll, danger: true })) && ask("cancel", words.cancelled);
      if (isUnderWay(item) || item.status === "scheduled") acts.push(action(words.cancel, stop, { kind: "button is-danger" }));
      if (item.failed && !["cancelled", "scheduled"].includes(item.status)) acts.push(action(words.retry, () => ask("retry", words.retried)));
      acts.push(h("a", { class: "button", href: `#/trace/${item.id}` }, words.trace));
    }
    return acts;
  }
}
