// Strokes: their shape, size and smooth course. Coordinates are those of the sheet, y downwards.

/** @typedef {[number, number, number]} Point x, y, pressure from 0 to 1 */

/**
 * @typedef {object} Stroke
 * @property {string} id
 * @property {"stroke"} kind
 * @property {Point[]} points at least one
 */

/**
 * @typedef {object} Box
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/**
 * @typedef {object} Segment a quadratic Bézier curve of one width
 * @property {number} x0
 * @property {number} y0
 * @property {number} cx the control point
 * @property {number} cy
 * @property {number} x1
 * @property {number} y1
 * @property {number} width
 */

/** Pressure of devices that do not measure it. */
export const PLAIN_PRESSURE = 0.5;
const THINNEST = 0.55; // width without pressure, as a share of the pen's
const PRESSURE_FOLLOWS = 0.3; // how fast the width follows the pressure, per point

/** A name that no other thing has; names sort by when they were given. */
export function newId() {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `${Date.now().toString(36)}-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * Width of the line at a pressure; a plain pressure gives the pen's own width.
 * @param {number} pressure
 * @param {number} penWidth
 */
export function widthAt(pressure, penWidth) {
  return penWidth * (THINNEST + (1 - THINNEST) * 2 * pressure);
}

/**
 * A smooth course through points: curves from the middle of each step to the middle of the next, steered by
 * the point between, so that the line has no corners and its ends stay where they were put.
 * @param {Point[]} points
 * @param {number} penWidth
 * @returns {Segment[]} none for a single point
 */
export function course(points, penWidth) {
  /** @type {Segment[]} */
  const segments = [];
  let [x0, y0, pressure] = points[0];
  for (let i = 1; i < points.length; i++) {
    const [cx, cy, pressed] = points[i - 1];
    const [x, y] = points[i];
    const last = i === points.length - 1;
    const x1 = last ? x : (cx + x) / 2;
    const y1 = last ? y : (cy + y) / 2;
    pressure += (pressed - pressure) * PRESSURE_FOLLOWS;
    segments.push({ x0, y0, cx, cy, x1, y1, width: widthAt(pressure, penWidth) });
    [x0, y0] = [x1, y1];
  }
  return segments;
}

/**
 * The smallest box around points.
 * @param {readonly (readonly number[])[]} points at least one
 * @returns {Box}
 */
export function boundsOf(points) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x);
    box.top = Math.min(box.top, y);
    box.right = Math.max(box.right, x);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

/**
 * The smallest box around boxes.
 * @param {Box[]} boxes at least one
 * @returns {Box}
 */
export function union(boxes) {
  return {
    left: Math.min(...boxes.map((box) => box.left)),
    top: Math.min(...boxes.map((box) => box.top)),
    right: Math.max(...boxes.map((box) => box.right)),
    bottom: Math.max(...boxes.map((box) => box.bottom)),
  };
}

/**
 * A box with a border on all sides.
 * @param {Box} box
 * @param {number} border
 * @returns {Box}
 */
export function grown(box, border) {
  return {
    left: box.left - border,
    top: box.top - border,
    right: box.right + border,
    bottom: box.bottom + border,
  };
}

/**
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 */
export function holds(box, x, y) {
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

/**
 * Distance of a place from the line between the points of a stroke.
 * @param {Point[]} points
 * @param {number} x
 * @param {number} y
 */
export function distanceTo(points, x, y) {
  let nearest = Math.hypot(points[0][0] - x, points[0][1] - y);
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1];
    const [dx, dy] = [points[i][0] - ax, points[i][1] - ay];
    const length = dx * dx + dy * dy;
    const along = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
    nearest = Math.min(nearest, Math.hypot(ax + along * dx - x, ay + along * dy - y));
  }
  return nearest;
}

/**
 * Length of the line through points.
 * @param {Point[]} points
 */
export function lengthOf(points) {
  let length = 0;
  for (let i = 1; i < points.length; i++) {
    length += Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]);
  }
  return length;
}

/**
 * Size of a typical symbol: the median of the strokes' longer sides, dots and the like left out.
 * @param {Stroke[]} strokes
 * @returns {number} 0 where there are only dots
 */
export function symbolSize(strokes) {
  const sides = strokes.map(({ points }) => {
    const box = boundsOf(points);
    return Math.max(box.right - box.left, box.bottom - box.top);
  });
  const largest = Math.max(0, ...sides);
  const counted = sides.filter((side) => side > largest / 12).sort((a, b) => a - b);
  return counted.length ? counted[Math.floor((counted.length - 1) / 2)] : 0;
}

/**
 * A stroke moved.
 * @param {Stroke} stroke
 * @param {number} dx
 * @param {number} dy
 * @returns {Stroke}
 */
export function moved(stroke, dx, dy) {
  return { ...stroke, points: stroke.points.map(([x, y, p]) => /** @type {Point} */ ([x + dx, y + dy, p])) };
}

/**
 * Strokes as recognition takes them: every point, to a hundredth of a unit, without pressure.
 * @param {Stroke[]} strokes
 * @returns {number[][][]}
 */
export function plain(strokes) {
  const hundredth = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return strokes.map(({ points }) => points.map(([x, y]) => [hundredth(x), hundredth(y)]));
}
