// What is shown, made without markup: elements, text that others wrote, and drawings.

// Elements. Text is only ever text, and a page may forbid `innerHTML` (Trusted Types) and inline styles.

/** An element. `onclick` and the like are listeners; true is an attribute without a value, null and false are none. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  element.append(...children);
  return element;
}

/** Set an attribute, or remove it for null and false. */
export function set(element, name, value) {
  if (value === false || value == null) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Set a text, touching nothing where it is the same: live regions speak only of what changed. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make these the children of an element, moving only what is out of place. */
export function arrange(parent, children) {
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

// Text that others wrote, made fit to be shown: nobody may turn our page around, or hide in what looks empty.

// Controls but for the line break and tab; what is drawn as nothing (DI: marks that turn writing around, where we isolate
// instead, fillers, tags), but for the joiners that scripts and emoji need; marks between lines, the empty Braille cell, and
// what notes are hung on. (UTS #39 and TR #36 name the dangers.)
const UNSEEN = /(?![\t\n\u200c\u200d\ufe0f])[\p{Cc}\p{DI}\u2028\u2029\u2800\ufff9-\ufffb]/gu;

/** The text without what cannot be seen; at most three combining marks stay on one letter. */
export function visible(text) {
  return text.replace(UNSEEN, "").replace(/(\p{M}{3})\p{M}+/gu, "$1").trim();
}

/** The address if it is one of the web, else null: no other scheme ever becomes a link. */
export function webAddress(link) {
  if (!link || !URL.canParse(link)) return null;
  const url = new URL(link);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

// Drawings: lines on a square, in the colour of the text around them.

export const SVG = "http://www.w3.org/2000/svg";

/** `paths` are what is drawn, each with a class or none. */
export function drawing(size, ...paths) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [d, kind = ""] of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", kind);
    svg.append(path);
  }
  return svg;
}

export const bell = () =>
  drawing(
    24,
    ["M12 3.2V1.6M9.8 19.8c.4 1 1.2 1.6 2.2 1.6s1.8-.6 2.2-1.6"],
    ["M12 3.2c-3.9 0-6 2.9-6 6.4 0 4.2-1 5.8-2.2 7.2h16.4C19 15.4 18 13.8 18 9.6c0-3.5-2.1-6.4-6-6.4z", "bowl"],
  );

export const check = () => drawing(24, ["M5 12.8l4.6 4.4L19 7.4"]);

export const dot = () => drawing(24, ["M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z"]);

export const bin = () => drawing(24, ["M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.9 12.5h9.2L17.5 7M10.2 11v5M13.8 11v5"]);

export const cross = () => drawing(24, ["M6 6l12 12M18 6L6 18"]);

/** A belfry, its bell at rest. */
export const belfry = () =>
  drawing(
    120,
    ["M14 110h92M24 110V56a36 36 0 0 1 72 0v54M36 110V58a24 24 0 0 1 48 0v52M37 52h46"],
    ["M60 52v5M60 57c-8 0-12 6-12 13 0 8-2 12-5 15h34c-3-3-5-7-5-15 0-7-4-13-12-13zM56 90c.7 2 2.2 3 4 3s3.3-1 4-3", "accent"],
  );
