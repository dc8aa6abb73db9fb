// How an e-mail stands, as a word with a colour.

import { h } from "../../bell/dom.js";
import { WORDS } from "./status.words.js";

const KINDS = { sent: "is-good", failed: "is-bad", uncertain: "is-warn", suppressed: "is-warn", expired: "is-warn", pending: "is-busy", processing: "is-busy" };

/** `state` is a `status` of the API's. */
export function status(state, app) {
  return h("span", { class: `tag ${KINDS[state] ?? ""}`, "data-status": state }, app.words(WORDS)[state]);
}

/** Whether it goes on by itself, soon. */
export function isBusy(state) {
  return state === "pending" || state === "processing";
}
