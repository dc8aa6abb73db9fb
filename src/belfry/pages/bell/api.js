// Belfry's HTTP API, as far as an inbox needs it: requests, and one stream that comes back.

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

/** Do what fails where Belfry is not reached: no answer, half of one, or the page of a proxy in place of ours. */
async function reached(work) {
  try {
    return await work();
  } catch (error) {
    throw new Away(error.message);
  }
}

export class Api {
  #asked = null; // the token, or the promise of it
  heard = null; // the moment of the latest answer, by the server's clock
  fetch = (url, request) => fetch(url, request); // the application has some answers already

  /**
   * @param {string} base where Belfry is, ending in a slash
   * @param {null | ((refused?: string) => string | Promise<string>)} token gives a bearer token, and another one when
   *   it is told that one was refused. Without it, requests are made with the session cookie.
   */
  constructor(base, token = null) {
    this.base = base;
    this.token = token;
  }

  me() {
    return this.ask("v1/me");
  }

  /** A page of the inbox, newest first: `{items, unread, next_cursor}`. */
  list(query) {
    const given = Object.entries(query).filter(([, value]) => value != null);
    return this.ask(`v1/notifications?${new URLSearchParams(given)}`);
  }

  /** Mark `{ids}` or `{through}`: how is "read", "unread" or "delete". It is sent even if the page goes away. */
  mark(how, which) {
    return this.ask(`v1/notifications/${how}`, { method: "POST", body: JSON.stringify(which), keepalive: true });
  }

  /** What came after a position, as `{event, id, data}`; without a position only where the inbox stands. */
  missed(position) {
    const query = new URLSearchParams({ poll: 1, format: "ndjson", ...(position && { last_event_id: position }) });
    const read = (lines) => lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    return this.ask(`v1/stream?${query}`, {}, read);
  }

  /** Where to open a stream from a position. EventSource sends no header: in place of a token it shows a ticket. */
  async streamUrl(position) {
    const url = new URL("v1/stream", this.base);
    if (position) url.searchParams.set("last_event_id", position);
    if (this.token) {
      const { ticket } = await this.ask("v1/stream/tickets", { method: "POST" });
      url.searchParams.set("ticket", ticket);
    }
    return url;
  }

  /** What a request answers: its JSON, null if it is empty, or what `read` makes of the text. Throws `Failure`. */
  async ask(path, request = {}, read = (text) => (text ? JSON.parse(text) : null)) {
    let refused;
    for (;;) {
      const token = this.token && (await this.#bearer(refused));
      const answer = await this.#fetch(path, request, token);
      if (answer.ok) {
        this.heard = Date.parse(answer.headers.get("date"));
        return reached(async () => read(await answer.text()));
      }
      if (answer.status === 401 && token && token !== refused) {
        refused = token;
        continue;
      }
      const problem = await answer.json().catch(() => null); // a proxy's error page is no problem document
      const detail = problem?.detail ?? `${answer.status} ${answer.statusText}`;
      const Kind = answer.status >= 500 || answer.status === 429 ? Away : Refused;
      throw new Kind(detail, answer.status, problem?.errors);
    }
  }

  async #fetch(path, request, token) {
    const headers = {
      ...request.headers,
      ...(request.body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const credentials = token ? "omit" : "same-origin";
    return reached(() => this.fetch(new URL(path, this.base), { ...request, headers, credentials, cache: "no-store" }));
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

// The stream: it comes back from where it was, with a new ticket, later each time it fails

const PASSING = ["desktop", "queue", "progress"]; // stored nowhere, without a position
const NAMES = ["open", "notification", "state", "count", "reset", "reconnect", ...PASSING];
const SLOW_TO_OPEN = 20_000; // milliseconds without an answer
const STEADY = 10_000; // what stayed open for so long did not fail

/**
 * Puts the events of one change number together: only the last of them carries the id, and half a change is none.
 *
 * What it tells: `opened {at, unread, resumed}`, `group {after, at, events}`, `reset {at, unread}`, and
 * `passing {name, data}` for what is stored nowhere.
 */
export class Groups {
  #events = [];

  constructor(at, tell) {
    this.at = at;
    this.tell = tell;
  }

  /** Take an event and the last id there was, which is the event's own if it is a new one. */
  take(name, data, id) {
    const after = this.at;
    const complete = id !== after || name === "count";
    if (name === "open" || name === "reset") {
      this.at = id;
      this.#events = [];
      const kind = name === "open" ? "opened" : "reset";
      this.tell({ kind, at: id, unread: data.unread, resumed: data.resumed });
    } else if (PASSING.includes(name)) {
      this.tell({ kind: "passing", name, data });
    } else {
      this.#events.push({ name, data });
      if (!complete) return;
      this.at = id;
      this.tell({ kind: "group", after, at: id, events: this.#events.splice(0) });
    }
  }
}

/**
 * Keep a stream open from a position on, until the signal is given. It tells what `Groups` does, and
 * `status {status}`: "live", "offline" (it tries again) or "signed-out" (it tries again, now and then); `me {me}` whenever
 * it has asked whose it is, unless that was `asked` just now; and `stranger`, and ends, when the login turns out to be
 * somebody else's.
 */
export async function keepOpen(api, { user, asked, position, tell, signal }) {
  let at = position;
  let failures = 0;
  while (!signal.aborted) {
    let wait;
    try {
      // EventSource does not say why it was refused, and would follow whoever is logged in by now: ask first
      if (!asked) {
        const me = await api.me();
        if (me.id !== user) return tell({ kind: "stranger" });
        tell({ kind: "me", me });
      }
      asked = false;
      const url = await api.streamUrl(at);
      const begun = performance.now();
      ({ at, wait } = await listen(url, at, tell, signal));
      if (performance.now() - begun > STEADY) failures = 0;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      tell({ kind: "status", status: error.status === 401 ? "signed-out" : "offline" });
    }
    if (!signal.aborted) await pause(wait ?? backoff(failures++), signal);
  }
}

/** One EventSource from its opening to its end: where it got to, and after how long the server wants us back. */
function listen(url, position, tell, signal) {
  if (signal.aborted) return { at: position };
  return new Promise((resolve) => {
    const groups = new Groups(position, tell);
    const source = new EventSource(url);
    const end = (wait) => {
      clearTimeout(slow);
      source.close();
      removeEventListener("online", lost);
      removeEventListener("offline", lost);
      signal.removeEventListener("abort", lost);
      if (!signal.aborted) tell({ kind: "status", status: "offline" });
      resolve({ at: groups.at, wait });
    };
    const lost = () => end();
    const slow = setTimeout(lost, SLOW_TO_OPEN);
    source.onerror = lost; // it would come back by itself from some errors, and with a ticket that is used up
    addEventListener("online", lost); // another network: the old connection is dead, and does not know it
    addEventListener("offline", lost);
    signal.addEventListener("abort", lost);
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        if (!(event instanceof MessageEvent)) return; // the browser has an `open` of its own
        const data = JSON.parse(event.data);
        if (name === "reconnect") return end(data.after_ms);
        groups.take(name, data, event.lastEventId);
        if (name === "open") {
          clearTimeout(slow);
          tell({ kind: "status", status: "live" });
        }
      });
    }
  });
}
