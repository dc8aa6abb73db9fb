// A list of any length: only the rows in sight are there, in a box as high as all of them.

import { arrange, h } from "../../../bell/dom.js";

const BEYOND = 6; // rows drawn above and below what can be seen
const AHEAD = 20; // rows from the end at which more is asked for

export class List {
  #rowOf;
  #more;
  #rows = new Map();
  #items = [];
  #places = new Map(); // id -> index
  #complete = true;
  #drawing = null;

  /**
   * `rowOf(item)` makes a row; `placeOf(item)` says what is shown of it besides the item; `more()` is called when the end
   * comes near.
   */
  constructor({ label, rowOf, placeOf, more }) {
    this.#rowOf = rowOf;
    this.placeOf = placeOf;
    this.#more = more;
    this.current = null; // the id of the row the keyboard is at
    this.rows = h("ul", { role: "list", "aria-label": label });
    this.note = h("div", { class: "note" });
    this.element = h("div", { class: "scroll", tabindex: -1 }, this.rows, this.note);
    this.element.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(this.element);
  }

  get items() {
    return this.#items;
  }

  indexOf(id) {
    return this.#places.get(id) ?? -1;
  }

  /** Show these items; what the reader looks at stays where it is. */
  show(items, { more }) {
    const top = this.#topmost();
    const at = this.indexOf(this.current);
    this.#items = items;
    this.#complete = !more;
    this.#places = new Map(items.map((item, index) => [item.id, index]));
    this.rows.style.setProperty("--count", items.length);
    if (this.current !== null && !this.#places.has(this.current)) this.#moveOn(at);
    if (top) {
      const moved = this.#places.get(top.id);
      if (moved !== undefined && moved !== top.index) this.element.scrollTop += (moved - top.index) * this.#height;
    }
    this.draw();
  }

  /** Draw what can be seen. */
  draw() {
    this.#drawing = null;
    const [first, last] = this.#items.length ? this.#inSight() : [0, 0];
    const indices = new Set();
    for (let index = first; index < last; index++) indices.add(index);
    const current = this.indexOf(this.current);
    if (current >= 0) indices.add(current); // it may hold the focus
    const rows = new Map();
    const size = this.#complete ? this.#items.length : -1;
    for (const index of [...indices].sort((a, b) => a - b)) {
      const item = this.#items[index];
      const row = this.#rows.get(item.id) ?? this.#rowOf(item);
      const isFirst = current < 0 && index === first;
      row.show(item, { index, size, ...this.placeOf(item), current: index === current || isFirst });
      rows.set(item.id, row);
    }
    this.#rows = rows;
    arrange(
      this.rows,
      [...rows.values()].map((row) => row.element),
    );
    if (!this.#complete && last > this.#items.length - AHEAD) this.#more();
  }

  /** Take the keyboard to a row, by its index, and show it. */
  go(index, { focus = true } = {}) {
    const item = this.#items[Math.min(Math.max(index, 0), this.#items.length - 1)];
    if (!item) return null;
    this.current = item.id;
    this.reveal(item.id);
    this.draw();
    if (focus) this.focus();
    return item;
  }

  /** Scroll no further than it takes to see a row. */
  reveal(id) {
    const index = this.indexOf(id);
    if (index < 0) return;
    const top = index * this.#height;
    const bottom = top + this.#height - this.element.clientHeight;
    if (this.element.scrollTop > top) this.element.scrollTop = top;
    else if (this.element.scrollTop < bottom) this.element.scrollTop = bottom;
  }

  focus() {
    this.#rows.get(this.current)?.main.focus({ preventScroll: true });
  }

  get hasFocus() {
    return this.rows.matches(":focus-within");
  }

  row(id) {
    return this.#rows.get(id);
  }

  /** The row of the keyboard is gone: the one that took its place is next. */
  #moveOn(index) {
    const focused = this.hasFocus;
    const next = this.#items[Math.min(index, this.#items.length - 1)];
    this.current = next?.id ?? null;
    if (focused) queueMicrotask(() => (next ? this.focus() : this.element.focus()));
  }

  /** The first row in sight, where it is not the very first: there new ones push the others down in plain sight. */
  #topmost() {
    if (!this.#items.length) return null; // whoever asks where things are makes the browser arrange them
    const index = Math.floor(this.element.scrollTop / this.#height);
    return this.element.scrollTop > 0 && this.#items[index] ? { id: this.#items[index].id, index } : null;
  }

  /** From which row to which there is one to be seen, or nearly. */
  #inSight() {
    const [height, { scrollTop, clientHeight }] = [this.#height, this.element];
    const first = Math.max(0, Math.floor(scrollTop / height) - BEYOND);
    return [first, Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / height) + BEYOND)];
  }

  get #height() {
    return Number.parseFloat(getComputedStyle(this.rows).getPropertyValue("--row-height")) || 70;
  }

  #soon() {
    this.#drawing ??= requestAnimationFrame(() => this.draw());
  }
}
