// What pages ask of Belfry's HTTP API, as whoever is signed in. All of it throws `Refused` and `Away` (bell/api.js),
// worded in the language of the page.

/** A path with what stands after the question mark; null and undefined are left out. */
function at(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value != null);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export class Requests {
  #api;

  constructor(api) {
    this.#api = api;
  }

  /** For example `get("v1/broadcasts", { cursor })`. */
  get(path, query) {
    return this.#ask("GET", at(path, query));
  }

  /** `key` is an Idempotency-Key: one for what a reader wants once, however often it is tried. */
  post(path, body, { key } = {}) {
    return this.#ask("POST", path, body, key && { "idempotency-key": key });
  }

  patch(path, body) {
    return this.#ask("PATCH", path, body);
  }

  put(path, body) {
    return this.#ask("PUT", path, body);
  }

  delete(path, body) {
    return this.#ask("DELETE", path, body);
  }

  #ask(method, path, body, more) {
    const headers = { "accept-language": document.documentElement.lang, ...more };
    return this.#api.ask(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }
}
