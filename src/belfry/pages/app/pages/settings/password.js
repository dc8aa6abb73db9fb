// Changing the password.

import { Form } from "../../ui/form.js";
import { newPassword, usernameOf } from "../account/fields.js";
import { WORDS } from "../account/words.js";
import { card } from "./card.js";
import { ownPassword } from "./fields.js";

export function password(app, words) {
  const form = new Form(app, {
    fields: [ownPassword(words, "current"), newPassword(app.words(WORDS), "new")],
    submit: words.changePassword,
    async send(values) {
      await app.api.post("v1/me/password", values);
      form.element.reset();
      app.toast(words.passwordChanged);
    },
  });
  form.element.prepend(usernameOf(app.me.email));
  return card(words.password, words.passwordText, form.element);
}
