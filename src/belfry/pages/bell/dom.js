// Elements without markup: text is only ever text, and a page may forbid `innerHTML` (Trusted Types) and inline styles.

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
