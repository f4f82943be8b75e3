// The dialog in which a picture is turned, cropped and straightened before it is read.

import { chained, cutoutSize, dragged, projection, rectangle, squared, turned, warped } from "./crop.js";
import { byId, make } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("./crop.js").Corners} Corners */
/** @typedef {import("./crop.js").Matrix} Matrix */
/** @typedef {{blob: Blob, width: number, height: number}} Cutout */

const LONGEST_SOURCE = 2400; // pixels; larger pictures are made smaller first
const LONGEST_CUTOUT = 1600;
const PNG_AREA = 500_000; // larger cutouts are photographs, and sent as JPEG
const ARROW_STEP = 4; // pixels of the screen

/** Asks which part of a picture is to be read. */
export class CropDialog {
  /** @type {HTMLCanvasElement} the picture as it came */
  #source = document.createElement("canvas");
  #turns = 0;
  #free = false;
  /** @type {Corners} of the cutout, in the turned picture */
  #corners = rectangle(1, 1);
  #size = { width: 1, height: 1 }; // of the turned picture
  #scale = 1; // pixels of the screen in one of the picture
  /** @type {(cutout: Cutout | null) => void} */
  #done = () => {};

  constructor() {
    this.dialog = /** @type {HTMLDialogElement} */ (byId("crop"));
    this.stage = byId("crop-stage");
    this.canvas = /** @type {HTMLCanvasElement} */ (this.stage.querySelector("canvas"));
    this.tilt = /** @type {HTMLInputElement} */ (byId("tilt"));
    this.handles = [0, 1, 2, 3].map((index) => this.#handle(index));
    this.stage.append(...this.handles);
    byId("turn-left").addEventListener("click", () => this.#turn(-1));
    byId("turn-right").addEventListener("click", () => this.#turn(1));
    this.tilt.addEventListener("input", () => this.#tilted());
    byId("crop-square").addEventListener("click", () => this.#setFree(false));
    byId("crop-free").addEventListener("click", () => this.#setFree(true));
    byId("crop-cancel").addEventListener("click", () => this.dialog.close());
    byId("crop-read").addEventListener("click", () => this.#read());
    this.dialog.addEventListener("close", () => this.#done(null));
    new ResizeObserver(() => this.#draw()).observe(this.stage);
  }

  /**
   * @param {ImageBitmap} picture
   * @returns {Promise<Cutout | null>} null if the reader changed their mind
   */
  ask(picture) {
    const scale = Math.min(1, LONGEST_SOURCE / Math.max(picture.width, picture.height));
    this.#source.width = Math.max(1, Math.round(picture.width * scale));
    this.#source.height = Math.max(1, Math.round(picture.height * scale));
    const context = /** @type {CanvasRenderingContext2D} */ (this.#source.getContext("2d"));
    // Transparent pictures hold dark ink as a rule.
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.#source.width, this.#source.height);
    context.drawImage(picture, 0, 0, this.#source.width, this.#source.height);
    this.#turns = 0;
    this.tilt.value = "0";
    this.#corners = rectangle(this.#source.width, this.#source.height);
    this.#setFree(false);
    this.handles.forEach((handle, index) => handle.setAttribute("aria-label", t("corner", { n: index + 1 })));
    this.dialog.showModal();
    this.#draw();
    return new Promise((resolve) => (this.#done = resolve));
  }

  #turned() {
    return turned(this.#source.width, this.#source.height, 90 * this.#turns + Number(this.tilt.value));
  }

  /** @param {number} way 1 to the right, -1 to the left */
  #turn(way) {
    const { width, height } = this.#turned();
    this.#turns = (this.#turns + way + 4) % 4;
    const corners = this.#corners.map(([x, y]) => (way > 0 ? [height - y, x] : [y, width - x]));
    // The corner that is upper left now was lower left before a turn to the right.
    const first = way > 0 ? 3 : 1;
    this.#corners = /** @type {Corners} */ ([0, 1, 2, 3].map((index) => corners[(first + index) % 4]));
    this.#draw();
  }

  /** The frame stays in the middle of what is turned beneath it; around a whole picture, it grows. */
  #tilted() {
    const { width, height } = this.#turned();
    const [dx, dy] = [(width - this.#size.width) / 2, (height - this.#size.height) / 2];
    const [, [right], [, bottom]] = this.#corners;
    const [[left, top]] = this.#corners;
    const whole = left < 1 && top < 1 && right > this.#size.width - 1 && bottom > this.#size.height - 1;
    if (whole) this.#corners = rectangle(width, height);
    else this.#corners = /** @type {Corners} */ (this.#corners.map(([x, y]) => [x + dx, y + dy]));
    this.#draw();
  }

  /** @param {boolean} free */
  #setFree(free) {
    this.#free = free;
    if (!free) this.#corners = squared(this.#corners);
    byId("crop-square").setAttribute("aria-pressed", String(!free));
    byId("crop-free").setAttribute("aria-pressed", String(free));
    this.#draw();
  }

  /** @param {number} index */
  #handle(index) {
    const handle = make("button", { className: "handle" });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const { left, top } = this.canvas.getBoundingClientRect();
      this.#drag(index, (event.clientX - left) / this.#scale, (event.clientY - top) / this.#scale);
    });
    handle.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const way = ways[/** @type {keyof ways} */ (event.key)];
      if (!way) return;
      event.preventDefault();
      const step = ARROW_STEP / this.#scale;
      const [x, y] = this.#corners[index];
      this.#drag(index, x + way[0] * step, y + way[1] * step);
    });
    return handle;
  }

  /**
   * @param {number} index
   * @param {number} x
   * @param {number} y
   */
  #drag(index, x, y) {
    const { width, height } = this.#turned();
    this.#corners = dragged(this.#corners, index, [x, y], { width, height, free: this.#free });
    this.#draw();
  }

  #draw() {
    if (!this.dialog.open) return;
    const { width, height, matrix } = this.#turned();
    this.#size = { width, height };
    this.#corners = /** @type {Corners} */ (
      this.#corners.map(([x, y]) => [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)])
    );
    const room = this.stage.getBoundingClientRect();
    this.#scale = Math.min((room.width - 32) / width, (room.height - 32) / height, 3);
    const density = globalThis.devicePixelRatio || 1;
    const [shownWidth, shownHeight] = [width * this.#scale, height * this.#scale];
    this.canvas.width = Math.max(1, Math.round(shownWidth * density));
    this.canvas.height = Math.max(1, Math.round(shownHeight * density));
    this.canvas.style.width = `${shownWidth}px`;
    this.canvas.style.height = `${shownHeight}px`;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const zoom = this.#scale * density;
    const [a, c, e, b, d, f] = inverted(matrix);
    context.setTransform(zoom * a, zoom * b, zoom * c, zoom * d, zoom * e, zoom * f);
    context.drawImage(this.#source, 0, 0);
    context.setTransform(zoom, 0, 0, zoom, 0, 0);
    this.#shade(context, width, height);
    this.#place(room);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  #shade(context, width, height) {
    const outline = new Path2D();
    this.#corners.forEach(([x, y]) => outline.lineTo(x, y));
    outline.closePath();
    const outside = new Path2D(outline);
    outside.rect(0, 0, width, height);
    context.fillStyle = "rgb(10 14 22 / 55%)";
    context.fill(outside, "evenodd");
    context.strokeStyle = "#fff";
    context.lineWidth = 2 / this.#scale;
    context.stroke(outline);
  }

  /** @param {DOMRect} room of the stage */
  #place(room) {
    const { left, top } = this.canvas.getBoundingClientRect();
    this.handles.forEach((handle, index) => {
      const [x, y] = this.#corners[index];
      handle.style.left = `${left - room.left + x * this.#scale}px`;
      handle.style.top = `${top - room.top + y * this.#scale}px`;
    });
  }

  async #read() {
    const { width, height } = cutoutSize(this.#corners, LONGEST_CUTOUT);
    const flat = projection(rectangle(width, height), this.#corners);
    const context = /** @type {CanvasRenderingContext2D} */ (this.#source.getContext("2d"));
    const source = context.getImageData(0, 0, this.#source.width, this.#source.height);
    const pixels = warped(source, chained(flat, this.#turned().matrix), width, height);
    const canvas = make("canvas", { width, height });
    const target = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const image = target.createImageData(width, height);
    image.data.set(pixels);
    target.putImageData(image, 0, 0);
    const type = width * height > PNG_AREA ? "image/jpeg" : "image/png";
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, 0.93));
    this.#done(blob && { blob, width, height });
    this.#done = () => {};
    this.dialog.close();
  }
}

/**
 * The inverse of a map that keeps parallels.
 * @param {Matrix} matrix
 * @returns {number[]} its two upper rows
 */
function inverted([a, b, c, d, e, f]) {
  const area = a * e - b * d;
  const upper = [e / area, -b / area, (b * f - c * e) / area];
  return [...upper, -d / area, a / area, (c * d - a * f) / area];
}
