// One notification, in full.

import { Failure } from "../../../bell/api.js";
import { h, visible, webAddress } from "../../../bell/dom.js";
import { ROUTES, admits } from "../../routes.js";
import { back, backward, belfry, bin, check, dot, forward, outside } from "../../ui/icons.js";
import { full, since } from "../../ui/time.js";
import { face, senderOf } from "./row.js";

export class Detail {
  #app;
  #words;
  #reader;
  #id = null;
  #status = "none"; // or "loading", "failed", "gone", "shown"
  #drawn = null;

  /** `reader`: `closed()`, `marked(item)`, `removed(item)`, `walked(by)`. */
  constructor(app, words, reader) {
    this.#app = app;
    this.#words = words;
    this.#reader = reader;
    const tool = (name, label, icon, onclick) =>
      h("button", { class: `icon ${name}`, "aria-label": label, title: label, onclick }, icon);
    this.mark = h("button", { class: "tool", onclick: () => reader.marked(this.item) });
    this.tools = h(
      "div",
      { class: "tools" },
      tool("back", words.back, back(), () => reader.closed()),
      this.mark,
      h("button", { class: "tool", onclick: () => reader.removed(this.item) }, bin(), words.remove),
      h("span", { class: "gap" }),
      tool("newer", words.newer, backward(), () => reader.walked(-1)),
      tool("older", words.older, forward(), () => reader.walked(1)),
    );
    this.body = h("div", { class: "body" });
    this.element = h("article", { class: "detail", "aria-label": words.list }, this.tools, this.body);
  }

  /** The item that is open, as it is now. */
  get item() {
    return this.#app.inbox.store.get(this.#id);
  }

  get title() {
    return this.item ? visible(this.item.title) || this.#words.untitled : null;
  }

  /** Open the item with this id, or none. Resolves when it is there, or is known not to be. */
  async open(id) {
    this.#id = id;
    this.#status = id === null ? "none" : "loading";
    if (id !== null && !this.item) await this.#fetch(id);
    if (id !== this.#id) return;
    if (this.item) this.#status = "shown";
    this.render();
  }

  render() {
    const { item } = this;
    if (this.#status === "shown" && !item) {
      if (this.#app.inbox.store.stateOf(this.#id) !== "deleted") return void this.open(this.#id); // or only forgotten
      this.#status = "gone";
    }
    this.tools.hidden = this.#status === "none";
    for (const tool of this.tools.querySelectorAll("button:not(.back)")) tool.hidden = this.#status !== "shown";
    if (item) this.#drawMark(item);
    const drawn = item ?? this.#status;
    if (drawn === this.#drawn || (drawn === "loading" && this.#drawn?.id)) return;
    const stays = item && item.id === this.#drawn?.id;
    this.#drawn = drawn;
    if (stays && sameBut(item, this.body.item)) return;
    this.body.item = item;
    this.body.replaceChildren(...(item ? this.#draw(item) : this.#message()));
    if (!stays) this.element.scrollTop = 0;
  }

  /** An item that is in no list we have loaded, and perhaps in no list of this reader's: senders see what they sent. */
  async #fetch(id) {
    const { api, inbox: { store } } = this.#app;
    const get = () => api.get(`v1/notifications/${encodeURIComponent(id)}`);
    const list = async () => ({ items: [{ ...(await get()), lone: true }], next_cursor: null });
    const alone = { query: {}, holds: () => false };
    let status = "failed";
    this.render();
    try {
      // again, if everything was forgotten while it was on its way
      while (id === this.#id && store.view(alone).status !== "loaded") await store.load(alone, { list });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status === 404) status = "gone";
    } finally {
      store.forget(alone);
    }
    if (id === this.#id) this.#status = status; // unless it is there now
  }

  #drawMark(item) {
    const unread = item.state === "unread";
    const label = unread ? this.#words.read : this.#words.unread;
    if (this.mark.textContent !== label) this.mark.replaceChildren(unread ? check() : dot(), label);
  }

  #draw(item) {
    const words = this.#words;
    const link = webAddress(item.link);
    const content = visible(item.content);
    const when = item.created_at;
    const trace = traceOf(item, this.#app.me);
    const parts = [
      h(
        "header",
        {},
        h("span", { class: "face", "aria-hidden": "true" }, face(item)),
        h("p", { class: "from" }, h("bdi", {}, senderOf(item, words))),
        h("p", { class: "soft small" }, full(when, this.#app), " · ", since(when, this.#app)),
      ),
      h("h1", { tabindex: -1 }, h("bdi", { dir: "auto" }, visible(item.title) || words.untitled)),
    ];
    const tags = [
      ...(item.priority >= 5 ? [h("li", { class: "tag is-bad" }, words.urgent)] : []),
      ...item.tags.map((tag) => h("li", { class: "tag" }, h("bdi", {}, visible(tag)))),
    ];
    if (tags.length) parts.push(h("ul", { role: "list", class: "tags" }, ...tags));
    if (content) parts.push(h("div", { class: "content", dir: "auto" }, content));
    if (link) {
      const about = { class: "button is-main", href: link.href, target: "_blank", rel: "noopener noreferrer" };
      parts.push(h("p", { class: "leads" }, h("a", about, h("bdi", {}, words.open(link.host)), outside())));
    }
    const foot = [words.status[item.status], trace && h("a", { href: `#${trace}` }, words.trace)].filter(Boolean);
    if (foot.length) parts.push(h("footer", {}, ...foot.map((each) => h("span", {}, each))));
    return parts;
  }

  #message() {
    const words = this.#words;
    if (this.#status === "loading") return [h("p", { class: "unseen" }, words.loading)];
    const [headline, text] = words[this.#status];
    const heading =
      this.#status === "none" ? h("p", { class: "headline" }, headline) : h("h1", { tabindex: -1 }, headline);
    const retry = h("button", { class: "button", onclick: () => this.open(this.#id) }, words.retry);
    return [
      h(
        "div",
        { class: "message" },
        belfry(),
        heading,
        h("p", {}, text),
        ...(this.#status === "failed" ? [retry] : []),
      ),
    ];
  }
}

/** Where a reader sees what became of an item: whoever sent it, and admins; null for others. */
function traceOf({ id, sender }, me) {
  const route = ROUTES.find(({ name }) => name === "trace");
  const may = route && admits(route, me) && (me.role === "admin" || sender?.id === me.id);
  return may ? route.paths[0].replace(":id", id) : null;
}

/** Whether two items are drawn alike: whether one is read is not seen here. */
function sameBut(item, other) {
  return (
    other &&
    Object.keys(item).every(
      (name) => ["state", "read_at"].includes(name) || JSON.stringify(item[name]) === JSON.stringify(other[name]),
    )
  );
}
