// A list that the API gives page by page, kept true without losing one's place in it.

import { Away } from "../../bell/api.js";
import { arrange, h } from "../../bell/dom.js";
import { WORDS } from "../frame.words.js";

const SIZE = 20;
const MOST = 100; // items in one answer
const FOCUSED = "a[href], button, input, select";

export class Listing {
  #load;
  #row;
  #empty;
  #words;
  #items = [];
  #rows = new Map(); // by id: what was drawn of an item, and how
  #next = null;
  #turn = 0;
  #going = null; // on to further ones
  #note = h("div");
  #more;

  /**
   * `load({cursor, page_size})` answers with a page of the API's, `row(item)` draws one, and `empty` is the headline and the text
   * where there is none.
   */
  constructor(app, { label, load, row, empty }) {
    this.#words = app.words(WORDS);
    this.#load = load;
    this.#row = row;
    this.#empty = empty;
    this.list = h("ul", { role: "list", class: "listing", "aria-label": label });
    this.#more = h("button", { class: "button more", hidden: true, onclick: () => this.#further() }, this.#words.more);
    this.element = h("div", { class: "pages" }, this.list, this.#note, this.#more);
    this.loaded = false;
  }

  get items() {
    return this.#items;
  }

  /** Begin anew: something else is asked for. */
  reset() {
    this.#turn++; // what is still to be answered was another question
    this.#items = [];
    this.#next = null;
    this.loaded = false;
    return this.refresh();
  }

  /** Load anew what is shown. */
  async refresh() {
    await this.#going?.catch(() => {}); // whoever asked for more is to get it
    const size = Math.min(MOST, Math.max(SIZE, this.#items.length));
    let page;
    try {
      page = await this.#ask({ page_size: size });
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      if (!this.loaded) this.#away(); // else the frame says so, and what was true a moment ago stays
    }
    if (!page) return;
    const rest = size === MOST ? this.#items.filter((item) => item.id < (page.items.at(-1)?.id ?? 0)) : [];
    if (!rest.length) this.#next = page.next_cursor;
    this.#show([...page.items, ...rest]);
  }

  async #further() {
    await (this.#going ??= this.#go().finally(() => (this.#going = null)));
  }

  async #go() {
    const page = await this.#ask({ cursor: this.#next, page_size: SIZE });
    if (!page) return;
    this.#next = page.next_cursor;
    const first = this.#items.length;
    this.#show([...this.#items, ...page.items]);
    this.list.children[first]?.querySelector(FOCUSED)?.focus();
  }

  /** The answer, or null if another question was asked meanwhile. */
  async #ask(query) {
    const turn = ++this.#turn;
    const page = await this.#load(query);
    return turn === this.#turn ? page : null;
  }

  #away() {
    this.list.hidden = true;
    this.#more.hidden = true;
    this.#say(this.#words.unreachable[0], this.#words.away, h("button", { class: "button", onclick: () => this.refresh() }, this.#words.retry));
  }

  #show(items) {
    this.#items = items;
    this.loaded = true;
    const rows = new Map();
    for (const item of items) {
      const drawn = JSON.stringify(item);
      const known = this.#rows.get(item.id);
      rows.set(item.id, known?.drawn === drawn ? known : { drawn, element: this.#redrawn(item, known?.element) });
    }
    this.#rows = rows;
    arrange(this.list, [...rows.values()].map(({ element }) => element));
    this.#more.hidden = this.#next === null;
    this.list.hidden = !items.length;
    if (items.length) this.#note.replaceChildren();
    else this.#say(...this.#empty);
  }

  /** The row of an item that changed; whoever was at one of its buttons is there again. */
  #redrawn(item, before) {
    const element = this.#row(item);
    const at = before ? [...before.querySelectorAll(FOCUSED)].indexOf(document.activeElement) : -1;
    if (at >= 0) {
      const there = element.querySelectorAll(FOCUSED);
      queueMicrotask(() => there[Math.min(at, there.length - 1)]?.focus());
    }
    return element;
  }

  #say(headline, text, ...more) {
    this.#note.replaceChildren(h("div", { class: "message" }, h("p", { class: "headline" }, headline), h("p", {}, text), ...more));
  }
}
