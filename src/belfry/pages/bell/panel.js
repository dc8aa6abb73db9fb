// The panel: lists of an inbox, and what can be done there. It shows what the store says, whoever changed it.

import { Offer } from "./alerts.js";
import { arrange, belfry, cross, h, set, write } from "./dom.js";
import { Row } from "./row.js";
import { VIEWS } from "./store.js";

const NAMES = Object.keys(VIEWS);
const UNDO_FOR = 6_000; // milliseconds; time stands still while somebody is at the button
const TICK = 30_000;

export class Panel {
  #inbox;
  #words;
  #target;
  #close;
  #say;
  #view = "all";
  #rows = new Map();
  #noted = null; // what the note says
  #removed = null; // what the toast is about
  #timer = null;
  #ticking = null;
  #end; // tells when the end of the list comes into sight

  /** `target` is where links open, `close()` is called when the reader is done, `say(text)` reads something out. */
  constructor(inbox, { words, target, close, say }) {
    this.#inbox = inbox;
    this.#words = words;
    this.#target = target;
    this.#close = close;
    this.#say = say;
    this.summary = h("p", { class: "summary" });
    this.markAll = button("quiet", () => inbox.readAll(), words.markAll);
    set(this.markAll, "part", "mark-all");
    this.tabs = NAMES.map((name) => {
      const onclick = () => this.#choose(name);
      return h("button", { role: "tab", id: name, "aria-controls": "list", part: "tab", onclick }, words[name]);
    });
    this.list = h("ul", { role: "list" });
    this.note = h("div", { class: "note" });
    this.end = h("div", { class: "end" });
    const about = { class: "scroll", id: "list", role: "tabpanel", part: "list", tabindex: -1 };
    this.scroll = h("div", about, this.list, this.note, this.end);
    this.offline = h("p", { class: "offline", part: "offline", role: "status" });
    this.undo = button("text", () => this.#bringBack(), words.undo);
    const stay = () => clearTimeout(this.#timer);
    const go = () => this.#countDown();
    const held = { onpointerenter: stay, onfocusin: stay, onpointerleave: go, onfocusout: go };
    this.toast = h("div", { class: "toast", part: "toast", hidden: true, ...held }, words.removed, this.undo);
    this.offer = new Offer(words);
    const leave = button("act close", close, cross());
    set(leave, "aria-label", words.close);
    this.element = h(
      "div",
      { class: "panel", part: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", tabindex: -1, popover: "manual", hidden: true },
      h(
        "header",
        { part: "header" },
        h("div", { class: "titles" }, h("h2", { id: "title", part: "title" }, words.title), this.summary),
        this.markAll,
        leave,
      ),
      h("div", { class: "tabs", role: "tablist", "aria-labelledby": "title", part: "tabs" }, ...this.tabs),
      this.offline,
      this.scroll,
      this.toast,
      this.offer.element,
    );
    const more = () => inbox.store.view(this.#view).status === "loaded" && inbox.load(this.#view);
    const near = { root: this.scroll, rootMargin: "200px" };
    this.#end = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && more(), near);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  open() {
    this.element.hidden = false;
    this.element.showPopover?.();
    this.offer.show();
    this.#end.observe(this.end);
    this.#ticking = setInterval(() => this.#rows.forEach((row) => row.tick()), TICK);
    this.render();
    this.element.focus({ preventScroll: true });
  }

  close() {
    this.#inbox.commit();
    this.#end.disconnect();
    clearInterval(this.#ticking);
    this.element.hidePopover?.();
    this.element.hidden = true;
    this.#inbox.store.trim();
  }

  render() {
    if (!this.isOpen) return;
    const { store, status } = this.#inbox;
    const view = store.view(this.#view);
    write(this.summary, store.count === null ? "" : this.#words.unreadCount(store.count));
    this.#hide(this.markAll, !store.count);
    for (const tab of this.tabs) {
      const chosen = tab.id === this.#view;
      set(tab, "aria-selected", String(chosen));
      set(tab, "tabindex", chosen ? 0 : -1);
    }
    set(this.scroll, "aria-labelledby", this.#view);
    write(this.offline, status === "offline" ? this.#words.offline : "");
    this.#renderRows(view.items);
    this.#renderNote(view, status);
    this.#renderToast();
    // Before there is a position, what a list says could not be kept true.
    if (view.status === "unloaded" && store.count !== null) this.#inbox.load(this.#view);
  }

  #renderRows(items) {
    const before = [...this.#rows.values()];
    const place = before.findIndex((row) => row.hasFocus);
    const rows = new Map();
    for (const item of items) {
      const row = this.#rows.get(item.id) ?? new Row(item, this.#words, this.#target, this);
      row.show(item);
      rows.set(item.id, row);
    }
    this.#rows = rows;
    arrange(this.list, [...rows.values()].map((row) => row.element));
    if (place < 0 || rows.has(before[place].item.id)) return;
    const near = [...before.slice(place + 1), ...before.slice(0, place).reverse()];
    this.#focus(near.find((row) => rows.has(row.item.id))?.main);
  }

  /** What stands below the rows, or in their place. */
  #renderNote({ status, items, more }, connection) {
    const words = this.#words;
    const waiting = status === "loading" || status === "unloaded";
    let kind = items.length || more ? "" : this.#view;
    if (connection === "signed-out") kind = "signedOut";
    else if (status === "failed" || (waiting && connection === "offline")) kind = "failed";
    else if (waiting) kind = items.length ? "more" : "loading";
    set(this.scroll, "aria-busy", String(waiting));
    this.end.hidden = !more || kind !== "";
    if (kind === this.#noted) return;
    this.#noted = kind;
    this.#leave(this.note);
    if (kind === "" || kind === "more") return this.note.replaceChildren();
    if (kind === "loading") return this.note.replaceChildren(...skeleton(words));
    const [headline, text] = words.empty[kind] ?? words[kind];
    const message = h("div", { class: "message", part: "empty" }, h("p", { class: "headline" }, headline), h("p", {}, text));
    if (words.empty[kind]) message.prepend(belfry());
    if (kind === "failed") message.append(button("text", () => this.#inbox.load(this.#view), words.retry));
    this.note.replaceChildren(message);
  }

  #renderToast() {
    const { removal } = this.#inbox;
    if (removal === this.#removed) return;
    this.#removed = removal;
    this.#hide(this.toast, !removal);
    this.#countDown();
  }

  #countDown() {
    clearTimeout(this.#timer);
    if (this.#removed) this.#timer = setTimeout(() => this.#inbox.commit(), UNDO_FOR);
  }

  #bringBack() {
    const [id] = this.#removed.ids;
    this.#inbox.undo();
    this.render();
    this.#focus(this.#rows.get(id)?.main);
  }

  #focus(element = this.element) {
    element.focus({ preventScroll: element === this.element });
  }

  /** What goes away must not take the focus with it: keys would be the page's. */
  #leave(element) {
    if (element.matches(":focus-within")) this.#focus();
  }

  #hide(element, whether) {
    if (whether) this.#leave(element);
    element.hidden = whether;
  }

  #choose(name) {
    this.#view = name;
    this.scroll.scrollTop = 0;
    this.render();
  }

  // What rows ask for

  opened(item) {
    if (item.state === "unread") this.#inbox.read([item.id]);
  }

  marked(item) {
    if (item.state === "unread") this.#inbox.read([item.id]);
    else this.#inbox.unread([item.id]);
  }

  removed(item) {
    this.#inbox.remove([item.id]);
    this.#say(this.#words.removed);
  }

  // Keys

  /** A key pressed in the panel, or at the bell while it is open. */
  key(event) {
    if (!this.isOpen || event.ctrlKey || event.metaKey || event.altKey) return;
    const tab = this.tabs.indexOf(event.target);
    if (event.key === "Escape") this.#close();
    else if (!(tab >= 0 && this.#tabKey(event.key, tab)) && !this.#rowKey(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  }

  #tabKey(key, tab) {
    const forward = getComputedStyle(this.element).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: tab + forward, ArrowLeft: tab - forward, Home: 0, End: -1 }[key];
    if (to === undefined) return false;
    const next = this.tabs.at(to % NAMES.length);
    this.#choose(next.id);
    next.focus();
    return true;
  }

  /** Up and down through the rows, also from above them; Delete takes one out. */
  #rowKey(key) {
    const rows = [...this.#rows.values()];
    const at = rows.findIndex((row) => row.hasFocus);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, ...(at >= 0 && { Home: 0, End: rows.length, Delete: at }) }[key];
    if (to === undefined || !rows.length) return false;
    if (key === "Delete") this.removed(rows[at].item);
    else rows[Math.min(Math.max(to, 0), rows.length - 1)].main.focus();
    return true;
  }
}

function button(kind, onclick, label) {
  return h("button", { class: kind, onclick }, label);
}

function skeleton(words) {
  const bars = () => h("div", { class: "bones" }, h("i"), h("i"), h("i"));
  const rows = h("div", { "aria-hidden": "true", part: "skeleton" }, bars(), bars(), bars(), bars());
  return [h("p", { class: "unseen" }, words.loading), rows];
}
