// The e-mail address: whether it is confirmed, and changing it by a link to the new one.

import { h } from "../../../bell/dom.js";
import { Field, Form } from "../../ui/form.js";
import { card } from "./card.js";
import { ownPassword } from "./fields.js";

export function address(app, words) {
  const { email, email_verified } = app.me;
  const state = h(
    "span",
    { class: email_verified ? "tag is-good" : "tag is-warn" },
    email_verified ? words.isVerified : words.isUnverified,
  );
  const verify = async () => {
    await app.api.post("v1/me/email/verify");
    app.toast(words.verifySent(email));
  };
  const now = h(
    "p",
    { class: "now" },
    h("bdi", {}, email),
    state,
    ...(email_verified ? [] : [h("button", { class: "link", onclick: verify }, words.verify)]),
  );
  const form = new Form(app, {
    fields: [
      new Field("email", words.newAddress, { type: "email", autocomplete: "email", required: true }),
      ownPassword(words),
    ],
    submit: words.change,
    async send(values) {
      await app.api.post("v1/me/email", values);
      form.element.reset();
      app.toast(words.linkSent(values.email));
    },
  });
  return card(words.address, null, now, form.element);
}
