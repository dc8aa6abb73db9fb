// What Belfry does only for somebody who has shown a password lately.

import { Refused } from "../../bell/api.js";
import { h } from "../../bell/dom.js";
import { dialog } from "./dialog.js";
import { Field, Form } from "./form.js";
import { WORDS } from "./proven.words.js";

/** Do something; if a password is asked for first (403), ask the reader. Resolves to whether it was done. */
export async function proven(app, act) {
  try {
    await act();
    return true;
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 403) throw error;
  }
  if (!(await asked(app))) return false;
  await act();
  return true;
}

/** Ask for the password until it is right, or the reader gives up. */
function asked(app) {
  const words = app.words(WORDS);
  const password = { type: "password", autocomplete: "current-password", required: true, explain: words.wrong };
  return new Promise((resolve) => {
    const form = new Form(app, {
      fields: [new Field("password", words.password, password)],
      submit: words.continue,
      async send(values) {
        await app.api.post("v1/auth/confirm", values);
        shown.close("yes");
      },
      more: [h("button", { type: "button", class: "button", onclick: () => shown.close() }, words.cancel)],
    });
    const shown = dialog(words.title, h("p", { class: "soft" }, words.text), form.element);
    shown.addEventListener("close", () => resolve(shown.returnValue === "yes"));
  });
}
