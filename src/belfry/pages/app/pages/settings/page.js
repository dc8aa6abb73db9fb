// What one may change about oneself, a card a matter.

import { h } from "../../../bell/dom.js";
import { address } from "./address.js";
import { devices } from "./devices.js";
import { leaving } from "./leaving.js";
import { looks } from "./looks.js";
import { password } from "./password.js";
import { profile } from "./profile.js";
import { WORDS } from "./words.js";

export const css = new URL("settings.css", import.meta.url);

export function open({ app }) {
  const words = app.words(WORDS);
  const cards = [profile, looks, address, password, devices, leaving].map((card) => card(app, words));
  return {
    element: h("div", { class: "page settings" }, h("h1", { class: "heading", tabindex: -1 }, words.title), ...cards),
    title: words.title,
  };
}
