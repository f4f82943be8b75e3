// The sheet: what stands on it, what undo brings back, and which strokes make one formula.

import { boundsOf, moved, symbolSize, union } from "./ink.js";

/** @typedef {import("./ink.js").Box} Box */
/** @typedef {import("./ink.js").Stroke} Stroke */

/**
 * @typedef {object} Picture a picture of a formula, laid on the sheet
 * @property {string} id
 * @property {"picture"} kind
 * @property {number} left
 * @property {number} top
 * @property {number} scale units of the sheet in a pixel of the picture
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {Blob} blob
 */

/** @typedef {Stroke | Picture} Item */

/**
 * @typedef {object} Timeline the states of a sheet, for undo and redo; the items themselves never change
 * @property {Item[][]} past
 * @property {Item[]} items
 * @property {Item[][]} future
 */

// Gaps, in sizes of a typical symbol, up to which what lies above and below is one formula.
const PLAIN_GAP = 1.0;
const NARROW_GAP = 1.1; // beside something much narrower, such as a limit under its sum
const BOUND_GAP = 1.6; // beside a fraction bar or a dot
const NARROW = 0.35; // of the other's width
const FLAT = 0.35; // of a typical symbol's height
const MOST_STATES = 200;

/** @returns {Timeline} */
export function blank() {
  return { past: [], items: [], future: [] };
}

/**
 * The next state of the sheet.
 * @param {Timeline} timeline
 * @param {Item[]} items
 * @returns {Timeline}
 */
export function changed(timeline, items) {
  return { past: [...timeline.past, timeline.items].slice(-MOST_STATES), items, future: [] };
}

/**
 * @param {Timeline} timeline
 * @returns {Timeline}
 */
export function undone(timeline) {
  const { past, items, future } = timeline;
  if (past.length === 0) return timeline;
  return { past: past.slice(0, -1), items: past[past.length - 1], future: [items, ...future] };
}

/**
 * @param {Timeline} timeline
 * @returns {Timeline}
 */
export function redone(timeline) {
  const { past, items, future } = timeline;
  if (future.length === 0) return timeline;
  return { past: [...past, items], items: future[0], future: future.slice(1) };
}

/**
 * @param {Item[]} items
 * @param {Iterable<string>} ids
 */
export function without(items, ids) {
  const gone = new Set(ids);
  return items.filter((item) => !gone.has(item.id));
}

/**
 * Items with some of them moved. What moved counts as new, so that it is read again.
 * @param {Item[]} items
 * @param {Set<string>} ids
 * @param {number} dx
 * @param {number} dy
 * @returns {Item[]}
 */
export function shifted(items, ids, dx, dy) {
  return items.map((item) => {
    if (!ids.has(item.id)) return item;
    if (item.kind === "stroke") return moved(item, dx, dy);
    return { ...item, left: item.left + dx, top: item.top + dy };
  });
}

/**
 * @param {Item} item
 * @returns {Box}
 */
export function boxOf(item) {
  if (item.kind === "stroke") return boundsOf(item.points);
  const { left, top, scale, width, height } = item;
  return { left, top, right: left + width * scale, bottom: top + height * scale };
}

/**
 * The formulas of a sheet from top to bottom. Strokes belong together unless a gap wider than usual within
 * a formula lies between them; a picture is a formula of its own.
 * @param {Item[]} items
 * @returns {Item[][]} items of a formula in the order in which they were written
 */
export function formulasOf(items) {
  const strokes = items.filter((item) => item.kind === "stroke");
  const pictures = items.filter((item) => item.kind === "picture").map((item) => [item]);
  const groups = [...lines(strokes), ...pictures];
  const top = (/** @type {Item[]} */ group) => Math.min(...group.map((item) => boxOf(item).top));
  return groups.sort((a, b) => top(a) - top(b));
}

/**
 * @param {Stroke[]} strokes
 * @returns {Item[][]}
 */
function lines(strokes) {
  const size = symbolSize(strokes) || 1;
  /** @type {{strokes: Stroke[], box: Box}[]} */
  const bands = [];
  const boxed = strokes.map((stroke) => ({ strokes: [stroke], box: boundsOf(stroke.points) }));
  for (const next of boxed.sort((a, b) => a.box.top - b.box.top)) {
    const band = bands[bands.length - 1];
    if (band && next.box.top <= band.box.bottom) bands[bands.length - 1] = joined(band, next);
    else bands.push(next);
  }
  /** @type {typeof bands} */
  const formulas = [];
  /** @type {Box | null} */
  let above = null;
  for (const band of bands) {
    const formula = formulas[formulas.length - 1];
    const near = above !== null && band.box.top - above.bottom <= allowedGap(above, band.box, size);
    if (formula && near) formulas[formulas.length - 1] = joined(formula, band);
    else formulas.push(band);
    above = band.box;
  }
  const place = new Map(strokes.map((stroke, index) => [stroke.id, index]));
  const order = (/** @type {Stroke} */ stroke) => place.get(stroke.id) ?? 0;
  return formulas.map((formula) => formula.strokes.sort((a, b) => order(a) - order(b)));
}

/**
 * @param {Box} above
 * @param {Box} below
 * @param {number} size of a typical symbol
 */
function allowedGap(above, below, size) {
  const flattest = Math.min(above.bottom - above.top, below.bottom - below.top);
  if (flattest < FLAT * size) return BOUND_GAP * size;
  const widths = [above.right - above.left, below.right - below.left].sort((a, b) => a - b);
  return (widths[0] < NARROW * widths[1] ? NARROW_GAP : PLAIN_GAP) * size;
}

/**
 * @param {{strokes: Stroke[], box: Box}} a
 * @param {{strokes: Stroke[], box: Box}} b
 */
function joined(a, b) {
  return { strokes: [...a.strokes, ...b.strokes], box: union([a.box, b.box]) };
}

/**
 * Gives each formula of now the name of the formula before that it shares most items with, so that what is
 * known of it stays with it; the others get new names.
 * @param {Map<string, Item[]>} before name -> items
 * @param {Item[][]} now
 * @param {() => string} newName
 * @returns {Map<string, Item[]>} in the order of ``now``
 */
export function named(before, now, newName) {
  const owner = new Map();
  for (const [name, items] of before) for (const item of items) owner.set(item.id, name);
  const shares = now.flatMap((items, index) => {
    const counts = new Map();
    for (const item of items) {
      const name = owner.get(item.id);
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].map(([name, count]) => ({ index, name, count }));
  });
  const names = new Map();
  const taken = new Set();
  for (const { index, name } of shares.sort((a, b) => b.count - a.count || a.index - b.index)) {
    if (names.has(index) || taken.has(name)) continue;
    names.set(index, name);
    taken.add(name);
  }
  return new Map(now.map((items, index) => [names.get(index) ?? newName(), items]));
}

/**
 * @param {Item[]} a
 * @param {Item[]} b
 */
export function sameItems(a, b) {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/**
 * How far items moved, all by the same way.
 * @param {Item[]} before
 * @param {Item[]} after
 * @returns {[number, number] | null} null if they changed otherwise
 */
export function shiftOf(before, after) {
  if (before.length !== after.length) return null;
  const ways = before.map((item, index) => {
    const other = after[index];
    if (item.id !== other.id) return null;
    const [[ax, ay], [bx, by]] = [startOf(item), startOf(other)];
    return /** @type {[number, number]} */ ([bx - ax, by - ay]);
  });
  const [first] = ways;
  const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < 1e-6;
  return first && ways.every((way) => way && near(way[0], first[0]) && near(way[1], first[1])) ? first : null;
}

/**
 * @param {Item} item
 * @returns {readonly number[]}
 */
function startOf(item) {
  return item.kind === "stroke" ? item.points[0] : [item.left, item.top];
}
