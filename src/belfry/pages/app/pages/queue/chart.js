// A number as it goes: a line drawn by hand, in words for who does not see it, and as a table.

import { h, set, SVG, write } from "../../../bell/dom.js";

const WIDTH = 400;
const HEIGHT = 96;
const SPAN = 300_000; // milliseconds shown at most
const LEAST = 4_000;
const ROWS = 12; // in the table

export class Chart {
  #words;
  #label;
  #lang;
  #points = []; // [milliseconds since 1970, number]

  constructor(words, label, lang) {
    this.#words = words;
    this.#label = label;
    this.#lang = lang;
    this.now = h("strong", {}, words.nothing);
    this.most = h("span", { class: "soft small", "aria-hidden": "true" });
    this.area = shape("path", { class: "area" });
    this.line = shape("path", { class: "line" });
    this.svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, shape("path", { class: "base", d: `M0 ${HEIGHT - 1}H${WIDTH}` }), this.area, this.line);
    this.rows = h("tbody");
    const head = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.when), h("th", { scope: "col", class: "number" }, label)));
    this.table = h("details", { ontoggle: () => this.#tabulate() }, h("summary", {}, words.asTable), h("table", { class: "table" }, head, this.rows));
    this.element = h("figure", { class: "chart card" }, h("figcaption", {}, h("span", {}, label), this.most, this.now), this.svg, this.table);
  }

  add(number, at = Date.now()) {
    this.#points.push([at, number]);
    this.#points = this.#points.filter(([when]) => when > at - SPAN);
    const highest = Math.max(...this.#points.map(([, each]) => each));
    const most = Math.max(1, highest);
    const shown = Math.max(LEAST, at - this.#points[0][0]);
    const x = (when) => WIDTH - ((at - when) / shown) * WIDTH;
    const y = (each) => HEIGHT - 2 - (each / most) * (HEIGHT - 10);
    const line = this.#points.map(([when, each]) => `${x(when).toFixed(1)} ${y(each).toFixed(1)}`).join("L");
    set(this.line, "d", `M${line}`);
    set(this.area, "d", `M${x(this.#points[0][0]).toFixed(1)} ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z`);
    write(this.now, this.#said(number));
    write(this.most, highest ? `≤ ${this.#said(highest)}` : "");
    set(this.svg, "aria-label", this.#words.chartAbout(this.#label, this.#said(number), this.#said(highest), Math.ceil(shown / 60_000)));
    this.#tabulate();
  }

  #said(number) {
    return number.toLocaleString(this.#lang);
  }

  #tabulate() {
    if (!this.table.open) return;
    const step = Math.ceil(this.#points.length / ROWS);
    const rows = this.#points.toReversed().filter((_, index) => index % step === 0);
    const time = new Intl.DateTimeFormat(this.#lang, { timeStyle: "medium" });
    this.rows.replaceChildren(...rows.map(([when, number]) => h("tr", {}, h("th", { scope: "row" }, time.format(when)), h("td", { class: "number" }, this.#said(number)))));
  }
}

function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [each, value] of Object.entries(attributes)) element.setAttribute(each, value);
  element.append(...children);
  return element;
}
