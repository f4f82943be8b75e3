// The sheet on the screen: finished ink, the stroke being written, and marks, on three canvases.

import { grown, union } from "./ink.js";
import { drawHighlight, drawStroke, rounded } from "./paint.js";
import { boxOf } from "./sheet.js";

/** @typedef {import("./ink.js").Box} Box */
/** @typedef {import("./ink.js").Point} Point */
/** @typedef {import("./sheet.js").Item} Item */
/** @typedef {import("./sheet.js").Picture} Picture */

/** @typedef {import("./paint.js").Highlight} Highlight */
/** @typedef {{ids: Set<string>, dx: number, dy: number}} Selection */

const SMALLEST = 0.25;
const LARGEST = 4;

/** Draws what it is told to, once a frame. */
export class SheetView {
  scale = 1;
  x = 0;
  y = 0;
  /** @type {Item[]} */
  #items = [];
  /** @type {Point[]} */
  #live = [];
  /** @type {Point[]} */
  #loop = [];
  /** @type {Selection} */
  #selection = { ids: new Set(), dx: 0, dy: 0 };
  /** @type {Highlight[]} */
  #highlights = [];
  /** @type {Map<Blob, ImageBitmap | null>} */
  #pictures = new Map();
  /** @type {Set<"ink" | "live" | "marks">} */
  #stale = new Set();

  /**
   * @param {HTMLElement} root holds canvases of the classes ink, live and marks
   * @param {() => void} [viewed] told when the view moved
   */
  constructor(root, viewed = () => {}) {
    this.root = root;
    this.viewed = viewed;
    this.contexts = {
      ink: context(root, "ink"),
      live: context(root, "live"),
      marks: context(root, "marks"),
    };
    new ResizeObserver(() => this.#resize()).observe(root);
    this.#resize();
  }

  /** @param {Item[]} items */
  setItems(items) {
    this.#items = items;
    this.#draw("ink");
  }

  /** @param {Point[]} points of the stroke being written */
  setLive(points) {
    this.#live = points;
    this.#draw("live");
  }

  /** @param {Point[]} points of the loop being drawn */
  setLoop(points) {
    this.#loop = points;
    this.#draw("marks");
  }

  /** @param {Selection} selection and how far it is being moved */
  setSelection(selection) {
    this.#selection = selection;
    this.#draw("ink", "live", "marks");
  }

  /** @param {Highlight[]} highlights */
  setHighlights(highlights) {
    this.#highlights = highlights;
    this.#draw("marks");
  }

  /** Draw all anew, as after a change of colours. */
  refresh() {
    this.#draw("ink", "live", "marks");
  }

  /**
   * Where on the sheet something of the window is.
   * @param {number} clientX
   * @param {number} clientY
   * @returns {[number, number]}
   */
  place(clientX, clientY) {
    const { left, top } = this.root.getBoundingClientRect();
    return [(clientX - left - this.x) / this.scale, (clientY - top - this.y) / this.scale];
  }

  /**
   * Where in the window a box of the sheet is.
   * @param {Box} box
   * @returns {DOMRect}
   */
  onScreen(box) {
    const { left, top } = this.root.getBoundingClientRect();
    const width = (box.right - box.left) * this.scale;
    const height = (box.bottom - box.top) * this.scale;
    return new DOMRect(
      left + this.x + box.left * this.scale,
      top + this.y + box.top * this.scale,
      width,
      height,
    );
  }

  /**
   * @param {number} dx pixels
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#view(this.scale, this.x + dx, this.y + dy);
  }

  /**
   * Zoom about a place of the window that stays where it is; without one, about the middle.
   * @param {number} factor
   * @param {number} [clientX]
   * @param {number} [clientY]
   */
  zoom(factor, clientX, clientY) {
    const bounds = this.root.getBoundingClientRect();
    const px = (clientX ?? bounds.left + bounds.width / 2) - bounds.left;
    const py = (clientY ?? bounds.top + bounds.height / 2) - bounds.top;
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    const ratio = scale / this.scale;
    this.#view(scale, px - (px - this.x) * ratio, py - (py - this.y) * ratio);
  }

  /** Bring everything into view, unless it is there. */
  reveal() {
    if (this.#items.length === 0) return;
    const there = this.onScreen(union(this.#items.map(boxOf)));
    const { left, top, right, bottom } = this.root.getBoundingClientRect();
    if (there.left < left || there.top < top || there.right > right || there.bottom > bottom) this.fit();
  }

  /** Bring everything into view, at natural size if that is possible. */
  fit() {
    if (this.#items.length === 0) return this.#view(1, 0, 0);
    const box = grown(union(this.#items.map(boxOf)), 24);
    const { width, height } = this.root.getBoundingClientRect();
    const needed = Math.min(width / (box.right - box.left), height / (box.bottom - box.top));
    const scale = Math.min(1, Math.max(SMALLEST, needed));
    const x = (width - (box.left + box.right) * scale) / 2;
    const y = (height - (box.top + box.bottom) * scale) / 2;
    return this.#view(scale, x, y);
  }

  /**
   * @param {number} scale
   * @param {number} x
   * @param {number} y
   */
  #view(scale, x, y) {
    Object.assign(this, { scale, x, y });
    const { style } = this.root;
    style.setProperty("--step", `${32 * scale}px`);
    style.setProperty("--shift-x", `${x}px`);
    style.setProperty("--shift-y", `${y}px`);
    this.viewed();
    this.refresh();
  }

  #resize() {
    const { width, height } = this.root.getBoundingClientRect();
    for (const { canvas } of Object.values(this.contexts)) {
      canvas.width = Math.max(1, Math.round(width * ratio()));
      canvas.height = Math.max(1, Math.round(height * ratio()));
    }
    this.refresh();
  }

  /** @param {("ink" | "live" | "marks")[]} layers */
  #draw(...layers) {
    if (this.#stale.size === 0) requestAnimationFrame(() => this.#frame());
    for (const layer of layers) this.#stale.add(layer);
  }

  #frame() {
    const stale = [...this.#stale];
    this.#stale.clear();
    for (const layer of stale) {
      const target = this.contexts[layer];
      target.setTransform(1, 0, 0, 1, 0, 0);
      target.clearRect(0, 0, target.canvas.width, target.canvas.height);
      const zoom = this.scale * ratio();
      target.setTransform(zoom, 0, 0, zoom, this.x * ratio(), this.y * ratio());
      if (layer === "ink") this.#drawInk(target);
      else if (layer === "live") this.#drawLive(target);
      else this.#drawMarks(target);
    }
  }

  /** @param {CanvasRenderingContext2D} target */
  #drawInk(target) {
    const color = getComputedStyle(this.root).color;
    for (const item of this.#items) {
      if (this.#moving(item)) continue;
      if (item.kind === "picture") this.#drawPicture(target, item);
      else drawStroke(target, item.points, color);
    }
  }

  /** @param {CanvasRenderingContext2D} target */
  #drawLive(target) {
    const color = getComputedStyle(this.root).color;
    if (this.#live.length) drawStroke(target, this.#live, color);
    target.translate(this.#selection.dx, this.#selection.dy);
    for (const item of this.#items) {
      if (!this.#moving(item)) continue;
      if (item.kind === "picture") this.#drawPicture(target, item);
      else drawStroke(target, item.points, color);
    }
  }

  /** @param {CanvasRenderingContext2D} target */
  #drawMarks(target) {
    const style = getComputedStyle(this.root);
    const thin = 1.5 / this.scale;
    for (const highlight of this.#highlights) {
      drawHighlight(target, highlight, style.getPropertyValue(`--mark-${highlight.look}`), this.scale);
    }
    target.strokeStyle = target.fillStyle = style.getPropertyValue("--accent");
    target.lineWidth = thin;
    target.setLineDash([6 / this.scale, 4 / this.scale]);
    const selected = this.#items.filter((item) => this.#selection.ids.has(item.id));
    if (selected.length) {
      const box = grown(union(selected.map(boxOf)), 8 / this.scale);
      const { dx, dy } = this.#selection;
      rounded(
        target,
        { left: box.left + dx, right: box.right + dx, top: box.top + dy, bottom: box.bottom + dy },
        6 / this.scale,
      );
      target.stroke();
    }
    target.beginPath();
    for (const [x, y] of this.#loop) target.lineTo(x, y);
    target.stroke();
    target.setLineDash([]);
  }

  /** @param {Item} item */
  #moving({ id }) {
    const { ids, dx, dy } = this.#selection;
    return (dx !== 0 || dy !== 0) && ids.has(id);
  }

  /**
   * @param {CanvasRenderingContext2D} target
   * @param {Picture} picture
   */
  #drawPicture(target, picture) {
    const { blob, left, top, scale, width, height } = picture;
    const bitmap = this.#pictures.get(blob);
    if (bitmap) target.drawImage(bitmap, left, top, width * scale, height * scale);
    if (bitmap !== undefined) return;
    this.#pictures.set(blob, null);
    createImageBitmap(blob).then(
      (decoded) => {
        this.#pictures.set(blob, decoded);
        this.#draw("ink");
      },
      () => {},
    );
  }
}

function ratio() {
  return Math.min(3, globalThis.devicePixelRatio || 1);
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 */
function context(root, name) {
  const canvas = /** @type {HTMLCanvasElement} */ (root.querySelector(`canvas.${name}`));
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}
