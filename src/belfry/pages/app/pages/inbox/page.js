// The inbox: a list that can be narrowed, and what is open of it. It shows what the store says, whoever changed it.

import { Failure } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { Detail } from "./detail.js";
import { help, listen } from "./keys.js";
import { List } from "./list.js";
import { Note } from "./note.js";
import { Row } from "./row.js";
import { Selection } from "./selection.js";
import { Toolbar } from "./toolbar.js";
import { addressOf, filterOf, searching, viewOf } from "./views.js";
import { WORDS } from "./words.js";

export const css = new URL("inbox.css", import.meta.url);

export function open({ app, place, signal }) {
  const page = new InboxPage(app, signal);
  page.update(place);
  return page;
}

class InboxPage {
  #app;
  #inbox;
  #signal;
  #words;
  #filter = null;
  #view = null;
  #narrowing = new AbortController(); // a look through one view
  #open = null; // an id
  #selection = new Selection();

  constructor(app, signal) {
    this.#app = app;
    this.#inbox = app.inbox;
    this.#signal = signal;
    const words = (this.#words = app.words(WORDS));
    this.toolbar = new Toolbar(words, this, signal);
    this.list = new List({
      label: words.list,
      rowOf: (item) => new Row(app, words, item, this),
      placeOf: (item) => ({
        selected: this.#selection.has(item.id),
        open: item.id === this.#open,
        href: `#${addressOf(this.#filter, item.id)}`,
      }),
      more: () => this.#store.view(this.#view).status === "loaded" && this.#load(),
    });
    this.note = new Note(words, this.list.note, () => this.#load());
    this.detail = new Detail(app, words, this);
    this.element = h(
      "div",
      { class: "inbox" },
      h("section", { class: "pane", "aria-label": words.title }, this.toolbar.element, this.list.element),
      this.detail.element,
    );
    this.#inbox.addEventListener("change", () => this.render(), { signal });
    this.#inbox.addEventListener("arrival", ({ detail }) => this.#arrived(detail), { signal });
    this.#inbox.addEventListener("failed", () => app.toast(words.refused), { signal });
    const watch = () => app.alerts.watch(!document.hidden);
    document.addEventListener("visibilitychange", watch, { signal });
    watch();
    listen(this.#acts(), { inList: () => this.list.hasFocus, signal });
    signal.addEventListener("abort", () => {
      app.alerts.watch(false);
      this.#leaveView();
      this.#store.trim();
    });
  }

  get #store() {
    return this.#inbox.store;
  }

  /** The tab's title. */
  get title() {
    return (this.#open !== null && this.detail.title) || this.#words.title;
  }

  // Where one is

  update({ parameters, query }) {
    const filter = filterOf(query);
    if (!this.#view || addressOf(filter) !== addressOf(this.#filter)) this.#narrow(filter);
    this.#show(parameters.id ? Number(parameters.id) : null);
    this.render();
  }

  #leaveView() {
    this.#narrowing.abort();
    this.#store.forget(this.#view);
  }

  #narrow(filter) {
    this.#leaveView();
    this.#narrowing = new AbortController();
    this.#filter = filter;
    this.#view = viewOf(filter);
    this.#selection.clear();
    this.list.current = null;
    this.list.element.scrollTop = 0;
    this.toolbar.show(filter);
  }

  async #show(id) {
    if (id === this.#open && this.#open !== null) return;
    const before = this.#open;
    this.#open = id;
    this.element.classList.toggle("is-reading", id !== null);
    if (id === null && before !== null) this.#returned(before);
    await this.detail.open(id);
    if (id === null || id !== this.#open || this.#signal.aborted) return;
    if (this.list.indexOf(id) >= 0) {
      this.list.current = id;
      this.list.reveal(id);
      this.list.draw();
    }
    const { item } = this.detail;
    if (item?.state === "unread") this.#mark([id], "read");
    this.#app.entitle();
    if (this.#isNarrow) this.detail.body.querySelector("h1")?.focus();
  }

  /** On phones the list comes back: the keyboard is where it was. */
  #returned(id) {
    if (this.list.indexOf(id) < 0) return;
    this.list.go(this.list.indexOf(id));
  }

  /** Whether there is room for one of list and detail only. */
  get #isNarrow() {
    return getComputedStyle(this.toolbar.element.parentElement).display === "none";
  }

  // What is shown

  render() {
    const view = this.#store.view(this.#view);
    this.#selection.keep(view.items);
    this.list.show(view.items, { more: view.more });
    this.toolbar.render({ count: this.#store.count, selected: this.#selection.size, loaded: view.items.length, view });
    this.note.render(view, this.#filter, this.#inbox.status);
    this.detail.render();
    this.element.classList.toggle("is-empty", !view.items.length);
    const { status } = this.#inbox; // connecting: this page of the list will say where the inbox stands
    if (view.status === "unloaded" && (status === "connecting" || this.#store.count !== null)) this.#load();
  }

  async #load() {
    try {
      await this.#store.load(this.#view, searching(this.#inbox, this.#narrowing.signal));
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // the note says so
    }
  }

  #arrived(item) {
    this.#app.say(this.#words.arrived(visible(item.title) || this.#words.untitled));
    this.render();
    const row = this.list.row(item.id);
    row?.element.classList.add("is-new");
    row?.element.addEventListener("animationend", () => row.element.classList.remove("is-new"), { once: true });
  }

  // What is done

  addressOf(id) {
    return addressOf(this.#filter, id);
  }

  /** Look at another part of the inbox. What is open stays open. */
  filtered(change) {
    this.#app.go(addressOf({ ...this.#filter, ...change }, this.#open), { replace: true });
  }

  selected(id, whether) {
    this.#selection.set(id, whether);
    this.list.current = id;
    this.render();
  }

  selectedAll(whether) {
    const all = this.#selection.setAll(whether ? this.list.items : []);
    if (!all) this.#app.toast(this.#words.most(this.#selection.size));
    this.render();
  }

  marked(item) {
    this.#mark([item.id], item.state === "unread" ? "read" : "unread");
  }

  removed(item) {
    this.#remove([item.id]);
  }

  closed() {
    this.#app.go(addressOf(this.#filter));
  }

  walked(by) {
    this.#walk(by);
  }

  readAll() {
    this.#stay(this.list.items.map((item) => item.id));
    this.#inbox.readAll();
  }

  /** What is to be done with the selection: "read", "unread" or "remove". */
  applied(how) {
    const { ids } = this.#selection;
    this.#selection.clear();
    if (how === "remove") this.#remove(ids);
    else this.#mark(ids, how);
  }

  helped() {
    help(this.#words);
  }

  #mark(ids, how) {
    this.#stay(ids);
    this.#inbox[how](ids);
    this.render();
  }

  /** These rows stay although the filter would not show them any more. */
  #stay(ids) {
    for (const id of ids) this.#view.stays.add(id);
  }

  #remove(ids) {
    const words = this.#words;
    const inbox = this.#inbox;
    const reading = ids.includes(this.#open) ? this.list.indexOf(this.#open) : -1;
    inbox.remove(ids);
    const { removal } = inbox;
    this.render();
    if (reading >= 0) this.#readNext(reading);
    else if (ids.includes(this.#open)) this.closed();
    this.#app.toast(words.removed(ids.length), {
      label: words.undo,
      action: () => inbox.undo(),
      over: () => inbox.removal === removal && inbox.commit(),
    });
  }

  /** What was open is gone: the next one is opened in its place, or the list shown. */
  #readNext(index) {
    const next = this.list.items[Math.min(index, this.list.items.length - 1)];
    this.#app.go(addressOf(this.#filter, next?.id ?? null), { replace: true });
  }

  #walk(by) {
    const from = this.list.indexOf(this.list.current ?? this.#open);
    const item = this.list.go(from + by, { focus: this.#open === null || !this.#isNarrow });
    if (item && this.#open !== null) this.#app.go(addressOf(this.#filter, item.id), { replace: true });
  }

  /** What keys act on: the selection, or the row the keyboard is at, or what is open. */
  #those(then) {
    const ids = this.#selection.size
      ? this.#selection.ids
      : [this.list.current ?? this.#open].filter((id) => id !== null);
    const items = ids.map((id) => this.#store.get(id)).filter(Boolean);
    if (!items.length) return false;
    then(items);
    return true;
  }

  #acts() {
    const app = this.#app;
    return {
      next: () => this.#walk(1),
      previous: () => this.#walk(-1),
      open: () => this.list.current !== null && app.go(this.addressOf(this.list.current)),
      close: (event) => this.#close(event),
      remove: () => this.#those((items) => this.#remove(items.map(({ id }) => id))),
      undo: () => this.#inbox.removal !== null && app.undo(),
      mark: () =>
        this.#those((items) =>
          this.#mark(
            items.map(({ id }) => id),
            items.some(({ state }) => state === "unread") ? "read" : "unread",
          ),
        ),
      select: () =>
        this.list.current !== null && this.selected(this.list.current, !this.#selection.has(this.list.current)),
      readAll: () => this.readAll(),
      search: () => this.toolbar.search.focus(),
      help: () => this.helped(),
    };
  }

  #close({ target }) {
    if (target === this.toolbar.search) {
      if (this.#filter.q) this.filtered({ q: "" });
      if (!this.list.go(0)) this.list.element.focus();
    } else if (this.#selection.size) this.selectedAll(false);
    else if (this.#open !== null) this.closed();
    else return false;
    return true;
  }
}
