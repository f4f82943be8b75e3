// How ink and marks are drawn on a canvas.

import { course, grown, widthAt } from "./ink.js";

/** @typedef {import("./ink.js").Box} Box */
/** @typedef {import("./ink.js").Point} Point */
/** @typedef {{box: Box, look: "lit" | "unsure" | "unknown" | "formula"}} Highlight */

const PEN_WIDTH = 2.8;
const SAME_WIDTH = 0.15; // pieces of a line that differ by less are drawn in one go

/**
 * Mark a place: a line under what is unsure, a bar beside the formula that is meant, else a tint.
 * @param {CanvasRenderingContext2D} target
 * @param {Highlight} highlight
 * @param {string} color
 * @param {number} scale pixels in a unit of the sheet
 */
export function drawHighlight(target, { box, look }, color, scale) {
  target.fillStyle = color;
  if (look === "unsure") {
    target.fillRect(box.left, box.bottom + 4 / scale, box.right - box.left, 2.5 / scale);
    return;
  }
  if (look === "formula") {
    rounded(target, { ...box, left: box.left - 16 / scale, right: box.left - 12 / scale }, 2 / scale);
  } else {
    rounded(target, grown(box, 4 / scale), 6 / scale);
  }
  target.fill();
}

/**
 * Begin the outline of a box with round corners.
 * @param {CanvasRenderingContext2D} target
 * @param {Box} box
 * @param {number} radius
 */
export function rounded(target, { left, top, right, bottom }, radius) {
  target.beginPath();
  target.roundRect(left, top, right - left, bottom - top, radius);
}

/**
 * Draw a stroke with its smooth course and the width that pressure gives it.
 * @param {CanvasRenderingContext2D} target
 * @param {Point[]} points
 * @param {string} color
 */
export function drawStroke(target, points, color) {
  target.strokeStyle = target.fillStyle = color;
  target.lineCap = target.lineJoin = "round";
  const segments = course(points, PEN_WIDTH);
  if (segments.length === 0) {
    const [x, y, pressure] = points[0];
    target.beginPath();
    target.arc(x, y, widthAt(pressure, PEN_WIDTH) * 0.6, 0, 2 * Math.PI);
    target.fill();
    return;
  }
  let width = NaN;
  for (const segment of segments) {
    if (!(Math.abs(segment.width - width) < SAME_WIDTH)) {
      if (!Number.isNaN(width)) target.stroke();
      width = target.lineWidth = segment.width;
      target.beginPath();
      target.moveTo(segment.x0, segment.y0);
    }
    target.quadraticCurveTo(segment.cx, segment.cy, segment.x1, segment.y1);
  }
  target.stroke();
}
