// From pointers to strokes: what pen, finger and mouse do on the sheet, with each tool.

import { grown, distanceTo, holds, newId, PLAIN_PRESSURE, union } from "./ink.js";
import { encloses, lassoed, Pointers, scratchedOut } from "./gestures.js";
import { boxOf, shifted, without } from "./sheet.js";

/** @typedef {import("./ink.js").Point} Point */
/** @typedef {import("./ink.js").Stroke} Stroke */
/** @typedef {import("./sheet.js").Item} Item */
/** @typedef {"pen" | "eraser" | "select"} Tool */

/**
 * @typedef {object} Host what the pen works on
 * @property {() => Item[]} items
 * @property {(items: Item[], cause: "write" | "erase" | "scratch" | "move") => void} commit
 * @property {(busy: boolean) => void} writing told when a stroke begins and ends
 * @property {(place: [number, number] | null) => void} hover where the pointer is above the sheet
 * @property {(place: [number, number]) => void} tap something was touched with the selecting tool
 * @property {() => void} selected the selection changed
 */

const REACH = 9; // pixels around the pointer that the eraser and a tap take in
const ERASER_BUTTON = 32; // of PointerEvent.buttons
const TAP = 6; // a movement of fewer pixels is a tap

/** Turns pointer events into changes of the sheet. */
export class Pen {
  /** @type {Tool} */
  tool = "pen";
  /** @type {Set<string>} */
  selection = new Set();
  #pointers = new Pointers();
  /** @type {Point[]} */
  #points = [];
  /** @type {Tool | "move"} what the pointer that is down does */
  #doing = "pen";
  /** @type {Set<string>} */
  #erased = new Set();
  /** @type {Map<number, [number, number]>} places of two fingers */
  #fingers = new Map();

  /**
   * @param {HTMLElement} element
   * @param {import("./sheet_view.js").SheetView} view
   * @param {Host} host
   */
  constructor(element, view, host) {
    this.view = view;
    this.host = host;
    this.element = element;
    const on = (/** @type {string} */ type, /** @type {(event: PointerEvent) => void} */ action) =>
      element.addEventListener(type, /** @type {EventListener} */ (action));
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#cancel(event));
    on("pointerleave", () => host.hover(null));
    for (const type of ["keydown", "blur"]) on(type, () => element.classList.remove("touched"));
    on("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // Safari scrolls with a pencil despite touch-action.
    element.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
  }

  /** @param {Iterable<string>} ids */
  select(ids) {
    this.selection = new Set(ids);
    this.view.setSelection({ ids: this.selection, dx: 0, dy: 0 });
    this.host.selected();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    event.preventDefault();
    this.element.classList.add("touched");
    this.element.focus({ preventScroll: true });
    const role = this.#pointers.down(event);
    if (event.pointerType === "touch") this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (role === "pinch" || role === "takeOver") this.#void();
    if (role !== "write" && role !== "takeOver") return;
    this.element.setPointerCapture(event.pointerId);
    this.host.writing(true);
    this.host.hover(null);
    this.#erased = new Set();
    this.#points = [];
    this.#doing = this.#toolOf(event);
    this.#extend(event);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Tool | "move"}
   */
  #toolOf(event) {
    if (event.pointerType === "pen" && (event.buttons & ERASER_BUTTON || event.button === 5)) return "eraser";
    if (this.tool === "pen") this.#deselect();
    if (this.tool !== "select") return this.tool;
    const [x, y] = this.view.place(event.clientX, event.clientY);
    const chosen = this.host.items().filter((item) => this.selection.has(item.id));
    if (chosen.length && holds(grown(union(chosen.map(boxOf)), REACH / this.view.scale), x, y)) return "move";
    this.#deselect();
    return "select";
  }

  #deselect() {
    if (this.selection.size) this.select([]);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#pointers.seen(event);
    if (this.#pointers.pinching.has(event.pointerId)) return this.#pinch(event);
    if (this.#pointers.writes(event)) return this.#extend(event);
    const near = event.buttons === 0 && event.pointerType !== "touch";
    if (near) this.host.hover(this.view.place(event.clientX, event.clientY));
  }

  /**
   * Every place the pointer came by since the last event.
   * @param {PointerEvent} event
   */
  #extend(event) {
    const before = this.#points.length;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) {
      const [x, y] = this.view.place(each.clientX, each.clientY);
      const pressure = each.pointerType === "pen" && each.pressure > 0 ? each.pressure : PLAIN_PRESSURE;
      const last = this.#points[this.#points.length - 1];
      if (!last || last[0] !== x || last[1] !== y) this.#points.push([x, y, pressure]);
    }
    if (this.#doing === "pen") this.view.setLive(this.#points);
    else if (this.#doing === "eraser") this.#erase(before);
    else if (this.#doing === "select") this.view.setLoop(this.#points);
    else this.view.setSelection({ ids: this.selection, ...this.#way() });
  }

  /**
   * Erase what lies on the way of a fast pointer, too.
   * @param {number} from index of the first point that is new
   */
  #erase(from) {
    const step = REACH / this.view.scale;
    for (let i = Math.max(0, from - 1); i < this.#points.length; i++) {
      const [x, y] = this.#points[i];
      const [nextX, nextY] = this.#points[i + 1] ?? [x, y];
      const stops = Math.ceil(Math.hypot(nextX - x, nextY - y) / step) || 1;
      for (let stop = 0; stop < stops; stop++) {
        const share = stop / stops;
        for (const id of this.#at(x + (nextX - x) * share, y + (nextY - y) * share)) this.#erased.add(id);
      }
    }
    this.view.setItems(without(this.host.items(), this.#erased));
  }

  /**
   * Ids of the items at a place, the newest last.
   * @param {number} x
   * @param {number} y
   */
  #at(x, y) {
    const reach = REACH / this.view.scale;
    return this.host
      .items()
      .filter((item) =>
        item.kind === "stroke" ? distanceTo(item.points, x, y) < reach : holds(boxOf(item), x, y),
      )
      .map((item) => item.id);
  }

  /** @returns {{dx: number, dy: number}} from where the pointer came down to where it is */
  #way() {
    const [[fromX, fromY], [toX, toY]] = [this.#points[0], this.#points[this.#points.length - 1]];
    return { dx: toX - fromX, dy: toY - fromY };
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#fingers.delete(event.pointerId);
    const writes = this.#pointers.writes(event);
    if (writes) this.#extend(event);
    this.#pointers.up(event);
    if (!writes) return;
    const points = this.#points;
    this.#points = [];
    this.#finish(points);
    this.host.writing(false);
  }

  /** @param {Point[]} points */
  #finish(points) {
    const items = this.host.items();
    if (this.#doing === "pen") {
      const strokes = /** @type {Stroke[]} */ (items.filter((item) => item.kind === "stroke"));
      const gone = scratchedOut(points, strokes);
      if (gone.length) this.host.commit(without(items, gone), "scratch");
      else this.host.commit([...items, { id: newId(), kind: "stroke", points }], "write");
      this.view.setLive([]);
    } else if (this.#doing === "eraser") {
      if (this.#erased.size) this.host.commit(without(items, this.#erased), "erase");
    } else if (this.#doing === "select") {
      this.#choose(points);
    } else {
      const [first, last] = [points[0], points[points.length - 1]];
      const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
      if (Math.hypot(dx, dy) * this.view.scale < TAP) this.host.tap([first[0], first[1]]);
      else this.host.commit(shifted(items, this.selection, dx, dy), "move");
      this.view.setSelection({ ids: this.selection, dx: 0, dy: 0 });
    }
  }

  /** @param {Point[]} loop */
  #choose(loop) {
    this.view.setLoop([]);
    const [[x, y]] = loop;
    const tap = loop.every((point) => Math.hypot(point[0] - x, point[1] - y) * this.view.scale < TAP);
    if (tap) {
      this.select(this.#at(x, y).slice(-1));
      this.host.tap([x, y]);
      return;
    }
    const within = (/** @type {Item} */ item) => {
      if (item.kind === "stroke") return lassoed(loop, item);
      const box = boxOf(item);
      return encloses(loop, (box.left + box.right) / 2, (box.top + box.bottom) / 2);
    };
    this.select(
      this.host
        .items()
        .filter(within)
        .map((item) => item.id),
    );
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#pointers.writes(event)) this.#void();
    this.#pointers.up(event);
  }

  /** Forget the stroke being written. */
  #void() {
    this.#points = [];
    this.#erased = new Set();
    this.view.setLive([]);
    this.view.setLoop([]);
    this.view.setItems(this.host.items());
    this.view.setSelection({ ids: this.selection, dx: 0, dy: 0 });
    this.host.writing(false);
  }

  /** @param {PointerEvent} event of one of two fingers */
  #pinch(event) {
    const before = [...this.#fingers.values()];
    this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const after = [...this.#fingers.values()];
    if (before.length !== 2 || after.length !== 2) return;
    const middle = (/** @type {number[][]} */ [[ax, ay], [bx, by]]) => [(ax + bx) / 2, (ay + by) / 2];
    const apart = (/** @type {number[][]} */ [[ax, ay], [bx, by]]) => Math.hypot(ax - bx, ay - by) || 1;
    const [[fromX, fromY], [toX, toY]] = [middle(before), middle(after)];
    this.view.pan(toX - fromX, toY - fromY);
    this.view.zoom(apart(after) / apart(before), toX, toY);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey)
      this.view.zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    else this.view.pan(event.shiftKey ? -event.deltaY : -event.deltaX, event.shiftKey ? 0 : -event.deltaY);
  }
}
