// What the pages of accounts share: fields, and getting in with what was written in them.

import { h } from "../../../bell/dom.js";
import { Field } from "../../ui/form.js";

const SHORTEST = 8;

let typed = ""; // goes along from signing in to asking for a link and back

export function email(words) {
  const field = new Field("email", words.email, {
    type: "email",
    autocomplete: "username",
    required: true,
    value: typed,
    check: (value) => (/^\S+@\S+$/.test(value) ? null : words.notAnAddress),
  });
  field.control.addEventListener("input", () => (typed = field.value));
  return field;
}

/** Get in, and to a page, or to where one was. Whoever signs in here next begins with an empty field. */
export async function enter(app, { email, password }, path) {
  await app.api.post("v1/auth/login", { email, password });
  typed = "";
  app.refresh(path);
}

/** A password that is to be known. */
export function password(words) {
  return new Field("password", words.password, {
    type: "password",
    autocomplete: "current-password",
    required: true,
    explain: words.notThePassword,
  });
}

/** A password that is to be made up. */
export function newPassword(words, name = "password") {
  const check = (value) => ([...value].length < SHORTEST ? words.short : null);
  const said = { hint: words.passwordHint, explain: words.weak };
  return new Field(name, words.newPassword, {
    type: "password",
    autocomplete: "new-password",
    required: true,
    check,
    ...said,
  });
}

/** Whose password a form is about, for those who let a program remember it. */
export function usernameOf(address) {
  return h("input", { autocomplete: "username", value: address, hidden: true });
}

/** How others see one; left out where it is blank. */
export function name(words, attributes = {}) {
  return new Field("display_name", words.name, {
    autocomplete: "name",
    maxlength: 100,
    hint: words.nameHint,
    ...attributes,
  });
}

/** The language and the clock of this browser, for an account that is being made. */
export function here(app) {
  return {
    language: app.lang === "zh" ? "zh-Hans" : "en",
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}
