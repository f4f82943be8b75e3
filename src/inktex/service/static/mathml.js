// MathML from a recognizer, made safe to show.

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(
  `math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts
   mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose merror semantics`.split(/\s+/u),
);

/**
 * MathML as an element of this document: known elements only, nothing that runs or loads; numbers are cut
 * into digits, so that each can be touched.
 * @param {string} text
 * @returns {Element | null} null if it is no MathML
 */
export function mathElement(text) {
  // The parser must not see style attributes: the page's policy forbids them, but not styles that are set.
  const hidden = text.replace(/(\s)style=/gu, "$1data-style=");
  const root = new DOMParser().parseFromString(hidden, "application/xml").documentElement;
  if (root.localName !== "math") return null;
  const math = copied(root);
  if (math) math.setAttribute("display", "block");
  return math;
}

/**
 * A symbol, or a few, as mathematics shows them.
 * @param {string} symbols
 */
export function symbolElement(symbols) {
  const math = document.createElementNS(NAMESPACE, "math");
  const parts = /^[\p{L}]{3,}$/u.test(symbols) ? [symbols] : [...symbols];
  for (const part of parts) {
    const element = document.createElementNS(
      NAMESPACE,
      /\p{L}/u.test(part) ? "mi" : /\p{N}/u.test(part) ? "mn" : "mtext",
    );
    element.append(part);
    math.append(element);
  }
  return math;
}

/**
 * @param {Element} source
 * @returns {Element | null}
 */
function copied(source) {
  const name = source.localName;
  if (!ELEMENTS.has(name)) return null;
  if (name === "mn" && source.childElementCount === 0) return digits(source.textContent ?? "");
  const element = document.createElementNS(NAMESPACE, name);
  for (const { name: attribute, value } of source.attributes) {
    if (attribute === "data-style") setStyle(element, value);
    else if (!/^(?:on|xmlns|href|src|id$|xlink)/u.test(attribute)) element.setAttribute(attribute, value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) element.append(child.textContent ?? "");
    else if (child.nodeType === Node.ELEMENT_NODE)
      element.append(...only(copied(/** @type {Element} */ (child))));
  }
  return element;
}

/**
 * @param {Element} element
 * @param {string} style
 */
function setStyle(element, style) {
  if (!/url|expression|@/iu.test(style)) /** @type {HTMLElement} */ (element).style.cssText = style;
}

/** @param {string} text */
function digits(text) {
  const parts = [...text].map((digit) => {
    const element = document.createElementNS(NAMESPACE, "mn");
    element.append(digit);
    return element;
  });
  if (parts.length === 1) return parts[0];
  const row = document.createElementNS(NAMESPACE, "mrow");
  row.append(...parts);
  return row;
}

/**
 * @template T
 * @param {T | null} value
 * @returns {T[]}
 */
function only(value) {
  return value === null ? [] : [value];
}
