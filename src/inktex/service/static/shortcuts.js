// What the keyboard does.

import { byId, isTyping } from "./dom.js";

/**
 * @typedef {object} KeyHost
 * @property {() => void} undo
 * @property {() => void} redo
 * @property {(tool: "pen" | "eraser" | "select") => void} take
 * @property {() => void} remove what is selected
 * @property {() => void} selectAll
 * @property {() => void} selectNone
 * @property {(dx: number, dy: number) => boolean} nudge what is selected; false if nothing is
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number) => void} zoom 0 shows all
 * @property {() => string} copied what copying takes where no text is selected
 */

const STEP = 16; // pixels of an arrow key
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {KeyHost} host */
export function listenToKeys(host) {
  document.addEventListener("keydown", (event) => {
    const control = event.ctrlKey || event.metaKey;
    if (!control || isTyping(event) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) host.undo();
    else if (key === "y" || key === "z") host.redo();
    else return;
    event.preventDefault();
  });
  document.addEventListener("copy", (event) => {
    const text = host.copied();
    if (isTyping(event) || !text || document.getSelection()?.toString()) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  });
  byId("sheet").addEventListener("keydown", (event) => {
    if (onSheet(event, host)) event.preventDefault();
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {KeyHost} host
 * @returns {boolean} whether the key meant something
 */
function onSheet(event, host) {
  if (event.altKey) return false;
  if (event.ctrlKey || event.metaKey) {
    if (event.key !== "a") return false;
    host.selectAll();
    return true;
  }
  const way = WAYS[/** @type {keyof WAYS} */ (event.key)];
  if (way) {
    const [dx, dy] = [way[0] * STEP, way[1] * STEP];
    if (!host.nudge(dx, dy)) host.pan(-dx, -dy);
    return true;
  }
  /** @type {Record<string, () => void>} */
  const keys = {
    p: () => host.take("pen"),
    e: () => host.take("eraser"),
    s: () => host.take("select"),
    "+": () => host.zoom(1.25),
    "-": () => host.zoom(0.8),
    0: () => host.zoom(0),
    Delete: host.remove,
    Backspace: host.remove,
    Escape: host.selectNone,
  };
  const action = keys[event.key];
  action?.();
  return action !== undefined;
}
