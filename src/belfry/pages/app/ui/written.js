// What people wrote: a name, a title, an address. It is text, whatever it looks like, and turns nothing around it.

import { h, visible } from "../../bell/dom.js";

/** `otherwise` is said where nothing can be seen. */
export function written(text, otherwise = "") {
  return h("bdi", { dir: "auto" }, visible(text ?? "") || otherwise);
}
