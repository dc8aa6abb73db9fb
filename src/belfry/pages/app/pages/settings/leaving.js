// Taking one's data along, and deleting the account.

import { h } from "../../../bell/dom.js";
import { dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { card } from "./card.js";
import { ownPassword } from "./fields.js";

export function leaving(app, words) {
  const download = h(
    "a",
    { class: "button", href: new URL("v1/me/export", app.inbox.api.base).href, download: true },
    words.export,
  );
  const remove = h("button", { class: "button is-danger", onclick: () => ask(app, words) }, words.remove);
  return card(words.leaving, words.leavingText, h("div", { class: "actions" }, download, remove));
}

function ask(app, words) {
  const form = new Form(app, {
    fields: [ownPassword(words)],
    submit: words.remove,
    explain: (error) => (error.status === 409 ? words.lastAdmin : null),
    async send(values) {
      await app.api.post("v1/me/delete", values);
      shown.close();
      app.refresh("/");
    },
    more: [h("button", { type: "button", class: "button", onclick: () => shown.close() }, words.cancel)],
  });
  form.button.className = "button is-danger";
  const shown = dialog(words.remove, h("p", { class: "about" }, words.removeText), form.element);
}
