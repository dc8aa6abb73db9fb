// The application: who is here, which page is shown, and what pages may use. There is one, and every page is given it.

import { Failure } from "../bell/api.js";
import { Alerts } from "../bell/alerts.js";
import { h, webAddress } from "../bell/dom.js";
import { Inbox } from "../bell/inbox.js";
import { wordsOf } from "../bell/words.js";
import { early } from "./early.js";
import { Frame } from "./frame.js";
import { WORDS } from "./frame.words.js";
import { keep, kept } from "./kept.js";
import { Requests } from "./requests.js";
import { MISSING, SIGN_IN, admits, placeOf } from "./routes.js";
import { applyScheme } from "./scheme.js";
import { Icon } from "./title.js";
import { confirm } from "./ui/dialog.js";
import { said } from "./ui/form.js";
import { Toast } from "./ui/toast.js";
import { styled } from "./ui/styled.js";

export class App {
  #root;
  #frame = null;
  #shownTo = null; // whom the frame was made for
  #page = null;
  #route = null; // whose page that is
  #begun = false;
  #leaving = new AbortController();
  #icon = new Icon();
  #live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  #content = h("div", { class: "root" });
  #toast = new Toast();

  constructor(root) {
    this.#root = root;
    /** Live: status, store, marks (bell/inbox.js). All tabs of the browser share its one stream. */
    this.inbox = new Inbox(new URL(".", document.baseURI).href);
    this.inbox.api.fetch = early;
    /** The rest of the HTTP API (requests.js). */
    this.api = new Requests(this.inbox.api);
    /** On the desktop; a page that shows the inbox says so with `watch`. */
    this.alerts = new Alerts(this.inbox, { open: (item) => this.#openFromAlert(item), words: () => wordsOf(this.lang) });
  }

  /** Who is signed in, as `GET /v1/me` says; null: nobody. */
  get me() {
    return this.inbox.me;
  }

  /** "en" or "zh". */
  get lang() {
    const lang = this.me?.language ?? kept("language") ?? navigator.language;
    return /^zh\b/i.test(lang) ? "zh" : "en";
  }

  /** What a page says, in the reader's language: of `{en, zh}` the one. */
  words(both) {
    return both[this.lang];
  }

  start() {
    applyScheme();
    this.#root.append(this.#content, this.#toast.element, this.#live);
    this.inbox.addEventListener("change", () => this.#changed());
    addEventListener("hashchange", () => this.#show());
    addEventListener("unhandledrejection", (event) => this.#failed(event));
    addEventListener("pagehide", () => this.inbox.stop());
    addEventListener("pageshow", (event) => event.persisted && this.inbox.start());
    this.inbox.start();
  }

  /** Go to a page: `go("/n/7")`. `replace`: the way back does not lead here. */
  go(path, { replace = false } = {}) {
    const address = `#${path}`;
    if (address === location.hash) return void this.#show();
    if (replace) location.replace(address);
    else location.hash = address;
  }

  /** Have a text read out; it is not shown. */
  say(text) {
    this.#live.replaceChildren(h("p", {}, text));
  }

  /**
   * Show a text for some seconds, with an `action` that a button named `label` starts; `over` is called when it is gone,
   * whether that was done or not.
   */
  toast(text, { label, action, seconds, over } = {}) {
    this.#toast.show(text, { label, action, seconds, over });
    this.say(text);
  }

  /** Do what the text that is shown offers. */
  undo() {
    this.#toast.act();
  }

  /** The page shown has another title now. */
  entitle() {
    const { title } = this.#page;
    if (title === this.#icon.title) return;
    this.#icon.entitle(title, this.words(WORDS).belfry);
    this.say(title);
  }

  /** Ask before something that cannot be undone. Resolves to whether the reader wants it. */
  confirm(question) {
    return confirm(this, question);
  }

  /** Somebody else is here now, or nobody: find out, and show them this page, or the one that is shown. */
  refresh(path = null) {
    if (path) {
      history.replaceState(null, "", `#${path}`);
      this.#shownTo = null;
    }
    this.inbox.startOver();
  }

  /** What somebody changed about themselves, as the API answered. */
  became(me) {
    this.inbox.became(me);
  }

  /** Speak "en" or "zh" to a stranger; whoever is signed in says so in the settings. */
  speak(lang) {
    keep("language", lang);
    this.#changed();
  }

  async signOut() {
    this.#toast.hide(); // what was deleted stays deleted
    if (this.inbox.status === "live") await this.inbox.settled();
    await this.api.post("v1/auth/logout");
    this.refresh("/");
  }

  /** What a page asked for did not come about, and the page does not say so itself. */
  #failed(event) {
    if (!(event.reason instanceof Failure)) return;
    event.preventDefault();
    if (event.reason.status === 401) this.refresh();
    else this.toast(said(event.reason, this));
  }

  #changed() {
    const { me, status, store } = this.inbox;
    this.#icon.show(store.count);
    const to = me ? `${me.id} ${me.role} ${me.language}` : status === "signed-out" ? `${status} ${this.lang}` : status;
    // a form that a stranger fills in outlives a moment without a network
    if (to === this.#shownTo || (!me && status !== "signed-out" && this.#shownTo?.startsWith("signed-out"))) {
      return void this.#frame?.render();
    }
    this.#shownTo = to;
    if (me) keep("language", me.language);
    document.documentElement.lang = { en: "en", zh: "zh-Hans" }[this.lang];
    this.#leave();
    this.#frame = null;
    this.#content.replaceChildren();
    if (me || status === "signed-out") this.#show();
    else if (status === "offline") this.#furnish({ route: MISSING }).away("unreachable");
  }

  #leave() {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#page = null;
    for (const each of document.querySelectorAll("dialog[open]")) each.close(); // it was of that page
  }

  async #show() {
    const place = placeOf(location.hash);
    if (place.route.who === "strangers" && this.me) return this.go("/", { replace: true });
    if (!admits(place.route, this.me)) place.route = this.me ? MISSING : SIGN_IN;
    if (this.#page?.update && this.#route === place.route) {
      this.#page.update(place);
      this.entitle();
      return;
    }
    this.#leave();
    const { signal } = this.#leaving;
    this.#furnish(place);
    let module;
    try {
      module = await place.route.load();
      if (module.css) await styled(module.css);
    } catch (error) {
      if (signal.aborted) return;
      this.#frame.away("notLoaded");
      throw error;
    }
    if (signal.aborted) return;
    this.#route = place.route;
    this.#page = module.open({ app: this, place, signal });
    this.#frame.hold(this.#page.element);
    this.entitle();
    if (this.#begun) this.#page.element.querySelector("h1")?.focus();
    this.#begun = true; // the first page is the browser's to announce
  }

  /** The sidebar stays while one goes from page to page. */
  #furnish(place) {
    const plain = place.route.who === "strangers" || (place.route.who === "anybody" && !this.me);
    if (this.#frame?.plain !== plain) {
      this.#frame = new Frame(this, plain);
      this.#content.replaceChildren(this.#frame.element);
    }
    this.#frame.show(place.route);
    return this.#frame;
  }

  #openFromAlert(item) {
    const address = webAddress(item?.link);
    if (item?.state) this.go(`/n/${item.id}`);
    else if (address) window.open(address.href, "_blank", "noopener");
    else this.go("/");
  }
}
