// The mail that was caught instead of sent: a list, and one of them as its reader sees it, as text, or as it was handed in.

import { Refused } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { belfry } from "../../ui/icons.js";
import { Choices } from "../../ui/choices.js";
import { repeat } from "../../ui/repeat.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const SECONDS = 3;
const MOST = 200;

export function open({ app, place, signal }) {
  const page = new MailPage(app);
  page.update(place);
  repeat(SECONDS, () => page.look(), signal);
  return page;
}

class MailPage {
  #app;
  #words;
  #mails = [];
  #loaded = false;
  #open = null; // an id
  #shown = null; // the one whose body is there
  #view;

  constructor(app) {
    this.#app = app;
    const words = (this.#words = app.words(WORDS));
    this.title = words.title;
    this.search = h("input", { type: "search", class: "input", placeholder: words.search, "aria-label": words.search, oninput: () => this.#list(), autocomplete: "off" });
    this.list = h("ul", { role: "list", class: "listing is-tight", "aria-label": words.list });
    this.body = h("article", { class: "mail", "aria-label": words.title });
    this.#view = new Choices("view", words.how, { options: ["shown", "text", "source"].map((how) => [how, words[how]]), value: "shown", onchange: () => this.#show(true) });
    this.main = h("div", { class: "mails" }, h("div", {}, this.search, this.list), this.body);
    this.element = h("section", { class: "page desk is-wide" }, h("header", { class: "heading is-tall" }, h("h1", { tabindex: -1 }, words.title), h("p", { class: "soft" }, words.about)), this.main);
  }

  update({ parameters }) {
    this.#open = parameters.id ?? null;
    this.main.classList.toggle("is-reading", this.#open !== null);
    this.#list();
    this.#show();
  }

  async look() {
    try {
      const [newest] = await this.#app.api.get("dev/mail", { limit: 1 });
      if (this.#loaded && newest?.id === this.#mails[0]?.id) return; // a list brings all its mails
      this.#mails = await this.#app.api.get("dev/mail", { limit: MOST });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      return void this.main.replaceChildren(message(this.#words.off, belfry()));
    }
    this.#loaded = true;
    this.#list();
    this.#show();
  }

  #list() {
    const words = this.#words;
    const sought = this.search.value.trim().toLowerCase();
    const found = this.#mails.filter(({ to, subject }) => `${to} ${subject}`.toLowerCase().includes(sought));
    const rows = found.map((mail) =>
      h(
        "li",
        {},
        h("a", { class: "name", href: `#/mail/${encodeURIComponent(mail.id)}`, "aria-current": mail.id === this.#open ? "true" : null }, written(mail.subject, words.untitled)),
        h("p", { class: "line" }, h("span", {}, written(mail.to)), h("span", {}, since(mail.received_at, this.#app))),
      ),
    );
    const at = [...this.list.children].indexOf(document.activeElement?.closest("li"));
    this.list.replaceChildren(...rows);
    if (at >= 0) rows[at]?.querySelector("a").focus();
  }

  async #show(anew = false) {
    const words = this.#words;
    const mail = this.#mails.find(({ id }) => id === this.#open);
    if (!mail) {
      this.#shown = null;
      return void this.body.replaceChildren(message(this.#mails.length ? words.none : words.empty, belfry()));
    }
    if (mail.id === this.#shown && !anew) return;
    this.#shown = mail.id;
    const fact = (name, text) => h("div", {}, h("dt", {}, name), h("dd", {}, written(text)));
    const holder = h("div", { class: "letter" });
    this.body.replaceChildren(
      h("a", { class: "link back", href: "#/mail" }, words.back),
      h("h2", {}, written(mail.subject, words.untitled)),
      h("dl", { class: "headers" }, fact(words.to, mail.to), fact(words.id, mail.message_id)),
      this.#view.element,
      holder,
    );
    const how = this.#view.value === "shown" && !mail.html ? "text" : this.#view.value;
    holder.append(how === "shown" ? this.#frame(mail) : h("pre", { tabindex: 0, dir: "auto" }, how === "text" ? mail.text : await this.#source(mail)));
  }

  /** The frame is without scripts and without an origin, and what it shows may load nothing (web/mailbox.py). */
  #frame(mail) {
    const subject = visible(mail.subject) || this.#words.untitled;
    return h("iframe", { sandbox: "", src: new URL(`dev/mail/${encodeURIComponent(mail.id)}/page`, this.#app.inbox.api.base).href, title: this.#words.frame(subject) });
  }

  async #source(mail) {
    return this.#app.inbox.api.ask(`dev/mail/${encodeURIComponent(mail.id)}/source`, {}, (text) => text);
  }
}

function message([headline, text], picture) {
  return h("div", { class: "message" }, picture, h("p", { class: "headline" }, headline), h("p", {}, text));
}
