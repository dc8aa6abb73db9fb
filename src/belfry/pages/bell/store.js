// What is in the inbox, as far as this page knows it: items, the badge, and what was asked for but is not yet so.
//
// The server's state changes only by its own words - a page of the list, an event - and what the user wants lies over
// it as wishes. So a failed request needs no repair, and the badge is the server's number and the wishes' difference.

/** The lists people look at: how to ask for each, and what belongs in it. */
export const VIEWS = {
  all: { query: {}, holds: () => true },
  unread: { query: { state: "unread" }, holds: (item) => item.state === "unread" },
  broadcasts: { query: { type: "broadcast" }, holds: (item) => item.type === "broadcast" },
};

const MANY = 500; // items kept while nobody looks

/** The order of lists: newest first, by when an item came to the inbox. */
function compare(a, b) {
  return arrival(b) - arrival(a) || b.id - a.id;
}

const arrival = (item) => Date.parse(item.created_at);

/** Dispatches `change` (once for whatever happens together) and `arrival` with the item as `detail`. */
export class Store extends EventTarget {
  #items = new Map();
  #wishes = new Map(); // id -> {state, of}: what the user wants, and the request that says so
  #views = new Map();
  #since = null; // what arrived before is no news, even if it comes as a whole because it was marked
  #heard = new Map(); // id -> state, of all that came by events
  #watched = false; // somebody looks at a view
  #loading = new Set(); // of each page on its way, the events that came meanwhile
  #count = null;
  #changed = false;

  /** Unread, as it will be when all wishes have come true; null as long as nobody has said. */
  get count() {
    let count = this.#count;
    if (count === null) return null;
    for (const [id, { state }] of this.#wishes) {
      const item = this.#items.get(id);
      if (item && !item.lone) count += (state === "unread") - (item.state === "unread");
    }
    return Math.max(0, count);
  }

  /** An item as the user sees it, or undefined: deleted, or never loaded. */
  get(id) {
    const item = this.#items.get(id);
    const wish = item && this.#wishes.get(id);
    if (!wish || wish.state === item.state) return item;
    if (wish.state === "deleted") return undefined;
    if (wish.over !== item) Object.assign(wish, { over: item, seen: { ...item, state: wish.state } });
    return wish.seen; // the same object until something changes
  }

  /** As `get(id).state`, also of an item that came while we listened and is not kept any more. */
  stateOf(id) {
    return this.#wishes.get(id)?.state ?? this.#heard.get(id);
  }

  /** All items known, newest first; but for a `lone` one, which was asked for by itself and may be in no list. */
  get items() {
    const items = [...this.#items.values()].sort(compare);
    return items.map((item) => this.get(item.id)).filter((item) => item && !item.lone);
  }

  /**
   * A view - one of VIEWS by its name, or another like them: `items` down to where it is loaded, its `status`, and
   * whether there is `more`.
   */
  view(which) {
    this.#watched = true;
    const { status, last, cursor, holds } = this.#loaded(which);
    const shown = (item) => holds(item) && (!cursor || compare(item, last) <= 0);
    const items = status === "unloaded" ? [] : this.items.filter(shown);
    return { items, status, more: status === "unloaded" || cursor !== null };
  }

  /**
   * Load the first or the next page of a view. If we began anew meanwhile, it has to say that it `holds`. Errors are the
   * caller's to tell; the view is then "failed".
   */
  async load(which, api) {
    const what = VIEWS[which] ?? which;
    const view = this.#loaded(what);
    if (view.status === "loading" || (view.status === "loaded" && view.cursor === null)) return;
    const meanwhile = [];
    this.#loading.add(meanwhile);
    view.status = "loading";
    this.#change();
    try {
      const page = await api.list({ page_size: 20, ...view.query, cursor: view.cursor });
      if (this.#views.get(what) !== view) return; // it was forgotten meanwhile
      if (view.void && !page.holds) return void this.#views.delete(what);
      for (const item of page.items) this.#applyToItems({ name: "notification", data: item });
      Object.assign(view, { status: "loaded", last: page.items.at(-1) ?? null, cursor: page.next_cursor });
      // The page may have been read before what came meanwhile; an event applied once more does no harm.
      for (const event of meanwhile) this.#applyToItems(event);
    } catch (error) {
      view.status = "failed";
      throw error;
    } finally {
      this.#loading.delete(meanwhile);
      this.#change();
    }
  }

  /** Start over, at a moment: nothing that was loaded holds. */
  begin(unread, moment) {
    this.#since = moment;
    this.#count = unread;
    this.#items.clear();
    this.#drop((wish) => wish.of.made);
    for (const [what, view] of this.#views) {
      view.void = true; // but for a first page that is on its way, and may be of this moment
      if (view.status !== "loading" || view.last) this.#views.delete(what);
    }
    this.#change();
  }

  /** Forget everything: somebody else is here, or nobody. */
  clear() {
    this.begin(null);
    this.#views.clear();
    this.#wishes.clear();
    this.#heard.clear();
  }

  /** What could not be loaded may be tried again. */
  recover() {
    for (const view of this.#views.values()) {
      if (view.status === "failed") view.status = view.last ? "loaded" : "unloaded";
    }
    this.#change();
  }

  /** Nobody will look at this view again. */
  forget(view) {
    this.#views.delete(view);
  }

  /** Nobody looks: until somebody does, only the newest items are kept, of what is there and what comes. */
  trim() {
    this.#watched = false;
    this.#cut();
  }

  #cut() {
    if (this.#watched || this.#items.size <= MANY) return;
    for (const { id } of [...this.#items.values()].sort(compare).slice(MANY)) this.#items.delete(id);
    this.#views.clear();
  }

  /** The events of one change. `exact`: totals are of the moment we are at. */
  apply(events, { exact }) {
    const arrived = [];
    for (const { name, data } of events) {
      if (name === "count") {
        if (!data.total) this.#count += data.count;
        else if (exact) this.#count = data.count;
        continue;
      }
      if (name === "notification" && !this.#heard.has(data.id)) {
        this.#heard.set(data.id, data.state);
        if (data.state === "unread" && !(arrival(data) < this.#since)) arrived.push(data);
      }
      this.#applyToItems({ name, data });
      for (const meanwhile of this.#loading) meanwhile.push({ name, data });
    }
    this.#cut();
    this.#change();
    for (const item of arrived) this.dispatchEvent(new CustomEvent("arrival", { detail: item }));
  }

  /** Show items as "read", "unread" or "deleted" before they are; `of` is the request for it, `made` once it was. */
  wish(ids, state, of) {
    for (const id of ids) this.#wishes.set(id, { state, of });
    this.#change();
  }

  /** A request will not be made, or failed: show what is. */
  withdraw(of) {
    this.#drop((wish) => wish.of === of);
    this.#change();
  }

  #applyToItems({ name, data }) {
    if (name === "notification") {
      if (!data.lone || !this.#items.has(data.id)) this.#items.set(data.id, data);
      this.#cameTrue(data.id, data.state);
      return;
    }
    const ids = data.ids ?? this.#through(data.through);
    for (const id of ids) {
      const item = this.#items.get(id);
      if (data.state === "deleted") this.#items.delete(id);
      else if (item && item.state !== data.state) this.#items.set(id, { ...item, state: data.state });
      this.#cameTrue(id, data.state);
    }
    // "Through" is the server's to interpret: what it did not mark was not below.
    if (data.through) this.#drop((wish) => wish.of.through && wish.state === data.state);
  }

  /** The items at and below one. One that is not loaded is older than all that are, or nearly: its id tells. */
  #through(id) {
    const top = this.#items.get(id);
    const below = (item) => (top ? compare(top, item) <= 0 : item.id <= id);
    return [...this.#items.values()].filter(below).map((item) => item.id);
  }

  #cameTrue(id, state) {
    if (this.#heard.has(id)) this.#heard.set(id, state);
    const wish = this.#wishes.get(id);
    if (wish && (wish.state === state || state === "deleted" || wish.of.made)) this.#wishes.delete(id);
  }

  #drop(isOver) {
    for (const [id, wish] of this.#wishes) if (isOver(wish)) this.#wishes.delete(id);
  }

  /** A view as far as it is loaded: down to `last`, and after that there is what `cursor` leads to. */
  #loaded(which) {
    const what = VIEWS[which] ?? which;
    if (!this.#views.has(what)) this.#views.set(what, { ...what, status: "unloaded", last: null, cursor: null });
    return this.#views.get(what);
  }

  #change() {
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      this.dispatchEvent(new Event("change"));
    });
  }
}
