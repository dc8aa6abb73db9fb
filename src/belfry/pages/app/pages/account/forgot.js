// Asking for a link to choose a new password.

import { h } from "../../../bell/dom.js";
import { Form } from "../../ui/form.js";
import { card, link, tell } from "./card.js";
import { email } from "./fields.js";
import { WORDS } from "./words.js";

export const css = new URL("account.css", import.meta.url);

export function open({ app }) {
  const words = app.words(WORDS);
  const form = new Form(app, {
    fields: [email(words)],
    submit: words.sendLink,
    async send(values) {
      await app.api.post("v1/auth/password/forgot", values);
      tell(page, words.sent, words.sentText(values.email), link("#/sign-in", words.toSignIn, "button"));
    },
  });
  const back = h("p", { class: "others" }, link("#/sign-in", words.toSignIn));
  const page = card(words.forgotTitle, h("p", { class: "about" }, words.forgotText), form.element, back);
  return page;
}
