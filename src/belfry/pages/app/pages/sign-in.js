// Signing in, wherever one wanted to go: the address stays, and leads there afterwards.

import { h } from "../../bell/dom.js";
import { Field, Form } from "../ui/form.js";
import { WORDS } from "./sign-in.words.js";

export function open({ app }) {
  const words = app.words(WORDS);
  const form = new Form(app, {
    fields: [
      new Field("email", words.email, { type: "email", autocomplete: "username", required: true }),
      new Field("password", words.password, { type: "password", autocomplete: "current-password", required: true }),
    ],
    submit: words.submit,
    explain: (error) => (error.status === 401 ? words.wrong : null),
    async send(values) {
      await app.api.post("v1/auth/login", values);
      app.refresh();
    },
  });
  return { element: h("section", { class: "card" }, h("h1", { tabindex: -1 }, words.title), form.element), title: words.title };
}
