// What stands around a page: the sidebar, on phones the bar at the top, and whether we are connected.

import { h, set, visible, write } from "../bell/dom.js";
import { WORDS } from "./frame.words.js";
import { ROUTES, admits } from "./routes.js";
import * as icons from "./ui/icons.js";

const GROUPS = ["mine", "sending", "running"];
const MOST = 999;

export class Frame {
  #app;
  #words;
  #links = new Map();
  #badge = h("span", { class: "badge", hidden: true });
  #status = h("p", { class: "status", role: "status" });
  #name = h("bdi", { dir: "auto" });
  #menu;
  #nav;

  /** `plain`: for pages that are seen before one is anybody. */
  constructor(app, plain) {
    this.#app = app;
    this.#words = app.words(WORDS);
    this.plain = plain;
    this.main = h("main", { id: "content", tabindex: -1 });
    const skip = (event) => {
      event.preventDefault(); // the address is the page's
      this.main.focus();
    };
    const skipLink = h("a", { class: "skip", href: "#content", onclick: skip }, this.#words.skip);
    const before = plain ? [h("header", {}, this.#mark())] : this.#bars();
    const after = plain ? [this.#languages()] : [];
    this.element = h("div", { class: plain ? "frame is-plain" : "frame" }, skipLink, ...before, this.main, ...after);
    this.render();
  }

  /** Show that one is on the way to a page. */
  show(route) {
    for (const [name, link] of this.#links) set(link, "aria-current", name === route.name ? "page" : name === route.under ? "true" : null);
    this.#toggle(false);
  }

  /** Put a page's content in. */
  hold(element) {
    this.main.replaceChildren(element);
    scrollTo(0, 0);
  }

  /** In place of a page: we are `unreachable`, or its files are (`notLoaded`). */
  away(why) {
    const [headline, text] = this.#words[why];
    const retry = h("button", { class: "button", onclick: () => location.reload() }, this.#words.retry);
    this.hold(h("section", { class: "message" }, icons.belfry(), h("h1", { tabindex: -1 }, headline), h("p", {}, text), retry));
  }

  /** What changes by itself: the badge, and the connection. */
  render() {
    const { store, status } = this.#app.inbox;
    const { count } = store;
    this.#badge.hidden = !count;
    write(this.#badge, count > MOST ? `${MOST}+` : String(count ?? ""));
    set(this.#badge, "aria-label", count ? this.#words.unread(count) : null);
    set(this.element, "data-status", status);
    const { me } = this.#app;
    if (me) write(this.#name, visible(me.display_name) || me.email);
    write(this.#status, status === "offline" ? this.#words.status.offline : "");
  }

  #mark() {
    return h("a", { class: "mark", href: "#/" }, icons.bell(), h("span", {}, this.#words.belfry));
  }

  #languages() {
    const app = this.#app;
    const other = app.lang === "zh" ? ["en", "en", "English"] : ["zh", "zh-Hans", "中文"];
    const about = { class: "languages", lang: other[1], onclick: () => app.speak(other[0]) };
    return h("footer", {}, h("button", about, other[2]));
  }

  #bars() {
    const words = this.#words;
    const opens = { "aria-label": words.menu, "aria-expanded": "false", "aria-controls": "nav" };
    this.#menu = h("button", { class: "menu icon", ...opens, onclick: () => this.#toggle() }, icons.menu());
    const groups = GROUPS.map((group) => this.#group(group)).filter(Boolean);
    const leaves = { "aria-label": words.signOut, title: words.signOut, onclick: () => this.#app.signOut() };
    const who = h("div", { class: "who" }, this.#name, h("button", { class: "icon", ...leaves }, icons.leave()));
    const foot = h("div", { class: "foot" }, this.#status, who);
    this.#nav = h("nav", { id: "nav", "aria-label": words.navigation }, ...groups, foot);
    return [h("header", { class: "bar" }, this.#mark(), this.#menu), this.#nav];
  }

  #group(group) {
    const routes = ROUTES.filter((route) => route.group === group && route.icon && admits(route, this.#app.me));
    if (!routes.length) return null;
    const links = routes.map((route) => this.#link(route));
    return h("section", {}, h("h2", { class: group === "mine" ? "unseen" : "" }, this.#words.groups[group]), h("ul", { role: "list" }, ...links));
  }

  #link({ name, paths, icon, where }) {
    const link = h("a", { href: `#${paths[0]}` }, icon(), h("span", {}, this.#words.pages[name]));
    if (name === "inbox") link.append(this.#badge);
    this.#links.set(name, link);
    const place = h("li", { hidden: Boolean(where) }, link);
    where?.(this.#app).then((here) => (place.hidden = !here));
    return place;
  }

  /** The pages, where there is no room for them to be always there. */
  #toggle(open = !this.element.matches(".is-open")) {
    if (this.plain) return;
    this.element.classList.toggle("is-open", open);
    set(this.#menu, "aria-expanded", String(open));
  }
}
