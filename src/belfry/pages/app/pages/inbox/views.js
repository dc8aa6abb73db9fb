// Which part of the inbox is looked at: its state, its kind, and words that titles contain. It stands in the address.

const PAGE = 50;

export const STATES = ["all", "unread", "read"];
export const TYPES = ["all", "personal", "broadcast"];

/** What an address asks for; what it cannot be is "all". */
export function filterOf(query) {
  const one = (name, values) => (values.includes(query.get(name)) ? query.get(name) : "all");
  return { state: one("state", STATES), type: one("type", TYPES), q: (query.get("q") ?? "").slice(0, 255) };
}

/** The address of the list, or of one item, with this filter. */
export function addressOf({ state, type, q }, id = null) {
  const query = new URLSearchParams();
  if (state !== "all") query.set("state", state);
  if (type !== "all") query.set("type", type);
  if (q.trim()) query.set("q", q);
  return `${id === null ? "/" : `/n/${id}`}${query.size ? `?${query}` : ""}`;
}

/**
 * A view of the store (bell/store.js). What changed its state while it was looked at stays - as its id is in `stays` -
 * until the filter changes: rows do not go from under a reader's hand.
 */
export function viewOf({ state, type, q }) {
  const sought = q.trim();
  const folded = sought.toLowerCase();
  const stays = new Set();
  return {
    stays,
    query: { page_size: PAGE, state, type, q: sought || null },
    holds: (item) =>
      (state === "all" || item.state === state || stays.has(item.id)) &&
      (type === "all" || item.type === type) &&
      (!folded || item.title.toLowerCase().includes(folded)),
  };
}

/**
 * The API for the store: a search looks through a piece of the inbox at a time, and may find nothing in it. We go on
 * until something is found, or the end is.
 */
export function searching(api, signal) {
  return {
    async list(query) {
      let page = await api.list(query);
      const { holds } = page;
      while (!page.items.length && page.next_cursor && !signal.aborted) {
        page = await api.list({ ...query, cursor: page.next_cursor });
      }
      return { ...page, holds, next_cursor: page.items.length ? page.next_cursor : null };
    },
  };
}
