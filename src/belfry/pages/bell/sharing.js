// One connection a browser: the tabs elect one that holds the stream, and it tells the others what it hears.
//
// Each tab knows its own position, so it does not matter who told it: what it has seen is dropped, what it finds it has
// missed is fetched. A tab that takes over opens the stream at the position it stands at itself.

import { Failure, Groups, backoff, keepOpen, pause } from "./api.js";

// Positions are "41.7": change 41 of the inbox and broadcast 7. Neither ever goes back.

const numbers = (position) => position.split(".").map(Number);

/** Whether somebody who stands at `position` has been told all that stands at `other`. */
function covers(position, other) {
  const [inbox, broadcasts] = numbers(position);
  const [otherInbox, otherBroadcasts] = numbers(other);
  return inbox >= otherInbox && broadcasts >= otherBroadcasts;
}

/** Where somebody stands who has been told both. */
function further(position, other) {
  const [inbox, broadcasts] = numbers(position);
  const [otherInbox, otherBroadcasts] = numbers(other);
  return `${Math.max(inbox, otherInbox)}.${Math.max(broadcasts, otherBroadcasts)}`;
}

const ASK_EVERY = 20_000; // milliseconds
const ASLEEP = 3_000; // a tab that does not answer for so long is frozen by the browser, lock and all

export class Sharing {
  #api;
  #user;
  #name;
  #tell;
  #at;
  #begun = "0.0";
  #target = null; // a position that others have reached
  #fetching = false;
  #asked = true; // whose it is, just now
  #status = "offline";
  #over = new AbortController(); // stopped for good
  #candidacy = new AbortController(); // waiting for the lock
  #leadership = null; // holding it
  #stealing = false;
  #channel = null;
  #asleep = null;
  #asking = null;

  /**
   * Tells `begin {unread}` (a new position: what was loaded is void), `events {events, exact}` once for each change in
   * order (without `exact`, totals in it are of another moment), `passing {name, data}` ("desktop" only in the tab that
   * holds the stream), `status {status}`, `me {me}` (what is known of the user by now), and `stranger`.
   */
  constructor({ api, user, at, tell }) {
    this.#api = api;
    this.#user = user;
    this.#at = at;
    this.#tell = tell;
    this.#name = `belfry ${api.base} ${user}`;
  }

  /** The position this tab stands at; null before it knows one. */
  get at() {
    return this.#at;
  }

  /** Whether this tab holds the stream. */
  get leading() {
    return this.#leadership !== null;
  }

  /** A page of the list was read, at a position. Returns whether we begin there, or have told all that came since. */
  found({ position, unread }) {
    if (!position) return false; // by an older Belfry
    if (this.#at === null) this.#begin({ at: position, unread });
    return covers(position, this.#begun);
  }

  start() {
    if (!globalThis.BroadcastChannel || !navigator.locks) return this.#lead(); // plain http: each tab for itself
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    this.#asking = setInterval(this.#ask, ASK_EVERY);
    document.addEventListener("visibilitychange", this.#ask);
    this.#stand();
  }

  /** Tell the other tabs what is known of the user by now. */
  introduce(me) {
    this.#channel?.postMessage({ kind: "me", me });
  }

  stop() {
    this.#over.abort();
    this.#candidacy.abort();
    this.#leadership?.abort();
    clearInterval(this.#asking);
    clearTimeout(this.#asleep);
    document.removeEventListener("visibilitychange", this.#ask);
    this.#channel?.close();
    this.#channel = null;
  }

  // The election

  async #stand() {
    let options = { ifAvailable: true };
    while (!this.#over.signal.aborted) {
      try {
        await navigator.locks.request(this.#name, options, (lock) => lock && this.#lead());
      } catch (error) {
        if (error.name === "SecurityError") return this.#lead(); // a frame without an origin: for itself, too
        if (error.name !== "AbortError") throw error;
        this.#leadership?.abort(); // another tab took us for asleep
        this.#leadership = null;
      }
      if (options.ifAvailable) this.#follow();
      this.#candidacy = new AbortController();
      options = this.#stealing ? { steal: true } : { signal: this.#candidacy.signal };
      this.#stealing = false;
    }
  }

  async #lead() {
    const leadership = new AbortController();
    this.#leadership = leadership;
    this.#stealing = false;
    this.#answered();
    const tell = (message) => this.#broadcast(message);
    const { signal } = leadership;
    try {
      await keepOpen(this.#api, { user: this.#user, asked: this.#asked, position: this.#at, tell, signal });
    } finally {
      if (this.#leadership === leadership) this.#leadership = null;
    }
  }

  #follow() {
    this.#asked = false;
    if (this.#over.signal.aborted) return;
    if (this.#at === null) this.#fetch();
    this.#ask();
  }

  #ask = () => {
    if (this.leading || this.#asleep) return;
    this.#channel.postMessage({ kind: "ask" });
    if (document.hidden) return; // only a tab that somebody looks at is worth a theft
    this.#asleep = setTimeout(() => {
      this.#asleep = null;
      this.#stealing = true;
      this.#candidacy.abort();
    }, ASLEEP);
  };

  #answered() {
    clearTimeout(this.#asleep);
    this.#asleep = null;
  }

  // What is heard

  #broadcast(message) {
    if (message.kind === "status") this.#status = message.status;
    if (message.name !== "desktop") this.#channel?.postMessage(message);
    this.#take(message);
  }

  #heard(message) {
    if (message.kind === "me") {
      this.#tell(message); // whichever tab learnt it
    } else if (message.kind === "ask") {
      if (this.leading) this.#channel.postMessage({ kind: "here", at: this.#at, status: this.#status });
    } else if (!this.leading) {
      this.#answered();
      this.#take(message);
    }
  }

  #take(message) {
    switch (message.kind) {
      case "opened":
        if (this.#at === null) this.#begin(message);
        else if (!message.resumed) this.#fetch(message.at);
        break;
      case "reset":
        this.#begin(message);
        break;
      case "group":
        this.#group(message);
        break;
      case "here":
        this.#tell({ kind: "status", status: message.status });
        if (message.at) this.#fetch(message.at);
        break;
      default:
        this.#tell(message);
    }
  }

  #begin({ at, unread }) {
    this.#at = this.#begun = at;
    this.#tell({ kind: "begin", unread });
  }

  #group({ after, at, events }) {
    if (this.#at === null || !covers(this.#at, after)) return void this.#fetch(at);
    const known = covers(this.#at, at);
    if (known && at !== this.#at) return;
    this.#at = further(this.#at, at);
    // A tab that is ahead of the one it listens to has seen these, but for the total at the position it is at.
    const exact = this.#at === at;
    const news = known ? events.filter(({ name, data }) => name === "count" && data.total) : events;
    if (news.length) this.#tell({ kind: "events", events: news, exact });
  }

  /** Ask the server for what came after our position, until we are where somebody else is. */
  async #fetch(target = null) {
    if (target) this.#target = this.#target ? further(this.#target, target) : target;
    if (this.#fetching) return;
    this.#fetching = true;
    const { signal } = this.#over;
    const behind = () => this.#at === null || (this.#target && !covers(this.#at, this.#target));
    let failures = 0;
    try {
      while (!signal.aborted && behind()) {
        const before = this.#at;
        await this.#fetchFrom(before);
        if (this.#at === before) await pause(backoff(failures++), signal);
      }
    } finally {
      this.#fetching = false;
    }
  }

  async #fetchFrom(position) {
    try {
      const missed = await this.#api.missed(position);
      if (this.#over.signal.aborted) return;
      const groups = new Groups(position, (message) => this.#take(message));
      for (const { event, id, data } of missed) groups.take(event, data, id ?? groups.at);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
}
