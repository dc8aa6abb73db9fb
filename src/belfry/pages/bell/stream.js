// One stream that comes back: from where it was, with a new ticket, later each time it fails.

import { Failure, backoff, pause } from "./api.js";

const PASSING = ["desktop", "queue", "progress"]; // stored nowhere, without a position
const NAMES = ["open", "notification", "state", "count", "reset", "reconnect", ...PASSING];
const SLOW_TO_OPEN = 20_000; // milliseconds without an answer
const STEADY = 10_000; // what stayed open for so long did not fail

/**
 * Puts the events of one change number together: only the last of them carries the id, and half a change is none.
 *
 * What it tells: `opened {at, unread, resumed}`, `group {after, at, events, replayed}`, `reset {at, unread}`, and
 * `passing {name, data}` for what is stored nowhere.
 */
export class Groups {
  #events = [];
  #replaying = false;

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
      this.#replaying = name === "open" && data.replayed > 0;
      const kind = name === "open" ? "opened" : "reset";
      this.tell({ kind, at: id, unread: data.unread, resumed: data.resumed });
    } else if (PASSING.includes(name)) {
      this.tell({ kind: "passing", name, data });
    } else {
      this.#events.push({ name, data });
      if (!complete) return;
      this.at = id;
      this.tell({ kind: "group", after, at: id, events: this.#events.splice(0), replayed: this.#replaying });
      if (name === "count") this.#replaying = false; // it is what a replay ends with
    }
  }
}

/**
 * Keep a stream open from a position on, until the signal is given. It tells what `Groups` does, and
 * `status {status}`: "live", "offline" (it tries again) or "signed-out" (it tries again, now and then); and `stranger`,
 * and ends, when the login turns out to be somebody else's.
 */
export async function keepOpen(api, user, position, tell, signal) {
  let at = position;
  let failures = 0;
  while (!signal.aborted) {
    let wait;
    try {
      // EventSource does not say why it was refused, and would follow whoever is logged in by now: ask first
      if ((await api.me()).id !== user) return tell({ kind: "stranger" });
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
