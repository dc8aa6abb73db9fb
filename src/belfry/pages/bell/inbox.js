// An inbox, live: what an application or an element uses. It knows nothing of how it is shown.

import { Api, Away, Failure, backoff, pause } from "./api.js";
import { Sharing } from "./sharing.js";
import { Store } from "./store.js";

const SHOWN_AS = { read: "read", unread: "unread", delete: "deleted" };

/**
 * Dispatches `change` when something is to be shown anew, `arrival` with an item as `detail`, `desktop` with the alert
 * in the one tab that is to show it, `progress` and `queue` with what the stream says of them, and `failed` with the error when something asked for was refused.
 */
export class Inbox extends EventTarget {
  #sharing = null;
  #at = null; // where a page that was put away stood
  #running = null;
  #requests = []; // marks not yet made, in order
  #working = null;
  #removal = null; // a deletion that can still be undone

  constructor(base, token = null) {
    super();
    this.api = new Api(base, token);
    this.store = new Store();
    this.me = null; // whose it is
    this.status = "connecting";
    this.store.addEventListener("change", () => this.#change());
    this.store.addEventListener("arrival", ({ detail }) => this.#send("arrival", detail));
  }

  /** Whether this tab speaks for the whole browser. */
  get leading() {
    return this.#sharing?.leading ?? false;
  }

  get removal() {
    return this.#removal;
  }

  /** Find out who is here, and stay connected until `stop`. */
  async start() {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    for (let failures = 0; !running.signal.aborted; ) {
      try {
        const me = await this.api.me();
        if (!running.signal.aborted) this.#open(me);
        return;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (running.signal.aborted) return;
        this.#become(error.status === 401 ? "signed-out" : "offline");
        await pause(backoff(failures++), running.signal);
      }
    }
  }

  /** Let go of the connection, and say what is still to be said. A later `start` goes on from here. */
  stop() {
    this.commit();
    for (const request of this.#requests.splice(0)) this.#make(request);
    this.#running?.abort();
    this.#running = null;
    this.#at = this.#sharing?.at ?? this.#at;
    this.#sharing?.stop();
    this.#sharing = null;
  }

  /**
   * As `Api.list`. The first page there is says where the inbox stands: with it, nobody waits for the stream. `holds`
   * tells whether the page is of where we began, or of later.
   */
  async list(query) {
    const sharing = this.#sharing; // by the time it answers, somebody else may be here
    const page = await this.api.list(query);
    return { ...page, holds: sharing?.found(page) };
  }

  /** Load the first or the next page of a view. */
  async load(view) {
    try {
      await this.store.load(view, this);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  read(ids) {
    this.#request("read", ids);
  }

  unread(ids) {
    this.#request("unread", ids);
  }

  /** Mark everything read that has arrived by now, whether it is loaded or not. */
  async readAll() {
    // what is loaded of other views need not be the newest
    if (!this.store.view("all").items.length) await this.load("all");
    const { items, count } = this.store;
    if (!count || !items.length) return;
    const unread = items.filter((item) => item.state === "unread");
    this.#request("read", unread.map((item) => item.id), items[0].id);
  }

  /** Take items out. They can be brought back with `undo` until `commit`, or until others are removed. */
  remove(ids) {
    this.commit();
    const request = { how: "delete", which: { ids } };
    this.#removal = { ids, request };
    this.store.wish(ids, "deleted", request);
  }

  undo() {
    if (!this.#removal) return;
    this.store.withdraw(this.#removal.request);
    this.#removal = null;
  }

  commit() {
    if (!this.#removal) return;
    this.#requests.push(this.#removal.request);
    this.#removal = null;
    this.#change();
    this.settled();
  }

  #open(me) {
    if (me.id !== this.me?.id) {
      this.store.clear();
      this.#at = null;
    }
    this.me = me;
    // what an earlier one still has to say is of another time, and perhaps of another user
    const tell = (message) => sharing === this.#sharing && this.#hear(message);
    const sharing = new Sharing({ api: this.api, user: me.id, at: this.#at, tell });
    this.#sharing = sharing;
    sharing.start();
  }

  #hear(message) {
    switch (message.kind) {
      case "begin":
        this.store.begin(message.unread, this.api.heard);
        break;
      case "events":
        this.store.apply(message.events, message);
        break;
      case "passing":
        this.#send(message.name, message.data);
        break;
      case "me":
        this.me = message.me;
        this.#change();
        break;
      case "status":
        if (message.status === "signed-out") return this.startOver(message.status);
        this.#become(message.status);
        if (message.status !== "live") return;
        this.store.recover();
        this.settled();
        break;
      case "stranger":
        this.startOver();
    }
  }

  /** Whose it is has changed something about themselves: all tabs are to know. */
  became(me) {
    this.me = me;
    this.#sharing?.introduce(me);
    this.#change();
  }

  /** Nobody is here any more, or somebody else: nothing of what was is kept, asked for or shown. */
  startOver(status = "connecting") {
    this.#requests = [];
    this.#removal = null;
    this.stop();
    this.me = null;
    this.store.clear();
    this.#become(status);
    this.start();
  }

  // Marks are made one after the other, as they were asked for, and kept while Belfry is away

  #request(how, ids, through) {
    const request = { how, through, which: through ? { through } : { ids } };
    this.store.wish(ids, SHOWN_AS[how], request);
    this.#requests.push(request);
    this.settled();
  }

  /** Resolves when all that was asked for is settled. */
  settled() {
    return (this.#working ??= this.#work());
  }

  async #work() {
    await null; // so that the promise is known before it is forgotten
    for (let failures = 0; this.#requests.length; ) {
      const request = this.#requests[0];
      if (await this.#make(request)) {
        failures = 0;
        if (this.#requests[0] === request) this.#requests.shift(); // `stop` may have made it once more
      } else if (this.#running) {
        await pause(backoff(failures++), this.#running.signal);
      } else {
        break;
      }
    }
    this.#working = null;
  }

  /** Whether it is settled. */
  async #make(request) {
    try {
      await this.api.mark(request.how, request.which);
      request.made = true;
      return true;
    } catch (error) {
      if (error instanceof Away) return false;
      if (!(error instanceof Failure)) throw error;
      this.store.withdraw(request);
      this.#send("failed", error);
      return true;
    }
  }

  #become(status) {
    if (status === this.status) return;
    this.status = status;
    this.#change();
  }

  #change() {
    this.dispatchEvent(new Event("change"));
  }

  #send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
