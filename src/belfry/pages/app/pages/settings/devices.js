// Where one is signed in, and ending it.

import { Failure } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { said } from "../../ui/form.js";
import { proven } from "../../ui/proven.js";
import { since } from "../../ui/time.js";
import { card } from "./card.js";

const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["Firefox", "Firefox"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
];
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
];

export function devices(app, words) {
  const list = h("ul", { role: "list", class: "devices" });
  const load = async () => {
    try {
      const logins = await app.api.get("v1/sessions");
      list.replaceChildren(...logins.map((login) => device(app, words, login, load)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      list.replaceChildren(h("li", { class: "problem" }, said(error, app)));
    }
  };
  const endAll = async () => {
    if (!(await app.confirm({ title: words.endAll, text: words.endAllText, yes: words.endAll, danger: true }))) return;
    if (await proven(app, () => app.api.delete("v1/sessions"))) app.refresh("/");
  };
  load();
  const all = h("button", { class: "button is-danger", onclick: endAll }, words.endAll);
  return card(words.devices, null, list, all);
}

function device(app, words, login, load) {
  const name = nameOf(login.user_agent, words);
  const end = async () => {
    if (!(await proven(app, () => app.api.delete(`v1/sessions/${login.id}`)))) return;
    app.toast(words.ended);
    await load();
  };
  const ending = h("button", { class: "button", "aria-label": words.endOf(name), onclick: end }, words.end);
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("p", {}, h("bdi", { title: visible(login.user_agent) }, name)),
      h("p", { class: "soft small" }, words.seen, " ", since(login.last_seen_at, app)),
    ),
    login.current ? h("span", { class: "tag is-good" }, words.here) : ending,
  );
}

/** What a user agent is, as people would say; programs by their first word. */
function nameOf(agent, words) {
  const found = (list) => list.find(([mark]) => agent.includes(mark))?.[1];
  const [browser, system] = [found(BROWSERS), found(SYSTEMS)];
  if (browser && system) return words.on(browser, system);
  return visible(agent).split(/[\s/]/)[0] || words.unknownDevice;
}
