// Signing in, wherever one wanted to go: the address stays, and leads there afterwards.

import { Failure } from "../../../bell/api.js";
import { h } from "../../../bell/dom.js";
import { Form } from "../../ui/form.js";
import { card, link } from "./card.js";
import { email, enter, password } from "./fields.js";
import { WORDS } from "./words.js";

export const css = new URL("account.css", import.meta.url);

export function open({ app, signal }) {
  const words = app.words(WORDS);
  const form = new Form(app, {
    fields: [email(words), password(words)],
    submit: words.signIn,
    explain: ({ status }) => ({ 401: words.wrong, 429: words.often })[status] ?? null,
    send: (values) => enter(app, values),
  });
  const register = link("#/register", words.register);
  register.hidden = true;
  invited(app).then((open) => !signal.aborted && (register.hidden = !open));
  const others = h("p", { class: "others" }, link("#/forgot", words.forgot), register);
  return card(words.signIn, form.element, others);
}

/** Whether anybody may make an account. */
async function invited(app) {
  try {
    return (await app.api.get("v1/auth/rules")).registration === "open";
  } catch (error) {
    if (error instanceof Failure) return true; // then the server says so when it is tried
    throw error;
  }
}
