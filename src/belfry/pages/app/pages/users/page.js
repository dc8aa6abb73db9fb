// Who has an account, and what admins do about it.

import { h, visible } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { Listing } from "../../ui/listing.js";
import { proven } from "../../ui/proven.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";
import { invitations, invite } from "./invitations.js";
import { WORDS } from "./words.js";

export const css = new URL("../desk.css", import.meta.url);

const TYPED = 150; // milliseconds after a key before we search

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const asked = { q: null, role: null, state: null };
  const list = new Listing(app, { label: words.title, load: (query) => app.api.get("v1/users", { ...asked, ...query }), row: (user) => row(app, words, user, list), empty: words.empty });
  const open = invitations(app, words);
  let typing;
  const narrow = (change) => {
    Object.assign(asked, change);
    list.reset();
  };
  const typed = () => {
    clearTimeout(typing);
    typing = setTimeout(() => narrow({ q: search.value.trim() || null }), TYPED);
  };
  signal.addEventListener("abort", () => clearTimeout(typing));
  const search = h("input", { type: "search", class: "input", placeholder: words.search, "aria-label": words.search, maxlength: 100, autocomplete: "off", oninput: typed });
  const choice = (name, label, options) => {
    const control = h("select", { class: "input", "aria-label": label, onchange: () => narrow({ [name]: control.value || null }) }, ...options.map(([value, text]) => h("option", { value }, text)));
    return control;
  };
  const filters = h(
    "div",
    { class: "filtering" },
    search,
    choice("role", words.role, [["", words.anyRole], ...Object.entries(words.roles)]),
    choice("state", words.state, Object.entries(words.states)),
  );
  const heading = h("header", { class: "heading" }, h("h1", { tabindex: -1 }, words.title), h("button", { class: "button is-main", onclick: () => invite(app, words, open.refresh) }, words.invite));
  list.refresh();
  open.refresh();
  return { element: h("section", { class: "page desk" }, heading, open.element, filters, list.element), title: words.title };
}

function row(app, words, user, list) {
  const name = visible(user.display_name) || user.email;
  const mine = user.id === app.me.id;
  const change = async (body) => {
    if (!(await proven(app, () => app.api.patch(`v1/users/${user.id}`, body)))) return false;
    await list.refresh();
    return true;
  };
  const role = h("select", { class: "input", "aria-label": words.roleOf(name), disabled: mine }, ...Object.entries(words.roles).map(([value, text]) => h("option", { value, selected: value === user.role }, text)));
  role.addEventListener("change", async () => {
    let changed = false;
    try {
      changed = await change({ role: role.value });
      if (changed) app.toast(words.becameRole(name, words.roles[role.value]));
    } finally {
      if (!changed) role.value = user.role;
    }
  });
  const disable = async () => (await app.confirm({ ...words.confirm(name), danger: true })) && change({ disabled: true });
  const signOut = async () => {
    await app.api.delete(`v1/users/${user.id}/sessions`);
    app.toast(words.signedOut);
    await list.refresh();
  };
  const acts = user.disabled_at ? [action(words.enable, () => change({ disabled: false }))] : [action(words.signOut, signOut, { kind: "button is-quiet" }), action(words.disable, disable, { kind: "button is-quiet" })];
  const seen = user.last_seen_at ? [`${words.seen} `, since(user.last_seen_at, app)] : [words.never];
  return h(
    "li",
    { "data-id": user.id, class: user.disabled_at ? "is-off" : "" },
    h("p", { class: "name" }, written(name), ...(mine ? [" ", h("span", { class: "tag" }, words.you)] : []), ...(user.disabled_at ? [" ", h("span", { class: "tag is-bad" }, words.disabled)] : [])),
    h("p", { class: "line" }, ...(user.display_name ? [h("span", {}, written(user.email))] : []), h("span", {}, ...seen), ...(user.email_verified_at ? [h("span", {}, words.verified)] : [])),
    h("div", { class: "end" }, role, ...(mine ? [] : acts)),
  );
}
