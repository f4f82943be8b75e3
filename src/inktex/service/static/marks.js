// Symbols and the places of the sheet where they were read.

import { holds, union } from "./ink.js";
import { unsure } from "./result.js";
import { boxOf } from "./sheet.js";

/** @typedef {import("./ink.js").Box} Box */
/** @typedef {import("./paint.js").Highlight} Highlight */
/** @typedef {import("./reader.js").Formula} Formula */

/**
 * What is to be marked on the sheet.
 * @param {Formula[]} formulas
 * @param {Formula | null} active
 * @param {{name: string, mark: number} | null} lit
 * @returns {Highlight[]}
 */
export function highlightsOf(formulas, active, lit) {
  /** @type {Highlight[]} */
  const highlights = [];
  if (active && formulas.length > 1)
    highlights.push({ box: union(active.items.map(boxOf)), look: "formula" });
  for (const { name, reading, state } of formulas) {
    if (!reading || state !== "read") continue;
    for (const box of reading.unknown) if (box) highlights.push({ box, look: "unknown" });
    for (const index of unsure(reading.marks)) {
      const { box } = reading.marks[index];
      if (box) highlights.push({ box, look: "unsure" });
    }
    const box = lit?.name === name ? reading.marks[lit.mark]?.box : null;
    if (box) highlights.push({ box, look: "lit" });
  }
  return highlights;
}

/**
 * The symbol that was read at a place; of several, the smallest.
 * @param {Formula[]} formulas
 * @param {[number, number]} place
 * @returns {{formula: Formula, mark: number, box: Box} | null}
 */
export function markAt(formulas, [x, y]) {
  const found = formulas.flatMap((formula) =>
    (formula.state === "read" ? (formula.reading?.marks ?? []) : []).flatMap(({ box }, mark) =>
      box && holds(box, x, y) ? [{ formula, mark, box }] : [],
    ),
  );
  const area = (/** @type {Box} */ box) => (box.right - box.left) * (box.bottom - box.top);
  return found.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
}
