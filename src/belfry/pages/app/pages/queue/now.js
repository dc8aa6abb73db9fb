// The queue at this moment, and how it came to it.

import { h, set, write } from "../../../bell/dom.js";
import { repeat } from "../../ui/repeat.js";
import { status } from "../../ui/status.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { Chart } from "./chart.js";

const SECONDS = 2;
const STATES = ["scheduled", "pending", "processing", "sent", "failed", "uncertain", "suppressed", "cancelled", "expired"];

export function now(app, words, signal) {
  const shown = new Now(app, words);
  repeat(SECONDS, async () => shown.show(await app.api.get("v1/queue")), signal);
  app.inbox.addEventListener("queue", async () => shown.show(await app.api.get("v1/queue")), { signal });
  app.api.get("v1/auth/rules").then((rules) => (shown.caught.hidden = !rules.mail_is_caught));
  return shown.element;
}

/** How long, in the two largest units that say something. */
export function span(seconds, words) {
  const whole = Math.floor(seconds);
  if (whole < 60) return words.seconds(whole);
  if (whole < 3_600) return words.minutes(Math.floor(whole / 60), whole % 60);
  if (whole < 172_800) return words.hours(Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60));
  return words.days(Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3_600));
}

class Now {
  #app;
  #words;
  #facts = {};
  #drawn = "";

  constructor(app, words) {
    this.#app = app;
    this.#words = words;
    this.headline = h("h2", {}, words.nothing);
    this.about = h("p", { class: "soft" });
    this.reason = h("p", { class: "said", hidden: true });
    this.state = h("div", { class: "state", role: "status" }, h("div", {}, this.headline, this.about, this.reason));
    this.caught = h("p", { class: "tip", hidden: true }, words.caught, " ", h("a", { href: "#/mail" }, words.seeCaught));
    const fact = (name) => h("div", { "data-fact": name }, h("dt", {}, words.facts[name]), (this.#facts[name] = h("dd", {}, words.nothing)));
    this.waiting = new Chart(words, words.charts.waiting, app.lang);
    this.rate = new Chart(words, words.charts.rate, app.lang);
    this.counts = h("tbody");
    this.workers = h("div");
    const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.state), h("th", { scope: "col", class: "number" }, words.number))), this.counts);
    this.element = h(
      "div",
      {},
      this.caught,
      this.state,
      h("dl", { class: "facts" }, ...Object.keys(words.facts).map(fact)),
      h("div", { class: "charts" }, this.waiting.element, this.rate.element),
      h("div", { class: "columns" }, h("section", {}, h("h2", {}, words.states), table), h("section", {}, h("h2", {}, words.workers), this.workers)),
    );
  }

  show(queue) {
    const words = this.#words;
    const { counts, rate, mail, reason } = queue;
    const open = counts.pending + counts.processing;
    set(this.state, "data-mail", mail);
    write(this.headline, words.mail[mail]);
    write(this.about, words.mailAbout[mail]);
    this.reason.hidden = !reason;
    this.reason.replaceChildren(written(reason));
    write(this.#facts.pending, this.#number(open));
    write(this.#facts.rate, this.#number(rate));
    write(this.#facts.failed, this.#number(counts.failed));
    write(this.#facts.oldest, queue.oldest_due_seconds === null ? words.nothing : span(queue.oldest_due_seconds, words));
    this.#facts.failed.parentElement.classList.toggle("is-bad", counts.failed > 0);
    this.waiting.add(open);
    this.rate.add(rate);
    const drawn = JSON.stringify([counts, queue.estimated, queue.workers.map((worker) => ({ ...worker, doing: worker.doing.map(({ job }) => job) }))]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.counts.replaceChildren(...STATES.map((state) => this.#count(state, queue)));
    const workers = queue.workers.map((worker) => this.#worker(worker));
    this.workers.replaceChildren(workers.length ? h("ul", { role: "list", class: "listing is-plain" }, ...workers) : h("p", { class: "soft" }, words.noWorkers));
  }

  #number(number) {
    return number.toLocaleString(this.#app.lang);
  }

  #count(state, { counts, estimated }) {
    const number = this.#number(counts[state]);
    return h(
      "tr",
      { "data-state": state, class: counts[state] ? "" : "soft" },
      h("th", { scope: "row" }, status(state, this.#app)),
      h("td", { class: "number" }, estimated.includes(state) ? this.#words.about(number) : number),
    );
  }

  #worker({ name, mail, reason, sending, rate, doing, started_at: started }) {
    const words = this.#words;
    const jobs = [...new Set(doing.map(({ job }) => job))].join(", ");
    const line = [h("span", {}, words.since, " ", since(started, this.#app)), h("span", {}, jobs || words.idle)];
    if (sending) line.push(h("span", {}, words.sending(sending)));
    if (rate) line.push(h("span", {}, words.perSecond(rate)));
    return h(
      "li",
      {},
      h("p", { class: "name" }, h("code", {}, written(name))),
      h("p", { class: "line" }, ...line),
      ...(mail === "paused" ? [h("div", { class: "end" }, h("span", { class: "tag is-warn" }, words.paused))] : []),
      ...(reason ? [h("p", { class: "said" }, written(reason))] : []),
    );
  }
}
