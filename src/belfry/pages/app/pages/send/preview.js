// What is being written, as its recipient will see it.

import { h, visible, webAddress } from "../../../bell/dom.js";
import { bell, broadcast, mail, outside } from "../../ui/icons.js";
import { written } from "../../ui/written.js";
import { initial } from "../inbox/row.js";

export class Preview {
  #app;
  #words;

  constructor(app, words) {
    this.#app = app;
    this.#words = words;
    this.shown = h("div", { class: "shown" });
    this.element = h("aside", { class: "preview", "aria-label": words.preview }, h("h2", {}, words.preview), this.shown);
  }

  /** `message` is as the API takes it. */
  show(message, { everyone }) {
    const { channels } = message;
    const alerts = channels.includes("desktop") ? message.priority > 1 : message.priority === 5;
    const parts = [channels.includes("inbox") ? this.#note(message, everyone) : h("p", { class: "soft" }, this.#words.notInInbox)];
    if (alerts) parts.push(this.#alert(message));
    if (channels.includes("email")) parts.push(h("p", { class: "by-mail soft small" }, mail(), h("bdi", { dir: "auto" }, this.#words.byMail(this.#title(message)))));
    this.shown.replaceChildren(...parts);
  }

  #title({ title }) {
    return visible(title) || this.#words.untitled;
  }

  #note(message, everyone) {
    const { me } = this.#app;
    const words = this.#words;
    const name = everyone ? words.toEveryone : visible(me.display_name) || me.email;
    const link = webAddress(message.link);
    const tags = message.tags.map((tag) => h("li", { class: "tag" }, written(tag)));
    if (message.priority === 5) tags.unshift(h("li", { class: "tag is-bad" }, words.priorities[5].split(/[·，,]/)[1].trim()));
    return h(
      "article",
      { class: "note" },
      h("p", { class: "from" }, h("span", { class: "face", "aria-hidden": "true" }, everyone ? broadcast() : initial(name)), written(name)),
      h("h3", { class: message.title.trim() ? "" : "soft" }, h("bdi", { dir: "auto" }, this.#title(message))),
      ...(tags.length ? [h("ul", { role: "list", class: "tags" }, ...tags)] : []),
      ...(visible(message.content) ? [h("div", { class: "content", dir: "auto" }, visible(message.content))] : []),
      ...(link ? [h("p", {}, h("span", { class: "button is-main" }, h("bdi", {}, link.host), outside()))] : []),
    );
  }

  #alert(message) {
    const text = [this.#title(message), visible(message.content).slice(0, 120)].filter(Boolean);
    return h(
      "div",
      { class: "alert" },
      h("p", { class: "soft small" }, this.#words.onDesktop),
      h("div", {}, bell(), h("p", {}, ...text.map((each, index) => h(index ? "span" : "b", { dir: "auto" }, each)))),
    );
  }
}
