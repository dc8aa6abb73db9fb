// Addresses that get no mail, or no broadcasts.

import { h } from "../../../bell/dom.js";
import { visible } from "../../../bell/text.js";
import { action } from "../../ui/action.js";
import { dialog } from "../../ui/dialog.js";
import { Choices } from "../../ui/choices.js";
import { Field, Form } from "../../ui/form.js";
import { Listing } from "../../ui/listing.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";

export function suppressed(app, { suppressed: words }) {
  const list = new Listing(app, { label: words.add, load: (query) => app.api.get("v1/suppressions", query), row, empty: words.empty });

  function row(item) {
    const lift = async () => {
      if (!(await app.confirm(words.confirm(visible(item.address))))) return;
      await app.api.delete(`v1/suppressions/${item.id}`);
      app.toast(words.lifted);
      await list.refresh();
    };
    return h(
      "li",
      { "data-id": item.id },
      h("p", { class: "name" }, written(item.address)),
      h("p", { class: "line" }, h("span", {}, words.scope[item.scope]), h("span", {}, words.reason[item.reason]), h("span", {}, since(item.created_at, app))),
      h("div", { class: "end" }, action(words.lift, lift)),
      ...(item.detail ? [h("p", { class: "said" }, written(item.detail))] : []),
    );
  }

  const add = () => {
    const form = new Form(app, {
      fields: [
        new Field("address", words.search, { type: "email", required: true, autocomplete: "off" }),
        new Choices("scope", words.add, { options: Object.entries(words.scope), value: "all", kind: "checks" }),
        new Field("detail", words.detail, { maxlength: 500, autocomplete: "off" }),
      ],
      submit: words.add,
      async send(values) {
        await app.api.post("v1/suppressions", values);
        shown.close();
        app.toast(words.added);
        await list.refresh();
      },
    });
    const shown = dialog(words.add, form.element);
  };
  list.refresh();
  return h("div", {}, h("p", { class: "actions is-above" }, h("button", { class: "button", onclick: add }, words.add)), list.element);
}
