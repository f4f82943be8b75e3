// Menus that open beside a symbol or a button: what else a symbol may be, and what a formula is copied as.

import { asText } from "./export.js";
import { make, putBeside } from "./dom.js";
import { t } from "./i18n.js";
import { glyph } from "./latex.js";
import { symbolElement } from "./mathml.js";
import { choices } from "./result.js";

/** @typedef {import("./export.js").TextFormat} TextFormat */
/** @typedef {import("./result.js").Reading} Reading */
/** @typedef {TextFormat | "png" | "svg"} CopyFormat */

/** @type {[CopyFormat, string, string][]} format, name, what it looks like */
const FORMATS = [
  ["latex", "LaTeX", ""],
  ["inline", "LaTeX", "$ … $"],
  ["dollars", "LaTeX", "$$ … $$"],
  ["brackets", "LaTeX", "\\[ … \\]"],
  ["mathml", "MathML", "Word"],
  ["typst", "Typst", ""],
  ["asciimath", "AsciiMath", ""],
  ["png", "PNG", ""],
  ["svg", "SVG", ""],
];

/**
 * Name of a format as a person knows it.
 * @param {CopyFormat} format
 */
export function formatName(format) {
  const [, name, look] = FORMATS.find(([each]) => each === format) ?? ["", format, ""];
  return format === "mathml" || !look ? name : `${name} ${look}`;
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} beside
 * @param {Reading} reading
 * @param {(format: CopyFormat) => void} chosen
 */
export function openCopyMenu(menu, beside, reading, chosen) {
  const offered = FORMATS.filter(([format]) => {
    if (format === "png" || format === "svg") return reading.mathml !== "";
    return asText(reading, format) !== "";
  });
  const items = offered.map(([format, name, look]) => {
    const hint =
      format === "mathml" ? make("span", { className: "hint" }, t("forWord")) : make("code", {}, look);
    return make(
      "button",
      { onclick: () => (menu.hidePopover(), chosen(format)), "data-format": format },
      name,
      hint,
    );
  });
  open(menu, beside, items);
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} beside
 * @param {Reading} reading
 * @param {number} mark
 * @param {{choose: (tokens: string[]) => void, type: () => void}} actions
 */
export function openChoices(menu, beside, reading, mark, { choose, type }) {
  const { token, confidence } = reading.marks[mark];
  const symbol = glyph(token);
  const found = choices(reading, mark);
  const items = found.map(({ tokens, shown }) =>
    make(
      "button",
      { className: "symbol", "aria-label": shown, onclick: () => (menu.hidePopover(), choose(tokens)) },
      symbolElement(shown),
    ),
  );
  const percent = Math.round(100 * confidence);
  open(menu, beside, [
    make(
      "p",
      { className: "menu-head" },
      t("choicesFor", { symbol }),
      make("span", {}, t("sureness", { percent })),
    ),
    found.length
      ? make("div", { className: "symbols" }, ...items)
      : make("p", { className: "small" }, t("noChoices")),
    make("button", { className: "type", onclick: () => (menu.hidePopover(), type()) }, t("typeIt")),
  ]);
}

/**
 * @param {HTMLElement} menu
 * @param {DOMRect} beside
 * @param {HTMLElement[]} content
 */
function open(menu, beside, content) {
  menu.replaceChildren(...content);
  menu.showPopover();
  putBeside(menu, beside);
  menu.querySelector("button")?.focus();
}

/**
 * Let the arrow keys go through the buttons of a menu.
 * @param {HTMLElement} menu
 */
export function walkWithArrows(menu) {
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const buttons = [...menu.querySelectorAll("button")];
    const place = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    buttons[(place + step + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
  });
}
