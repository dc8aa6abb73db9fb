// The keys of the inbox, and what says which there are.

import { h } from "../../../bell/dom.js";
import { dialog } from "../../ui/dialog.js";

/** Which keys do what; the names are those of the help and of the acts. */
const KEYS = [
  ["move", ["j", "k"], { j: "next", k: "previous", ArrowDown: "next", ArrowUp: "previous" }],
  ["open", ["Enter", "o"], { o: "open" }], // Enter is the browser's: the row is a link
  ["close", ["Esc"], { Escape: "close" }],
  ["remove", ["e"], { e: "remove", Delete: "remove" }],
  ["undo", ["z"], { z: "undo" }],
  ["unread", ["u"], { u: "mark" }],
  ["select", ["x"], { x: "select" }],
  ["readAll", ["Shift A"], { A: "readAll" }],
  ["search", ["/"], { "/": "search" }],
  ["help", ["?"], { "?": "help" }],
];
const ACTS = Object.assign({}, ...KEYS.map(([, , acts]) => acts));
const ROWS_ONLY = ["ArrowDown", "ArrowUp", "Delete"]; // elsewhere they are the browser's

/** Call `acts[name]()` for the keys of the page; `inList()`: whether the focus is in the list. */
export function listen(acts, { inList, signal }) {
  const onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    const key = named(event);
    if (target.matches("textarea, select, input:not([type='checkbox'])") && key !== "Escape") return;
    if (!Object.hasOwn(ACTS, key) || (ROWS_ONLY.includes(key) && !inList())) return;
    if (acts[ACTS[key]](event) !== false) event.preventDefault();
  };
  document.addEventListener("keydown", onkeydown, { signal });
}

/** Which key it is: for letters Shift says which, and not Caps Lock. */
function named({ key, shiftKey }) {
  if (key.length > 1) return key;
  return shiftKey ? key.toUpperCase() : key.toLowerCase();
}

/** Show which keys there are. */
export function help(words) {
  const rows = KEYS.flatMap(([name, keys]) => [
    h("dt", {}, ...keys.flatMap((key) => key.split(" ").map((each) => h("kbd", {}, each)))),
    h("dd", {}, words.help[name]),
  ]);
  const close = h("button", { class: "button", autofocus: true, onclick: () => shown.close() }, words.help.done);
  const shown = dialog(words.help.title, h("dl", { class: "keys" }, ...rows), h("div", { class: "actions" }, close));
}
