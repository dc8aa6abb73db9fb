// How far the e-mails of a broadcast got, as a bar and in words.

import { h, set, write } from "../../../bell/dom.js";

/** Whether e-mails are still to be written or sent. */
export function isUnderWay({ channels, status }) {
  return channels.includes("email") && ["scheduled", "pending", "processing"].includes(status);
}

/** Of `all` e-mails, how many came to an end, good or bad. Until all are written there are as many as people. */
function counted({ total, expanded, remaining, sent, failed, status }) {
  const all = status === "sent" ? expanded : Math.max(total, expanded);
  return { all, ended: status === "cancelled" ? sent + failed : expanded - remaining };
}

export function percent(broadcast) {
  const { all, ended } = counted(broadcast);
  return all ? Math.floor((100 * ended) / all) : 0;
}

export class Progress {
  #words;

  constructor(words) {
    this.#words = words;
    this.sent = h("span", { class: "sent" });
    this.failed = h("span", { class: "failed" });
    this.bar = h("div", { class: "meter", role: "progressbar", "aria-label": words.progress, "aria-valuemin": 0, "aria-valuemax": 100 }, this.sent, this.failed);
    this.percent = h("strong", {});
    this.text = h("span", { class: "soft" });
    this.element = h("div", { class: "progress" }, h("p", {}, this.percent, this.text), this.bar);
  }

  show(broadcast) {
    const words = this.#words;
    const { failed, sent, rate } = broadcast;
    const { all, ended } = counted(broadcast);
    const now = percent(broadcast);
    const share = (number) => `${all ? (100 * number) / all : 0}%`;
    this.sent.style.inlineSize = share(ended - failed);
    this.failed.style.inlineSize = share(failed);
    set(this.bar, "aria-valuenow", now);
    write(this.percent, words.percent(now));
    const left = (all - ended) / rate;
    const time = left < 90 ? words.seconds(Math.ceil(left)) : words.minutes(Math.round(left / 60));
    write(this.text, now === 100 ? words.done : isUnderWay(broadcast) && rate > 0 ? words.left(time) : words.mailed(sent, all));
  }
}
