// A few words for making elements.

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element of an id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/**
 * An element with properties and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties] names with a dash become attributes, those that begin with "on" listeners
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else Object.assign(element, { [name]: value });
  }
  element.append(...children);
  return element;
}

/**
 * A drawing of the page's own set.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `icons/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Put a popover beside a place of the window, within its edges.
 * @param {HTMLElement} popover that is open
 * @param {DOMRect} beside
 */
export function putBeside(popover, beside) {
  const { width, height } = popover.getBoundingClientRect();
  const edge = 8;
  const { clientWidth, clientHeight } = document.documentElement;
  const below = beside.bottom + 6;
  const top = below + height + edge <= clientHeight ? below : Math.max(edge, beside.top - height - 6);
  const left = Math.min(
    Math.max(edge, beside.left + beside.width / 2 - width / 2),
    clientWidth - width - edge,
  );
  popover.style.left = `${Math.max(edge, left)}px`;
  popover.style.top = `${top}px`;
}

/**
 * Whether an event comes from something that is typed into.
 * @param {Event} event
 */
export function isTyping(event) {
  return event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
}
