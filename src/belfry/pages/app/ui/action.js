// Buttons that ask Belfry for something: once, however often they are pressed.

import { h, set } from "../../bell/dom.js";

/** `work` is not called again before it is done; what it throws of the API's is shown as a toast. */
export function action(label, work, { kind = "button", ...attributes } = {}) {
  const onclick = async () => {
    if (button.getAttribute("aria-busy")) return;
    set(button, "aria-busy", "true");
    try {
      await work();
    } finally {
      set(button, "aria-busy", null);
    }
    // what can be done once only takes its button with it
    if (!button.isConnected && document.activeElement === document.body) document.querySelector("main h1")?.focus();
  };
  const button = h("button", { type: "button", class: kind, ...attributes, onclick }, ...[label].flat());
  return button;
}
