// Light or dark, as this browser was told.

import { keep, kept } from "./kept.js";

export const SCHEMES = ["system", "light", "dark"];

export function scheme() {
  const chosen = kept("scheme");
  return SCHEMES.includes(chosen) ? chosen : "system";
}

export function choose(scheme) {
  keep("scheme", scheme === "system" ? null : scheme);
  applyScheme();
}

/** Make the page what was chosen. */
export function applyScheme() {
  const chosen = scheme();
  if (chosen === "system") delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = chosen;
}
