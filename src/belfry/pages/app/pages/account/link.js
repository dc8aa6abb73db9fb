// What links in mails lead to: `#/reset/TOKEN`, `#/verify/TOKEN`, `#/invite/TOKEN`. The token is taken out of the address
// bar at once, and kept where only this entry of the history has it.

import { Failure } from "../../../bell/api.js";
import { h, visible } from "../../../bell/dom.js";
import { Form, said } from "../../ui/form.js";
import { card, link, tell } from "./card.js";
import { enter, here, name, newPassword, password as known, usernameOf } from "./fields.js";
import { WORDS } from "./words.js";

export const css = new URL("account.css", import.meta.url);

const SHOWN = { reset, verify, invite };

export function open({ app, place }) {
  const words = app.words(WORDS);
  const [, purpose] = place.path.split("/");
  const token = place.parameters.token ?? history.state?.token ?? "";
  history.replaceState({ token }, "", `#/${purpose}`);
  const page = card(words[purpose], h("p", { class: "soft", role: "status" }, words.loading));
  show(app, page, { words, purpose, token });
  return page;
}

/** Say whose link it is, and offer what it is for; or that it is good for nothing. */
async function show(app, page, { words, purpose, token }) {
  try {
    const about = await app.api.post("v1/auth/link", { token });
    if (about.purpose !== purpose) isVoid(page, words);
    else SHOWN[purpose](app, page, { words, token, about });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failed(app, page, { words, purpose, token, error });
  }
}

function failed(app, page, { words, error, ...link }) {
  if (error.status === 422 || error.status === 409) return isVoid(page, words);
  const again = h("button", { class: "button", onclick: () => show(app, page, { words, ...link }) }, words.confirm);
  page.fill(h("p", { class: "problem", role: "alert" }, said(error, app)), again);
}

function isVoid(page, words) {
  tell(
    page,
    words.void,
    words.voidText,
    h("p", { class: "actions" }, link("#/forgot", words.forgot, "button"), link("#/", words.toSignIn)),
  );
}

/** What a form of this page has to say of its token. */
const spent = (words) => (error) =>
  (error.errors ?? []).some(({ field }) => field === "token") ? words.voidText : null;

function reset(app, page, { words, token, about }) {
  const form = new Form(app, {
    fields: [newPassword(words)],
    submit: words.setPassword,
    explain: spent(words),
    async send({ password }) {
      await app.api.post("v1/auth/password/reset", { token, password });
      app.toast(words.resetDone);
      app.refresh("/sign-in");
    },
  });
  form.element.prepend(usernameOf(about.email));
  page.fill(h("p", { class: "about" }, words.resetText(about.email)), form.element);
}

function verify(app, page, { words, token, about }) {
  const form = new Form(app, {
    fields: [known(words)],
    submit: words.confirm,
    explain: (error) => (error.status === 409 ? words.voidText : spent(words)(error)),
    async send({ password }) {
      const { done } = await app.api.post("v1/auth/email/verify", { token, password });
      tell(
        page,
        words.verify,
        words.verified[done],
        link("#/", app.me ? words.inbox : words.toSignIn, "button is-main"),
      );
      if (app.me) app.became(await app.api.get("v1/me"));
    },
  });
  page.fill(h("p", { class: "about" }, words.verifyText(about.email)), form.element);
}

function invite(app, page, { words, token, about }) {
  const form = new Form(app, {
    fields: [name(words), newPassword(words)],
    submit: words.join,
    explain: spent(words),
    async send({ display_name, password }) {
      const called = display_name.trim();
      await app.api.post("v1/auth/invitation", {
        token,
        password,
        ...here(app),
        ...(called && { display_name: called }),
      });
      await enter(app, { email: about.email, password }, "/");
    },
  });
  form.element.prepend(usernameOf(about.email));
  page.fill(h("p", { class: "about" }, words.inviteText(about.email, visible(about.invited_by ?? ""))), form.element);
}
