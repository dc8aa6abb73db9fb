// Dialogs: the browser's own, so focus stays inside, Escape closes them, and it comes back to where it was.

import { h } from "../../bell/dom.js";
import { WORDS } from "../frame.words.js";

let made = 0;

/** Show a dialog with this title and content; it is gone once it is closed. Close it with `close(value)`. */
export function dialog(title, ...content) {
  const heading = h("h2", { id: `dialog-${++made}` }, title); // one may be asked for by another
  const element = h("dialog", { class: "dialog", "aria-labelledby": heading.id }, heading, ...content);
  document.body.append(element);
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => event.target === element && element.close()); // its backdrop
  element.showModal();
  return element;
}

/** Resolves to whether the reader says yes. `danger`: it cannot be undone. */
export function confirm(app, { title, text, yes, danger = false }) {
  const words = app.words(WORDS);
  return new Promise((resolve) => {
    const shown = dialog(
      title,
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { class: danger ? "button is-danger" : "button is-main", onclick: () => shown.close("yes") }, yes),
        h("button", { class: "button", autofocus: danger, onclick: () => shown.close() }, words.cancel),
      ),
    );
    shown.addEventListener("close", () => resolve(shown.returnValue === "yes"));
  });
}
