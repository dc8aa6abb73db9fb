// Moments, as people say them.

import { h, set, write } from "../../bell/dom.js";
import { ago, inFull, wordsOf } from "../../bell/words.js";

const TICK = 30_000; // milliseconds

/** A `<time>`: how long ago a moment was (ISO 8601), and in full when pointed at. It goes on by itself. */
export function since(moment, app) {
  const element = h("time", { datetime: moment, "data-since": true });
  set(element, "title", full(moment, app));
  element.belfryWords = wordsOf(app.lang);
  write(element, ago(new Date(moment), element.belfryWords));
  return element;
}

/** A moment in full. */
export function full(moment, app) {
  return inFull(new Date(moment), wordsOf(app.lang));
}

setInterval(() => {
  for (const element of document.querySelectorAll("time[data-since]")) {
    write(element, ago(new Date(element.dateTime), element.belfryWords));
  }
}, TICK);
