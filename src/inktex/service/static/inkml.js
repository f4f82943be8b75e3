// Ink that a person has labelled, as InkML files that "inktex import" reads.

import { escaped } from "./export.js";

/** @typedef {import("./ink.js").Point} Point */

/**
 * @typedef {object} Sample
 * @property {string} id
 * @property {Point[][]} strokes
 * @property {string} latex what they say
 */

/**
 * A sample as an InkML document.
 * @param {Sample} sample
 * @param {string} writer who wrote it
 */
export function asInkml({ id, strokes, latex }, writer) {
  const traces = strokes.map(
    (points, index) => `  <trace id="${index}">${points.map(coordinates).join(", ")}</trace>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<ink xmlns="http://www.w3.org/2003/InkML">
  <traceFormat>
    <channel name="X" type="decimal"/>
    <channel name="Y" type="decimal"/>
  </traceFormat>
  <annotation type="UI">${clean(id)}</annotation>
  <annotation type="writer">${clean(writer)}</annotation>
  <annotation type="truth">$${clean(latex)}$</annotation>
${traces.join("\n")}
</ink>
`;
}

/** @param {Point} point */
function coordinates([x, y]) {
  return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
}

/**
 * Text for XML: markup escaped, characters that XML does not allow left out.
 * @param {string} text
 */
function clean(text) {
  // eslint-disable-next-line no-control-regex
  return escaped(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, ""));
}
