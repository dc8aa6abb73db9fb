// Which notifications something is to be done with.

const MOST = 1_000; // ids in one request

export class Selection {
  #ids = new Set();

  get size() {
    return this.#ids.size;
  }

  get ids() {
    return [...this.#ids];
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** Put one in, as long as there is room, or take it out. */
  set(id, whether) {
    if (!whether) this.#ids.delete(id);
    else if (this.size < MOST) this.#ids.add(id);
  }

  /** Make these the selection. Returns whether all of them found room. */
  setAll(items) {
    this.#ids = new Set(items.slice(0, MOST).map(({ id }) => id));
    return items.length <= MOST;
  }

  /** Let go of what is not among these. */
  keep(items) {
    if (!this.size) return;
    const there = new Set(items.map(({ id }) => id));
    for (const id of this.#ids) if (!there.has(id)) this.#ids.delete(id);
  }

  clear() {
    this.#ids.clear();
  }
}
