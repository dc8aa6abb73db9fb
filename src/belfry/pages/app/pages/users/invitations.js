// Asking people in, and who was asked and has not come yet.

import { h } from "../../../bell/dom.js";
import { action } from "../../ui/action.js";
import { dialog } from "../../ui/dialog.js";
import { Choices } from "../../ui/choices.js";
import { Field, Form } from "../../ui/form.js";
import { Listing } from "../../ui/listing.js";
import { proven } from "../../ui/proven.js";
import { status } from "../../ui/status.js";
import { full } from "../../ui/time.js";
import { written } from "../../ui/written.js";

/** The open invitations, hidden where there are none. */
export function invitations(app, words) {
  const list = new Listing(app, { label: words.invitations, load: (query) => app.api.get("v1/invitations", query), row, empty: ["", ""] });
  const element = h("section", { class: "card", hidden: true }, h("h2", {}, words.invitations), list.element);
  const refresh = async () => {
    await list.refresh();
    element.hidden = !list.items.length;
  };

  function row(item) {
    const revoke = async () => {
      await app.api.delete(`v1/invitations/${item.id}`);
      app.toast(words.revoked);
      await refresh();
    };
    return h(
      "li",
      { "data-id": item.id },
      h("p", { class: "name" }, written(item.email)),
      h("p", { class: "line" }, h("span", {}, words.roles[item.role]), h("span", {}, words.until(full(item.expires_at, app))), ...(item.invited_by ? [h("span", {}, `${words.by} `, written(item.invited_by.name))] : [])),
      h("div", { class: "end" }, status(item.mail, app), action(words.revoke, revoke)),
    );
  }

  return { element, refresh };
}

export function invite(app, words, invited) {
  const form = new Form(app, {
    fields: [
      new Field("email", words.email, { type: "email", required: true, autocomplete: "off" }),
      new Choices("role", words.role, { options: Object.entries(words.roles), value: "member" }),
      new Choices("language", words.language, { options: Object.entries(words.languages), value: app.lang === "zh" ? "zh-Hans" : "en" }),
    ],
    submit: words.sendInvitation,
    more: [h("button", { type: "button", class: "button", onclick: () => shown.close() }, words.cancel)],
    async send(values) {
      if (!(await proven(app, () => app.api.post("v1/invitations", values)))) return;
      shown.close();
      app.toast(words.invited);
      await invited();
    },
  });
  const shown = dialog(words.invite, h("p", { class: "soft" }, words.inviteAbout), h("div", { class: "desk" }, form.element));
}
