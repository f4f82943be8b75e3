// What was read: how sure each symbol is, what else it may be, and which part of the typeset formula it is.

import { differences, glyph, hasGlyph, isWritten, latexOf, tokensOf } from "./latex.js";

/** @typedef {import("./ink.js").Box} Box */
/** @typedef {import("./recognizer.js").Answer} Answer */
/** @typedef {import("./recognizer.js").Conversion} Conversion */

/**
 * @typedef {object} Mark a token of a reading
 * @property {string} token
 * @property {number} confidence 0 to 1
 * @property {Box | null} box where it was read, on the sheet
 * @property {{token: string, confidence: number}[]} others what else this symbol may be
 */

/**
 * @typedef {object} Reading
 * @property {string} latex
 * @property {string} mathml "" where there is none
 * @property {Record<string, string>} formats
 * @property {number} confidence
 * @property {Mark[]} marks
 * @property {{latex: string, mathml: string, confidence: number}[]} alternatives
 * @property {(Box | null)[]} unknown places that hold what is not known
 * @property {boolean} edited whether a person changed it
 */

/** @typedef {{tokens: string[], shown: string, confidence: number}} Choice the tokens of all with a symbol replaced */

const UNSURE = 0.8; // a symbol less certain than this is marked
const MOST_MARKED = 3;
const MOST_CHOICES = 5;
const LONGEST_CHOICE = 3; // tokens

/**
 * What the answer says, with boxes in units of the sheet.
 * @param {Answer} answer
 * @param {(box: Box) => Box} place turns a box of what was sent into one of the sheet
 * @returns {Reading}
 */
export function readingOf(answer, place) {
  const box = (/** @type {unknown} */ value) => (isBox(value) ? place(asBox(value)) : null);
  const details = answer.details ?? [];
  const unknown = Array.isArray(answer.unknown) ? answer.unknown : answer.unknown ? [null] : [];
  return {
    latex: answer.latex,
    mathml: answer.mathml ?? "",
    formats: answer.formats ?? {},
    confidence: answer.confidence,
    marks: details.map((detail) => ({
      token: detail.token,
      confidence: detail.confidence,
      box: box(detail.box),
      others: detail.alternatives ?? [],
    })),
    alternatives: (answer.alternatives ?? []).map(({ latex, mathml, confidence }) => ({
      latex,
      mathml: mathml ?? "",
      confidence,
    })),
    unknown: unknown.map((each) => box(each?.box ?? each)),
    edited: false,
  };
}

/**
 * @param {unknown} value
 * @returns {value is [number, number, number, number]}
 */
function isBox(value) {
  return Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
}

/**
 * @param {[number, number, number, number]} sides
 * @returns {Box}
 */
function asBox([left, top, right, bottom]) {
  return { left, top, right, bottom };
}

/**
 * A reading of ink that was moved.
 * @param {Reading} reading
 * @param {[number, number]} shift
 * @returns {Reading}
 */
export function shiftedReading(reading, [dx, dy]) {
  const move = (/** @type {Box | null} */ box) =>
    box && { left: box.left + dx, top: box.top + dy, right: box.right + dx, bottom: box.bottom + dy };
  return {
    ...reading,
    marks: reading.marks.map((mark) => ({ ...mark, box: move(mark.box) })),
    unknown: reading.unknown.map(move),
  };
}

/**
 * A reading after a person changed it: symbols that stayed keep what is known of them.
 * @param {Reading} reading
 * @param {string} latex
 * @param {Conversion} conversion
 * @returns {Reading}
 */
export function edited(reading, latex, conversion) {
  return {
    ...reading,
    latex,
    mathml: conversion.mathml,
    formats: conversion.formats ?? {},
    marks: carried(reading.marks, tokensOf(latex)),
    edited: true,
  };
}

/**
 * Marks for new tokens: what is in both keeps its mark; what is new stands where the old stood and is sure.
 * @param {Mark[]} marks
 * @param {string[]} tokens
 * @returns {Mark[]}
 */
export function carried(marks, tokens) {
  const before = marks.map((mark) => mark.token);
  /** @type {Mark[]} */
  const after = [];
  let [i, j] = [0, 0];
  for (const { from, to } of [
    ...differences(before, tokens),
    { from: [before.length], to: [tokens.length] },
  ]) {
    while (i < from[0]) after.push(marks[i++]);
    j = to[0];
    const replaced = marks.slice(from[0], from[1] ?? from[0]);
    for (; j < (to[1] ?? to[0]); j++) {
      const old = replaced[j - to[0]];
      after.push({ token: tokens[j], confidence: 1, box: old?.box ?? null, others: [] });
    }
    i = from[1] ?? i;
  }
  return after;
}

/**
 * The least sure symbols, in the order of the formula.
 * @param {Mark[]} marks
 * @returns {number[]} indices of marks
 */
export function unsure(marks) {
  return marks
    .map((mark, index) => ({ ...mark, index }))
    .filter((mark) => mark.confidence < UNSURE && isWritten(mark.token))
    .sort((a, b) => a.confidence - b.confidence)
    .slice(0, MOST_MARKED)
    .map((mark) => mark.index)
    .sort((a, b) => a - b);
}

/**
 * What else a symbol may be: what recognition says of it, and what stands there in other readings.
 * @param {Reading} reading
 * @param {number} index of the mark
 * @returns {Choice[]} the likeliest first
 */
export function choices(reading, index) {
  const tokens = reading.marks.map((mark) => mark.token);
  const replaced = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string[]} */ by) => [
    ...tokens.slice(0, from),
    ...by,
    ...tokens.slice(to),
  ];
  /** @type {Choice[]} */
  const found = reading.marks[index].others.map(({ token, confidence }) => ({
    tokens: replaced(index, index + 1, [token]),
    shown: glyph(token),
    confidence,
  }));
  const written = tokens.map((_, place) => place).filter((place) => isWritten(tokens[place]));
  const ours = written.map((place) => tokens[place]);
  for (const { latex, confidence } of reading.alternatives) {
    const theirs = tokensOf(latex).filter(isWritten);
    const hunk = differences(ours, theirs).find(
      ({ from }) => written[from[0]] <= index && index <= written[from[1] - 1],
    );
    const by = hunk ? theirs.slice(...hunk.to) : [];
    if (!hunk || by.length === 0 || by.length > LONGEST_CHOICE) continue;
    const [first, last] = [written[hunk.from[0]], written[hunk.from[1] - 1]];
    if (last - first !== hunk.from[1] - 1 - hunk.from[0] || last - first >= LONGEST_CHOICE) continue;
    found.push({ tokens: replaced(first, last + 1, by), shown: by.map(glyph).join(""), confidence });
  }
  const seen = new Set([latexOf(tokens)]);
  return found
    .filter(({ tokens: all }) => !seen.has(latexOf(all)) && seen.add(latexOf(all)))
    .slice(0, MOST_CHOICES);
}

/**
 * @typedef {object} Unit a part of the typeset formula that one symbol makes
 * @property {Element} node
 * @property {string} text
 */

/**
 * The parts of typeset mathematics, in the order in which LaTeX names them.
 * @param {Element} node a MathML element
 * @returns {Unit[]}
 */
export function unitsOf(node) {
  const children = [...node.children];
  const inside = (/** @type {Element[]} */ nodes) => nodes.flatMap(unitsOf);
  switch (node.localName) {
    case "mi":
    case "mn":
    case "mo":
    case "mtext": {
      const text = (node.textContent ?? "").replace(/[\s\u2061-\u2064]/gu, "");
      return text ? [{ node, text }] : [];
    }
    case "annotation":
    case "annotation-xml":
      return [];
    case "mfrac":
      return [
        ...(node.getAttribute("linethickness") === "0" ? [] : [{ node, text: glyph("\\frac") }]),
        ...inside(children),
      ];
    case "msqrt":
      return [{ node, text: glyph("\\sqrt") }, ...inside(children)];
    case "mroot":
      return [{ node, text: glyph("\\sqrt") }, ...inside(children.reverse())];
    case "mover":
    case "munder":
      return inside(node.getAttribute("accent") === "true" ? children.reverse() : children);
    default:
      return inside(children);
  }
}

/**
 * Which token each unit shows: the cheapest pairing that keeps both orders.
 * @param {Mark[]} marks
 * @param {Unit[]} units
 * @returns {number[]} for each unit the index of a mark, or -1
 */
export function paired(marks, units) {
  const [n, m] = [marks.length, units.length];
  const skip = marks.map((mark) => (isWritten(mark.token) ? 1 : 0.1));
  const cost = Array.from({ length: n + 1 }, () => new Float64Array(m + 1));
  for (let i = n; i >= 0; i--) {
    for (let j = m; j >= 0; j--) {
      if (i === n && j === m) continue;
      const either = Math.min(
        i < n ? cost[i + 1][j] + skip[i] : Infinity,
        j < m ? cost[i][j + 1] + 1 : Infinity,
      );
      cost[i][j] =
        i < n && j < m
          ? Math.min(either, cost[i + 1][j + 1] + unlike(marks[i].token, units[j].text))
          : either;
    }
  }
  const pairs = new Array(m).fill(-1);
  let [i, j] = [0, 0];
  while (i < n && j < m) {
    if (cost[i][j] === cost[i + 1][j + 1] + unlike(marks[i].token, units[j].text)) pairs[j++] = i++;
    else if (cost[i][j] === cost[i + 1][j] + skip[i]) i += 1;
    else j += 1;
  }
  return pairs;
}

/**
 * @param {string} token
 * @param {string} text
 */
function unlike(token, text) {
  if (glyph(token) === text) return 0;
  if (!isWritten(token)) return Infinity;
  // A command whose look is not known shows as some sign or word; a digit or letter never does.
  if (!hasGlyph(token)) return text.length > 1 || text > "\u007f" ? 0.5 : 1.5;
  return 1.5;
}
