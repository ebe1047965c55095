// Making elements: text goes in as text, so nothing that a cluster's object says becomes markup.

/** An element with attributes, listeners (functions), and children (elements or text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== '' && child !== undefined && child !== null));
  return element;
}

/** A colour of its own for a name, as a number of the palette. */
export function hue(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % 6;
}

/** Puts new content in place of the old one only where it differs, so that focus and selection stay. */
export function replace(place, ...content) {
  const fresh = el('div', {}, ...content);
  if (place.dataset.shown === fresh.innerHTML) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.dataset.shown = fresh.innerHTML;
  place.replaceChildren(...fresh.childNodes);
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
