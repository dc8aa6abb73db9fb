// What stands below the rows, or in their place: that more is coming, that there is nothing, that it cannot be had.

import { h } from "../../../bell/dom.js";
import { belfry } from "../../ui/icons.js";

export class Note {
  #words;
  #element;
  #retry;
  #kind = null;

  constructor(words, element, retry) {
    this.#words = words;
    this.#element = element;
    this.#retry = retry;
  }

  render({ status, items, more }, filter, connection) {
    const kind = this.#kindOf(status, items.length, more, filter, connection);
    if (kind === this.#kind) return;
    this.#kind = kind;
    const words = this.#words;
    if (kind === "") return this.#element.replaceChildren();
    if (kind === "more" || kind === "loading") {
      const bones = Array.from({ length: kind === "more" ? 1 : 8 }, () =>
        h("div", { class: "bones" }, h("i"), h("i"), h("i")),
      );
      return this.#element.replaceChildren(
        h("p", { class: "unseen", role: "status" }, words.loading),
        h("div", { "aria-hidden": "true" }, ...bones),
      );
    }
    const [headline, text] = words[kind];
    const message = h("div", { class: "message" }, h("p", { class: "headline" }, headline), h("p", {}, text));
    if (kind === "failed") message.append(h("button", { class: "button", onclick: () => this.#retry() }, words.retry));
    else message.prepend(belfry());
    this.#element.replaceChildren(message);
  }

  #kindOf(status, count, more, { state, type, q }, connection) {
    const waiting = status === "loading" || status === "unloaded";
    if (status === "failed" || (waiting && connection === "offline")) return "failed";
    if (waiting) return count ? "more" : "loading";
    if (count || more) return "";
    if (q.trim()) return "emptySearch";
    if (type === "broadcast" && state === "all") return "emptyBroadcasts";
    return { all: "empty", unread: "emptyUnread", read: "emptyRead" }[state];
  }
}
