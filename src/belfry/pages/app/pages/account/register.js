// Making an account. One is signed in with it, unless the address is to be confirmed first.

import { h } from "../../../bell/dom.js";
import { Form } from "../../ui/form.js";
import { card, link, tell } from "./card.js";
import { email, enter, here, name, newPassword } from "./fields.js";
import { WORDS } from "./words.js";

export const css = new URL("account.css", import.meta.url);

export function open({ app }) {
  const words = app.words(WORDS);
  const form = new Form(app, {
    fields: [email(words), name(words), newPassword(words)],
    submit: words.registered,
    explain: ({ status }) => ({ 409: words.taken, 403: words.closed })[status] ?? null,
    async send({ display_name, ...values }) {
      const name = display_name.trim();
      const account = await app.api.post("v1/auth/register", {
        ...values,
        ...here(app),
        ...(name && { display_name: name }),
      });
      if (account.id === undefined)
        return tell(page, words.sent, words.sentText(values.email), link("#/sign-in", words.toSignIn, "button"));
      await enter(app, values, "/");
    },
  });
  const page = card(words.register, form.element, h("p", { class: "others" }, link("#/sign-in", words.haveAccount)));
  return page;
}
