// <belfry-bell>: a bell with a badge, and a panel with what came. docs/bell.md tells what it takes and says.

import { Alerts } from "./bell/alerts.js";
import { bell, h, set, visible, webAddress, write } from "./bell/dom.js";
import { Inbox } from "./bell/inbox.js";
import { Panel } from "./bell/panel.js";
import { styles } from "./bell/styles.js";
import { wordsOf } from "./bell/words.js";

const HERE = new URL(".", import.meta.url).href;
const MOST = 99;
const GAP = 8; // pixels between bell and panel, and between panel and window

export class BelfryBell extends HTMLElement {
  static observedAttributes = ["src", "lang", "target"];

  #token = null;
  #inbox = null;
  #alerts = null;
  #panel = null;
  #count = null;
  #shadow = this.attachShadow({ mode: "open" });
  #badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true });
  #button = h(
    "button",
    { class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-controls": "panel", onclick: () => this.toggle() },
    bell(),
    this.#badge,
  );
  #connected = null;
  #own = null; // the last press inside; seen from the page it has no inside
  #live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  #root = h("div", { class: "root" }, this.#button, this.#live);

  constructor() {
    super();
    this.#shadow.adoptedStyleSheets = [styles()];
    this.#shadow.append(this.#root);
    this.#root.addEventListener("pointerdown", (event) => (this.#own = event));
    this.#root.addEventListener("keydown", (event) => this.#panel.key(event));
  }

  connectedCallback() {
    if (Object.hasOwn(this, "token")) {
      const { token } = this; // set before this script had run
      delete this.token;
      this.token = token;
    }
    this.#restart();
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    addEventListener("pagehide", () => this.#inbox.stop(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#start(), { signal });
    addEventListener("resize", () => this.#place(), { signal });
    addEventListener("scroll", () => this.#place(), { capture: true, passive: true, signal });
    document.addEventListener("visibilitychange", () => this.#watch(), { signal });
    // Somebody works elsewhere on the page: the panel would be in the way.
    document.addEventListener("pointerdown", (event) => event !== this.#own && this.close(), { signal });
    this.addEventListener("focusout", (event) => event.relatedTarget && this.close(), { signal });
  }

  disconnectedCallback() {
    this.close();
    this.#connected.abort();
    this.#inbox.stop();
    this.#inbox = null;
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#inbox || before === now) return;
    if (name === "src") this.#restart();
    else this.#furnish();
  }

  // What pages use

  /** Where Belfry is: the attribute `src`, or where this script came from. Ends in a slash. */
  get src() {
    const src = this.getAttribute("src");
    return src ? new URL(src.replace(/\/*$/, "/"), document.baseURI).href : HERE;
  }

  /** Gives a bearer token; null: the session cookie, which only works on Belfry's own origin. */
  get token() {
    return this.#token;
  }

  set token(value) {
    this.#token = value;
    if (this.isConnected) this.#restart();
  }

  /** The badge's number; null before it is known. */
  get count() {
    return this.#inbox?.store.count ?? null;
  }

  /** What is loaded, newest first. */
  get items() {
    return this.#inbox?.store.items ?? [];
  }

  /** "connecting", "live", "offline" or "signed-out". */
  get status() {
    return this.#inbox?.status ?? "connecting";
  }

  get isOpen() {
    return this.#panel?.isOpen ?? false;
  }

  open() {
    if (!this.#panel || this.isOpen) return;
    this.#panel.open();
    this.#place();
    this.#toggled();
  }

  close() {
    if (!this.isOpen) return;
    const within = this.#shadow.activeElement;
    this.#panel.close();
    if (within) this.#button.focus();
    this.#toggled();
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** Mark read everything that has arrived by now. */
  async markAllRead() {
    await this.#inbox?.readAll();
    if (!this.isOpen) this.#inbox?.store.trim();
  }

  // How it lives

  #restart() {
    this.close();
    this.#inbox?.stop();
    const inbox = new Inbox(this.src, this.#token);
    this.#inbox = inbox;
    this.#count = null;
    inbox.addEventListener("change", () => inbox === this.#inbox && this.#render());
    inbox.addEventListener("arrival", ({ detail }) => inbox === this.#inbox && this.#arrived(detail));
    inbox.addEventListener("failed", () => this.#say(this.#words.refused));
    this.#alerts = new Alerts(inbox, { open: (item) => this.#openFromAlert(item), words: () => this.#words });
    this.#furnish();
    this.#start();
  }

  /** Another origin's cookie would not be sent: without a token, wait for the page to say how to get one. */
  #start() {
    if (this.#token || new URL(this.src).origin === location.origin) this.#inbox.start();
  }

  get #words() {
    return wordsOf(this.closest("[lang]")?.lang || document.documentElement.lang);
  }

  /** Make the panel, in the language of the moment. */
  #furnish() {
    const wasOpen = this.isOpen;
    this.close();
    this.#panel?.element.remove();
    const words = this.#words;
    set(this.#root, "lang", words.lang);
    this.#panel = new Panel(this.#inbox, {
      words,
      target: this.getAttribute("target") ?? "_blank",
      close: () => this.close(),
      say: (text) => this.#say(text),
    });
    this.#root.append(this.#panel.element);
    this.#render();
    this.#toggled();
    if (wasOpen) this.open();
  }

  #render() {
    const { count } = this;
    const words = this.#words;
    set(this.#button, "aria-label", words.bell(count ?? 0));
    this.#badge.hidden = !count;
    write(this.#badge, count > MOST ? `${MOST}+` : String(count ?? ""));
    this.#root.dataset.status = this.status;
    this.#panel.render();
    if (count !== null && count !== this.#count) this.#dispatch("belfry:count", { count });
    this.#count = count;
  }

  #arrived(item) {
    this.#dispatch("belfry:notification", item);
    this.#say(this.#words.arrived(visible(item.title) || this.#words.untitled));
    this.#button.classList.remove("rings");
    void this.#button.offsetWidth; // so that the animation begins anew
    this.#button.classList.add("rings");
  }

  #say(text) {
    this.#live.replaceChildren(h("p", {}, text));
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #openFromAlert(item) {
    const address = webAddress(item?.link);
    if (item?.state) this.#inbox.read([item.id]);
    if (address) window.open(address.href, "_blank", "noopener");
    else this.open();
  }

  #toggled() {
    set(this.#button, "aria-expanded", String(this.isOpen));
    this.#watch();
  }

  #watch() {
    this.#alerts?.watch(this.isOpen && !document.hidden);
  }

  /** Beside the bell, where there is room; on phones the style sheet decides. */
  #place() {
    if (!this.isOpen) return;
    const bell = this.#button.getBoundingClientRect();
    const panel = this.#panel.element;
    const rtl = getComputedStyle(this).direction === "rtl";
    const left = rtl ? bell.left : bell.right - panel.offsetWidth;
    const furthest = document.documentElement.clientWidth - panel.offsetWidth - GAP;
    const below = innerHeight - bell.bottom;
    const upwards = below < 320 && bell.top > below;
    Object.assign(panel.style, {
      left: `${Math.max(GAP, Math.min(left, furthest))}px`,
      top: upwards ? "auto" : `${bell.bottom + GAP}px`,
      bottom: upwards ? `${innerHeight - bell.top + GAP}px` : "auto",
      maxHeight: `${(upwards ? bell.top : below) - 2 * GAP}px`,
    });
  }
}

if (!customElements.get("belfry-bell")) customElements.define("belfry-bell", BelfryBell);
