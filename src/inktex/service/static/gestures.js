// What a movement means: scratching out, a loop around strokes; and which pointer is the one that writes.

import { boundsOf, grown, holds, lengthOf } from "./ink.js";

/** @typedef {import("./ink.js").Point} Point */
/** @typedef {import("./ink.js").Stroke} Stroke */

const FEWEST_SWEEPS = 5; // to and fro and to and fro and to
const SWEEP = 0.4; // a sweep goes over at least this share of the gesture's width
const COVERED = 0.7; // of a stroke's points must be scratched over
const PALM_MS = 1200; // fingers count for nothing this long after a pen was near
const PINCH_MS = 300; // a second finger this soon makes two fingers of a stroke

/**
 * How often points go to and fro along an axis.
 * @param {number[]} values the coordinate along the axis
 * @returns {number} sweeps in alternating direction
 */
export function sweeps(values) {
  const extent = Math.max(...values) - Math.min(...values);
  let count = 0;
  let direction = 0;
  let extreme = values[0];
  for (const value of values) {
    const gone = value - extreme;
    if (direction !== 0 && gone * direction > 0) extreme = value;
    else if (Math.abs(gone) >= extent * SWEEP && extent > 0) {
      direction = Math.sign(gone);
      extreme = value;
      count += 1;
    }
  }
  return count;
}

/**
 * The strokes that a movement scratches out: it goes to and fro over them.
 * @param {Point[]} points the movement
 * @param {Stroke[]} strokes what stands on the sheet
 * @returns {string[]} ids; none if the movement is writing
 */
export function scratchedOut(points, strokes) {
  const box = boundsOf(points);
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  if (lengthOf(points) < 2.5 * Math.hypot(width, height)) return [];
  const most = Math.max(...[0, 1].map((axis) => sweeps(points.map((point) => point[axis]))));
  if (most < FEWEST_SWEEPS) return [];
  const reach = grown(box, 0.1 * Math.min(width, height));
  return strokes
    .filter((stroke) => share(stroke.points, ([x, y]) => holds(reach, x, y)) >= COVERED)
    .map((stroke) => stroke.id);
}

/**
 * Whether a place lies within a closed line, by the even-odd rule.
 * @param {readonly (readonly number[])[]} line
 * @param {number} x
 * @param {number} y
 */
export function encloses(line, x, y) {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [[ax, ay], [bx, by]] = [line[i], line[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/**
 * Whether a loop means a stroke: most of its points lie within.
 * @param {readonly (readonly number[])[]} loop
 * @param {Stroke} stroke
 */
export function lassoed(loop, stroke) {
  return share(stroke.points, ([x, y]) => encloses(loop, x, y)) > 0.6;
}

/**
 * @param {Point[]} points
 * @param {(point: Point) => boolean} test
 */
function share(points, test) {
  return points.filter(test).length / points.length;
}

/**
 * @typedef {object} Touch the parts of a pointer event that decide who writes
 * @property {number} pointerId
 * @property {string} pointerType
 * @property {number} timeStamp milliseconds
 */

/** @typedef {"write" | "takeOver" | "pinch" | "ignore"} Role */

/**
 * Decides which pointer writes: one at a time, the pen before the hand that holds it, two fingers to move
 * the paper.
 */
export class Pointers {
  constructor() {
    /** @type {Touch | null} */
    this.writing = null;
    /** @type {Set<number>} */
    this.pinching = new Set();
    this.penSeen = -Infinity;
  }

  /**
   * A pen was seen, on the paper or above it.
   * @param {Touch} event
   */
  seen(event) {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
  }

  /**
   * A pointer came down; what it is there for. After "takeOver" and "pinch" the stroke that was being
   * written is void.
   * @param {Touch} event
   * @returns {Role}
   */
  down(event) {
    this.seen(event);
    const finger = event.pointerType === "touch";
    if (finger && event.timeStamp - this.penSeen < PALM_MS) return "ignore";
    if (finger && this.pinching.size === 1) return this.#pinch(event.pointerId);
    if (this.writing === null && this.pinching.size === 0) {
      this.writing = event;
      return "write";
    }
    if (event.pointerType === "pen" && this.writing?.pointerType !== "pen") {
      this.pinching.clear();
      this.writing = event;
      return "takeOver";
    }
    if (finger && this.writing?.pointerType === "touch") {
      if (event.timeStamp - this.writing.timeStamp < PINCH_MS) {
        const first = this.writing.pointerId;
        this.writing = null;
        return this.#pinch(first, event.pointerId);
      }
    }
    return "ignore";
  }

  /**
   * A pointer was lifted or lost.
   * @param {Touch} event
   */
  up(event) {
    this.seen(event);
    if (this.writing?.pointerId === event.pointerId) this.writing = null;
    this.pinching.delete(event.pointerId);
  }

  /**
   * Whether a pointer is the one that writes.
   * @param {Touch} event
   */
  writes(event) {
    return this.writing?.pointerId === event.pointerId;
  }

  /**
   * @param {number[]} ids
   * @returns {Role}
   */
  #pinch(...ids) {
    for (const id of ids) this.pinching.add(id);
    return "pinch";
  }
}
