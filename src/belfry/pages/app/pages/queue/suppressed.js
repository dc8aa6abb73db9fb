// Addresses that get no mail, or no broadcasts.

import { h, visible } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { dialog } from "../../ui/dialog.js";
import { Choices } from "../../ui/choices.js";
import { Field, Form } from "../../ui/form.js";
import { Listing } from "../../ui/listing.js";
import { since } from "../../ui/time.js";
import { written } from "../../ui/written.js";

export function suppressed(app, { suppressed: texts }) {
  const list = new Listing(app, { label: texts.add, load: (query) => app.api.get("v1/suppressions", query), row, empty: texts.empty });

  function row(item) {
    const lift = async () => {
      if (!(await app.confirm(texts.confirm(visible(item.address))))) return;
      await app.api.delete(`v1/suppressions/${item.id}`);
      app.toast(texts.lifted);
      await list.refresh();
    };
    return h(
      "li",
      { "data-id": item.id },
      h("p", { class: "name" }, written(item.address)),
      h("p", { class: "line" }, h("span", {}, texts.scope[item.scope]), h("span", {}, texts.reason[item.reason]), h("span", {}, since(item.created_at, app))),
      h("div", { class: "end" }, action(texts.lift, lift)),
      ...(item.detail ? [h("p", { class: "said" }, written(item.detail))] : []),
    );
  }

  const add = () => {
    const form = new Form(app, {
      fields: [
        new Field("address", texts.search, { type: "email", required: true, autocomplete: "off" }),
        new Choices("scope", texts.add, { options: Object.entries(texts.scope), value: "all", kind: "checks" }),
        new Field("detail", texts.detail, { maxlength: 500, autocomplete: "off" }),
      ],
      submit: texts.add,
      more: [h("button", { type: "button", class: "button", onclick: () => shown.close() }, texts.cancel)],
      async send(values) {
        await app.api.post("v1/suppressions", values);
        shown.close();
        app.toast(texts.added);
        await list.refresh();
      },
    });
    const shown = dialog(texts.add, h("div", { class: "desk" }, form.element));
  };
  list.refresh();
  return h("div", {}, h("p", { class: "actions is-above" }, h("button", { class: "button", onclick: add }, texts.add)), list.element);
}
