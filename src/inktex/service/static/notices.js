// Telling the reader something, on the screen and aloud.

import { byId } from "./dom.js";

const SHOWN_MS = 2600;
let timer = 0;

/**
 * @param {string} words
 * @param {boolean} [visibly] or only to a screen reader
 */
export function say(words, visibly = true) {
  byId("live").textContent = words;
  if (!visibly) return;
  const toast = byId("toast");
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (toast.hidden = true), SHOWN_MS);
}
