// What was read of one formula: typeset, with its doubts, its LaTeX and what can be done with it.

import { remark, stateOf } from "./card_state.js";
import { icon, make } from "./dom.js";
import { t } from "./i18n.js";
import { glyph, latexOf, places } from "./latex.js";
import { mathElement, symbolElement } from "./mathml.js";
import { paired, unitsOf, unsure } from "./result.js";

/** @typedef {import("./reader.js").Formula} Formula */
/** @typedef {import("./result.js").Reading} Reading */

/**
 * @typedef {object} CardHost
 * @property {(formula: Formula) => void} activate
 * @property {(formula: Formula, mark: number | null) => void} light a symbol, or none
 * @property {(formula: Formula, mark: number, beside: DOMRect) => void} ask what else a symbol may be
 * @property {(formula: Formula, latex: string) => void} edit typed, and perhaps not finished
 * @property {(formula: Formula, latex: string) => void} choose another reading
 * @property {(formula: Formula, beside: DOMRect) => void} copyAs
 * @property {(formula: Formula) => void} copy
 * @property {(formula: Formula) => Promise<void>} keep the ink with its label
 */

/** A card of the list of results. */
export class Card {
  /** @type {Reading | null} */
  #shown = null;
  /** @type {{node: Element, mark: number}[]} */
  #parts = [];
  #cursor = -1;
  #mending = false;

  /**
   * @param {Formula} formula
   * @param {CardHost} host
   */
  constructor(formula, host) {
    this.formula = formula;
    this.host = host;
    this.state = make("span", { className: "state" });
    this.sureness = make("span", { className: "sureness" });
    this.math = make("div", { className: "math", tabIndex: 0, role: "application" });
    this.doubts = make("div", { className: "doubts" });
    this.problem = make("p", { className: "problem", hidden: true });
    this.field = make("textarea", {
      rows: 1,
      spellcheck: false,
      autocapitalize: "off",
      id: `latex-${formula.name}`,
    });
    this.fieldLabel = make("label", { htmlFor: this.field.id });
    this.copy = make("button", { className: "primary", onclick: () => host.copy(this.formula) });
    this.copyAs = make("button", { className: "quiet more", "aria-haspopup": "dialog" }, icon("more"));
    this.others = make("details", { className: "others" });
    this.question = make("div", { className: "question" });
    this.body = make(
      "div",
      { className: "card-body" },
      this.doubts,
      make("div", { className: "latex" }, this.fieldLabel, this.field),
      make(
        "div",
        { className: "actions" },
        make("div", { className: "split" }, this.copy, this.copyAs),
        this.question,
      ),
      this.others,
    );
    this.head = make("div", { className: "card-head" }, this.state, this.sureness);
    this.root = make(
      "article",
      { className: "card", tabIndex: -1 },
      this.head,
      this.math,
      this.problem,
      this.body,
    );
    this.#listen();
  }

  #listen() {
    const { host, math, field } = this;
    this.root.addEventListener("pointerdown", () => host.activate(this.formula));
    this.root.addEventListener("focusin", () => host.activate(this.formula));
    field.addEventListener("input", () => {
      this.#grow();
      host.edit(this.formula, field.value);
    });
    this.copyAs.addEventListener("click", () =>
      host.copyAs(this.formula, this.copyAs.getBoundingClientRect()),
    );
    math.addEventListener("pointermove", (event) => host.light(this.formula, markAt(event)));
    math.addEventListener("pointerleave", () => host.light(this.formula, null));
    math.addEventListener("click", (event) => {
      const mark = markAt(event);
      if (mark !== null) this.#ask(mark);
    });
    math.addEventListener("keydown", (event) => this.#key(event));
    math.addEventListener("blur", () => host.light(this.formula, null));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && this.#parts.length) {
      const place = this.#parts.findIndex((part) => part.mark === this.#cursor);
      const next = place < 0 ? (step > 0 ? 0 : this.#parts.length - 1) : place + step;
      this.#cursor = this.#parts[Math.min(Math.max(next, 0), this.#parts.length - 1)].mark;
      this.host.light(this.formula, this.#cursor);
    } else if ((event.key === "Enter" || event.key === " ") && this.#cursor >= 0) this.#ask(this.#cursor);
    else return;
    event.preventDefault();
  }

  /** @param {number} mark */
  #ask(mark) {
    this.#cursor = mark;
    const part = this.#parts.find((each) => each.mark === mark);
    this.host.ask(this.formula, mark, (part?.node ?? this.math).getBoundingClientRect());
  }

  /**
   * Show a formula as it is now.
   * @param {Formula} formula
   * @param {{number: number, active: boolean}} place
   */
  show(formula, { number, active }) {
    this.formula = formula;
    const { reading, state } = formula;
    this.root.classList.toggle("active", active);
    this.root.classList.toggle("pending", state === "reading" || state === "waiting");
    this.root.setAttribute("aria-label", t("formula", { n: number }));
    this.#describe(formula);
    this.body.hidden = !active || !reading;
    this.math.hidden = !reading;
    if (!reading || reading === this.#shown) return;
    this.#shown = reading;
    this.#typeset(reading);
    this.#listDoubts(reading);
    this.#listOthers(reading);
    if (document.activeElement !== this.field || !reading.edited) this.field.value = reading.latex;
    this.#grow();
    if (!(reading.edited && this.#mending)) this.#askWhetherRight();
  }

  /** Show all texts anew, in the language of now. */
  translate() {
    this.#shown = null;
  }

  /** @param {Formula} formula */
  #describe(formula) {
    const { state, reading } = formula;
    const look = stateOf(formula);
    this.state.textContent = t(look);
    this.root.dataset.state = look;
    const percent = Math.round(100 * (reading?.confidence ?? 0));
    this.sureness.textContent =
      state === "read" && reading && !reading.edited ? t("sureness", { percent }) : "";
    this.fieldLabel.textContent = t("latexField");
    this.copy.replaceChildren(icon("copy"), t("copy"));
    this.copyAs.setAttribute("aria-label", t("copyAs"));
    const words = remark(formula);
    this.problem.textContent = words;
    this.problem.hidden = !words;
  }

  /** @param {Reading} reading */
  #typeset(reading) {
    const math = reading.mathml ? mathElement(reading.mathml) : null;
    this.math.replaceChildren(math ?? make("code", {}, reading.latex));
    this.math.setAttribute(
      "aria-label",
      t("formulaHelp", { latex: reading.formats.speech || reading.latex }),
    );
    const units = math ? unitsOf(math) : [];
    const pairs = paired(reading.marks, units);
    this.#parts = units
      .map(({ node }, index) => ({ node, mark: pairs[index] }))
      .filter(({ mark }) => mark >= 0);
    const doubtful = new Set(unsure(reading.marks));
    for (const { node, mark } of this.#parts) {
      node.setAttribute("data-mark", String(mark));
      node.classList.toggle("unsure", doubtful.has(mark));
    }
    this.#cursor = -1;
  }

  /** @param {Reading} reading */
  #listDoubts(reading) {
    const chips = unsure(reading.marks).map((index) => {
      const symbol = glyph(reading.marks[index].token);
      const chip = make("button", { className: "chip", "aria-haspopup": "dialog" }, symbolElement(symbol));
      chip.setAttribute("aria-label", t("symbolUnsure", { symbol }));
      chip.addEventListener("click", () => this.host.ask(this.formula, index, chip.getBoundingClientRect()));
      chip.addEventListener("pointerenter", () => this.host.light(this.formula, index));
      chip.addEventListener("pointerleave", () => this.host.light(this.formula, null));
      return chip;
    });
    this.doubts.replaceChildren(...(chips.length ? [make("span", {}, t("check")), ...chips] : []));
  }

  /** @param {Reading} reading */
  #listOthers(reading) {
    const others = reading.alternatives.filter(({ latex }) => latex !== reading.latex);
    this.others.hidden = others.length === 0 || reading.edited;
    const list = others.map(({ latex, mathml }) => {
      const math = mathml ? mathElement(mathml) : null;
      const choose = () => this.host.choose(this.formula, latex);
      return make(
        "li",
        {},
        make("button", { onclick: choose, title: latex }, math ?? make("code", {}, latex)),
      );
    });
    this.others.replaceChildren(
      make("summary", {}, t("others", { n: others.length })),
      make("ul", {}, ...list),
    );
  }

  #askWhetherRight() {
    this.#mending = false;
    if (this.formula.items[0]?.kind !== "stroke") return this.question.replaceChildren();
    const keep = async () => {
      this.#mending = false;
      await this.host.keep(this.formula);
      this.question.replaceChildren(icon("yes"), make("span", {}, t("thanks")));
    };
    const mend = () => {
      this.#mending = true;
      const button = make("button", { className: "quiet", onclick: keep }, t("keepIt"));
      this.question.replaceChildren(make("span", {}, t("mend")), button);
      this.field.focus();
    };
    this.question.replaceChildren(
      make("span", {}, t("wasRight")),
      make("button", { className: "quiet", onclick: keep }, t("yes")),
      make("button", { className: "quiet", onclick: mend }, t("no")),
    );
  }

  /**
   * Light up the parts of a symbol.
   * @param {number | null} mark
   */
  light(mark) {
    for (const part of this.#parts) part.node.classList.toggle("lit", part.mark === mark);
  }

  /**
   * Put the caret where a symbol stands in the LaTeX.
   * @param {number} mark
   */
  typeAt(mark) {
    const { marks } = /** @type {Reading} */ (this.formula.reading);
    const before = latexOf(marks.slice(0, mark).map(({ token }) => token)).length;
    const token = marks[mark].token;
    const same = places(this.field.value).filter((place) => place.token === token);
    const place = same.sort((a, b) => Math.abs(a.start - before) - Math.abs(b.start - before))[0];
    this.field.focus();
    if (place) this.field.setSelectionRange(place.start, place.end);
  }

  #grow() {
    this.field.style.height = "auto";
    if (this.field.scrollHeight) this.field.style.height = `${this.field.scrollHeight + 2}px`;
  }
}

/**
 * @param {Event} event
 * @returns {number | null}
 */
function markAt(event) {
  const part = event.target instanceof Element ? event.target.closest("[data-mark]") : null;
  return part ? Number(part.getAttribute("data-mark")) : null;
}
