// Desktop alerts: once a browser, by the tab that holds the stream, and only where nobody is looking already.

import { h } from "./dom.js";

const TOGETHER = 200; // milliseconds; what comes at once is told at once
const MANY = 5; // more than these become one
const DECLINED = "belfry alerts declined";

/** "unsupported" and "insecure" (plain http) are what browsers do not say; the rest is `Notification.permission`. */
export function permission() {
  if (!globalThis.isSecureContext) return "insecure";
  return globalThis.Notification?.permission ?? "unsupported";
}

/** Whether a notification asks for an alert; the server sends one with it, and none for what was missed. */
function wantsAlert({ priority, channels }) {
  return priority >= 5 || (priority > 1 && channels.includes("desktop"));
}

export class Alerts {
  #inbox;
  #open;
  #words;
  #watching; // the lock's name: whoever holds it has an open panel that can be seen
  #waiting = new Map();
  #shown = new Map(); // item id -> the browser's alert
  #told = new Set(); // an alert and its notification are one
  #timer = null;
  #unwatch = null;

  /** `open(item)` opens an item, or for null the panel; `words()` are those of the reader's language. */
  constructor(inbox, { open, words }) {
    this.#inbox = inbox;
    this.#open = open;
    this.#words = words;
    this.#watching = `belfry watched ${inbox.api.base}`;
    inbox.addEventListener("arrival", ({ detail }) => wantsAlert(detail) && this.#offer(detail.id, detail));
    inbox.addEventListener("desktop", ({ detail }) => this.#offer(detail.notification_id ?? detail.id, detail));
    inbox.addEventListener("change", () => this.#closeRead());
  }

  /** Say whether somebody looks at the open panel of this tab. */
  watch(looking) {
    if (!looking) {
      this.#unwatch?.();
      this.#unwatch = null;
    } else if (!this.#unwatch && navigator.locks) {
      const until = new Promise((resolve) => (this.#unwatch = resolve));
      navigator.locks.request(this.#watching, { mode: "shared" }, () => until);
    }
  }

  #offer(id, said) {
    if (!this.#inbox.leading || permission() !== "granted" || this.#told.has(id)) return;
    this.#told.add(id);
    this.#waiting.set(id, said);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), TOGETHER);
  }

  async #show() {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    if (await this.#isWatched()) return;
    if (waiting.length > MANY) {
      const latest = waiting.slice(-3).map(([, said]) => said.title).join("\n");
      this.#alert("belfry", this.#words().missed(waiting.length), latest, null);
      return;
    }
    for (const [id, said] of waiting) {
      const item = this.#inbox.store.get(said.notification_id ?? id);
      if (item?.state === "read") continue; // meanwhile, elsewhere
      const alert = this.#alert(`belfry ${id}`, said.title, said.content, item ?? said);
      if (alert && item) this.#shown.set(item.id, alert);
    }
  }

  async #isWatched() {
    if (!navigator.locks) return this.#unwatch !== null;
    const { held } = await navigator.locks.query();
    return held.some(({ name }) => name === this.#watching);
  }

  #alert(tag, title, body, item) {
    let alert;
    try {
      alert = new Notification(title, { body: body.slice(0, 200), tag, lang: this.#words().lang });
    } catch (error) {
      if (error instanceof TypeError) return null; // Chromium on Android alerts from service workers only
      throw error;
    }
    alert.onclick = () => {
      window.focus();
      alert.close();
      this.#open(item);
    };
    return alert;
  }

  #closeRead() {
    for (const [id, alert] of this.#shown) {
      if (this.#inbox.store.stateOf(id) === "unread") continue;
      alert.close();
      this.#shown.delete(id);
    }
  }
}

/** The offer of alerts. The browser's own question comes only after a click here. */
export class Offer {
  #words;

  constructor(words) {
    this.#words = words;
    this.element = h("footer", { class: "offer", part: "offer", hidden: true });
  }

  /** Show what there is to say now: a question, why there can be none, or nothing. */
  show() {
    if (this.element.matches(":focus-within")) this.element.parentElement.focus(); // the button will be gone
    const words = this.#words;
    const state = permission();
    const question = state === "default" && !remembered((storage) => storage.getItem(DECLINED));
    const said = question ? words.offer : words[state]; // "denied" and "insecure" have words
    this.element.hidden = !said;
    this.element.replaceChildren(h("p", {}, said ?? ""));
    if (!question) return;
    this.element.append(
      h("button", { class: "text", onclick: () => this.#accept() }, words.allow),
      h("button", { class: "quiet", onclick: () => this.#decline() }, words.later),
    );
  }

  async #accept() {
    await Notification.requestPermission();
    this.show();
  }

  #decline() {
    remembered((storage) => storage.setItem(DECLINED, "yes"));
    this.show();
  }
}

/** A page may be forbidden to keep anything (storage blocked, sandboxed frames): then the offer comes again. */
function remembered(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
