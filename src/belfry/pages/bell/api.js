// Belfry's HTTP API, as far as an inbox needs it.

/** What was asked for did not come about. `status` is HTTP's, if there was an answer; `errors` are `{field, message}`. */
export class Failure extends Error {
  constructor(detail, status, errors) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** Belfry said no. 401 means that nobody is logged in. */
export class Refused extends Failure {}

/** Belfry could not be reached, or asked us to come back later: trying again is right. */
export class Away extends Failure {}

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 30_000;

/** How long to wait after so many failures: twice as long each time, and never the same for everybody. */
export function backoff(failures) {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** Resolves after some milliseconds; before that when the network or the reader is back, or the signal is given. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

export class Api {
  #asked = null; // the token, or the promise of it

  /**
   * @param {string} base where Belfry is, ending in a slash
   * @param {null | ((refused?: string) => string | Promise<string>)} token gives a bearer token, and another one when
   *   it is told that one was refused. Without it, requests are made with the session cookie.
   */
  constructor(base, token = null) {
    this.base = base;
    this.token = token;
  }

  async me() {
    return (await this.ask("v1/me")).json();
  }

  /** A page of the inbox, newest first: `{items, unread, next_cursor}`. */
  async list(query) {
    const given = Object.entries(query).filter(([, value]) => value != null);
    return (await this.ask(`v1/notifications?${new URLSearchParams(given)}`)).json();
  }

  /** Mark `{ids}` or `{through}`: how is "read", "unread" or "delete". It is sent even if the page goes away. */
  async mark(how, which) {
    await this.ask(`v1/notifications/${how}`, { method: "POST", body: JSON.stringify(which), keepalive: true });
  }

  /** What came after a position, as `{event, id, data}`; without a position only where the inbox stands. */
  async missed(position) {
    const query = new URLSearchParams({ poll: 1, format: "ndjson", ...(position && { last_event_id: position }) });
    const lines = await (await this.ask(`v1/stream?${query}`)).text();
    return lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Where to open a stream from a position. EventSource sends no header: in place of a token it shows a ticket. */
  async streamUrl(position) {
    const url = new URL("v1/stream", this.base);
    if (position) url.searchParams.set("last_event_id", position);
    if (this.token) {
      const { ticket } = await (await this.ask("v1/stream/tickets", { method: "POST" })).json();
      url.searchParams.set("ticket", ticket);
    }
    return url;
  }

  /** The answer to a request. Throws `Failure`. */
  async ask(path, request = {}) {
    let refused;
    for (;;) {
      const token = this.token && (await this.#bearer(refused));
      const answer = await this.#fetch(path, request, token);
      if (answer.ok) return answer;
      if (answer.status === 401 && token && token !== refused) {
        refused = token;
        continue;
      }
      const problem = await answer.json().catch(() => ({})); // a proxy's error page is no problem document
      const detail = problem.detail ?? `${answer.status} ${answer.statusText}`;
      const Kind = answer.status >= 500 || answer.status === 429 ? Away : Refused;
      throw new Kind(detail, answer.status, problem.errors);
    }
  }

  async #fetch(path, request, token) {
    const headers = {
      ...request.headers,
      ...(request.body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const credentials = token ? "omit" : "same-origin";
    try {
      return await fetch(new URL(path, this.base), { ...request, headers, credentials, cache: "no-store" });
    } catch (error) {
      throw new Away(error.message);
    }
  }

  /** The token in use; several requests refused at once ask for another one once. */
  async #bearer(refused) {
    try {
      if (refused !== undefined && (await this.#asked) === refused) this.#asked = null;
      this.#asked ??= Promise.resolve(this.token(refused));
      const token = await this.#asked;
      if (!token || token === refused) throw new Refused("There is no valid token.", 401);
      return token;
    } catch (error) {
      this.#asked = null;
      throw error instanceof Refused ? error : new Away(`The token could not be had: ${error}`);
    }
  }
}
