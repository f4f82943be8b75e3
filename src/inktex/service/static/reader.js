// When the formulas of a sheet are read: as the pen pauses, one after the other, never while it writes.

import { newId, plain } from "./ink.js";
import { latexOf } from "./latex.js";
import { RecognitionError } from "./recognizer.js";
import { edited, readingOf, shiftedReading } from "./result.js";
import { formulasOf, named, sameItems, shiftOf } from "./sheet.js";

/** @typedef {import("./ink.js").Stroke} Stroke */
/** @typedef {import("./sheet.js").Item} Item */
/** @typedef {import("./result.js").Reading} Reading */
/** @typedef {import("./recognizer.js").Recognizer} Recognizer */
/** @typedef {import("./recognizer.js").Trouble} Trouble */

/**
 * @typedef {object} Formula
 * @property {string} name
 * @property {Item[]} items
 * @property {"waiting" | "reading" | "read" | "failed"} state
 * @property {Reading | null} reading of these items, or of those before while the new ones are read
 * @property {{trouble: Trouble | "latex", message: string} | null} problem
 */

const UNREACHABLE_MS = 5000;

/** Reads the formulas of a sheet and keeps what was read of each. */
export class Reader {
  /** @type {Map<string, Formula>} */
  formulas = new Map();
  /** @type {AbortController | null} */
  #reading = null;
  /** @type {Map<string, AbortController>} */
  #converting = new Map();
  #timer = 0;
  #held = false;

  /**
   * @param {Recognizer} recognizer
   * @param {(formula: Formula | null) => void} changed told of each change; null if formulas came or went
   * @param {number} [pauseMs] how long the pen rests before anything is read
   */
  constructor(recognizer, changed, pauseMs = 250) {
    this.recognizer = recognizer;
    this.changed = changed;
    this.pauseMs = pauseMs;
  }

  /**
   * The sheet holds other items now.
   * @param {Item[]} items
   */
  show(items) {
    const before = new Map([...this.formulas].map(([name, formula]) => [name, formula.items]));
    const now = named(before, formulasOf(items), newId);
    /** @type {Map<string, Formula>} */
    const formulas = new Map();
    for (const [name, formulaItems] of now) {
      const known = this.formulas.get(name);
      if (known && sameItems(known.items, formulaItems)) formulas.set(name, known);
      else formulas.set(name, this.#renewed(name, formulaItems, known));
    }
    this.formulas = formulas;
    if (![...formulas.values()].some((formula) => formula.state === "reading")) this.#stop();
    this.changed(null);
    this.#wait(this.pauseMs);
  }

  /**
   * The sheet of an earlier visit.
   * @param {Item[]} items
   * @param {{name: string, ids: string[], reading: Reading | null}[]} kept what was read then
   */
  restore(items, kept) {
    const byId = new Map(items.map((item) => [item.id, item]));
    for (const { name, ids, reading } of kept) {
      const own = /** @type {Item[]} */ (ids.map((id) => byId.get(id)).filter(Boolean));
      this.formulas.set(name, {
        name,
        items: own,
        state: reading ? "read" : "waiting",
        reading,
        problem: null,
      });
    }
    this.show(items);
  }

  /** The pen writes: whatever is being read will soon be out of date. */
  hold() {
    this.#held = true;
    clearTimeout(this.#timer);
    this.#stop();
  }

  /** The pen was lifted. */
  release() {
    this.#held = false;
    this.#wait(this.pauseMs);
  }

  /** Read again what could not be read. */
  retry() {
    for (const formula of this.formulas.values()) {
      if (formula.state === "failed") formula.state = "waiting";
      else if (formula.problem && formula.reading) this.edit(formula, formula.reading.latex, 0);
    }
    this.changed(null);
    this.#wait(0);
  }

  /**
   * A person wrote other LaTeX for a formula, or chose other tokens.
   * @param {Formula} formula
   * @param {string | string[]} latex tokens are written as a person would, if the recognizer can
   * @param {number} [pauseMs]
   */
  async edit(formula, latex, pauseMs = this.pauseMs) {
    this.#converting.get(formula.name)?.abort();
    const cancel = new AbortController();
    this.#converting.set(formula.name, cancel);
    const text = typeof latex === "string" ? latex : latexOf(latex);
    try {
      await pause(pauseMs, cancel.signal);
      const conversion = await this.recognizer.convert(text, cancel.signal);
      if (cancel.signal.aborted || !formula.reading) return;
      const typed = typeof latex === "string" ? text : (conversion.latex ?? text);
      formula.reading = edited(formula.reading, typed, conversion);
      formula.problem = null;
    } catch (error) {
      if (cancel.signal.aborted) return;
      if (formula.reading) formula.reading = { ...formula.reading, latex: text, edited: true };
      const { trouble, message } = asTrouble(error);
      formula.problem = { trouble: trouble === "refused" ? "latex" : trouble, message };
    }
    this.changed(formula);
  }

  /**
   * @param {string} name
   * @param {Item[]} items
   * @param {Formula} [known] what was known before the items changed
   * @returns {Formula}
   */
  #renewed(name, items, known) {
    this.#converting.get(name)?.abort();
    const shift = known && known.state === "read" ? shiftOf(known.items, items) : null;
    const reading = known?.reading ?? null;
    if (shift && reading)
      return { ...known, name, items, reading: shiftedReading(reading, shift), state: "read", problem: null };
    return { name, items, state: "waiting", reading, problem: null };
  }

  #stop() {
    this.#reading?.abort();
    this.#reading = null;
  }

  /** @param {number} ms */
  #wait(ms) {
    clearTimeout(this.#timer);
    if (this.#held) return;
    this.#timer = setTimeout(() => this.#next(), ms);
  }

  /** Read the formula that changed last and is not read yet, then the next. */
  async #next() {
    if (this.#held || this.#reading) return;
    const waiting = [...this.formulas.values()].filter((formula) => formula.state === "waiting");
    const formula = waiting.sort((a, b) => newest(b.items) - newest(a.items))[0];
    if (!formula) return;
    const cancel = new AbortController();
    this.#reading = cancel;
    this.#become(formula, "reading");
    try {
      const reading = await this.#read(formula.items, cancel.signal);
      if (!cancel.signal.aborted) this.#become(formula, "read", reading);
    } catch (error) {
      if (!cancel.signal.aborted) this.#fail(formula, asTrouble(error));
    }
    if (cancel.signal.aborted) return this.#become(formula, "waiting");
    this.#reading = null;
    this.#next();
  }

  /**
   * @param {Item[]} items
   * @param {AbortSignal} signal
   */
  async #read(items, signal) {
    const [first] = items;
    if (first.kind === "picture") {
      const { left, top, scale } = first;
      const answer = await this.recognizer.readPicture(first.blob, signal);
      return readingOf(answer, (box) => ({
        left: left + box.left * scale,
        top: top + box.top * scale,
        right: left + box.right * scale,
        bottom: top + box.bottom * scale,
      }));
    }
    const strokes = /** @type {Stroke[]} */ (items);
    return readingOf(await this.recognizer.readStrokes(plain(strokes), signal), (box) => box);
  }

  /**
   * @param {Formula} formula
   * @param {Formula["state"]} state
   * @param {Reading | null} [reading]
   */
  #become(formula, state, reading = formula.reading) {
    Object.assign(formula, { state, reading, problem: null });
    if (this.formulas.get(formula.name) === formula) this.changed(formula);
  }

  /**
   * @param {Formula} formula
   * @param {RecognitionError} error
   */
  #fail(formula, error) {
    Object.assign(formula, { state: "failed", problem: { trouble: error.trouble, message: error.message } });
    if (this.formulas.get(formula.name) === formula) this.changed(formula);
    const again = error.trouble === "busy" ? error.retryAfterMs : UNREACHABLE_MS;
    if (error.trouble === "busy" || error.trouble === "unreachable") {
      setTimeout(
        () => this.formulas.get(formula.name) === formula && formula.state === "failed" && this.retry(),
        again,
      );
    }
  }
}

/**
 * @param {unknown} error
 * @returns {RecognitionError}
 */
function asTrouble(error) {
  return error instanceof RecognitionError ? error : new RecognitionError("failed");
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** @type {WeakMap<Item, number>} */
const ages = new WeakMap();
let age = 0;

/**
 * When the newest item was first seen, by a count that goes up.
 * @param {Item[]} items
 */
export function newest(items) {
  for (const item of items) if (!ages.has(item)) ages.set(item, (age += 1));
  return Math.max(...items.map((item) => ages.get(item) ?? 0));
}
