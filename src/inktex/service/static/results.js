// The list of results beside the sheet: a card a formula, the active one open.

import { Card } from "./card.js";
import { copyPicture, copyText } from "./clipboard.js";
import { byId } from "./dom.js";
import { asPng, asSvg } from "./drawing.js";
import { asText } from "./export.js";
import { t } from "./i18n.js";
import { say } from "./notices.js";
import { formatName, openChoices, openCopyMenu } from "./menus.js";
import { newest } from "./reader.js";

/** @typedef {import("./reader.js").Formula} Formula */
/** @typedef {import("./reader.js").Reader} Reader */
/** @typedef {import("./menus.js").CopyFormat} CopyFormat */

/**
 * @typedef {object} ResultsHost
 * @property {Reader} reader
 * @property {() => void} marked what is to be marked on the sheet changed
 * @property {(formula: Formula) => Promise<void>} keep
 */

/** Shows what was read, and knows which formula and which symbol is meant. */
export class Results {
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {string | null} */
  #active = null;
  /** @type {{name: string, mark: number} | null} */
  lit = null;

  /** @param {ResultsHost} host */
  constructor(host) {
    this.host = host;
    this.list = byId("cards");
    this.choices = byId("choices");
    this.copyMenu = byId("copy-menu");
  }

  /** @returns {Formula | null} */
  get active() {
    return this.host.reader.formulas.get(this.#active ?? "") ?? null;
  }

  /** Cards for the formulas there are now; what was written last becomes active. */
  show() {
    const { formulas } = this.host.reader;
    for (const [name, card] of this.#cards) {
      if (formulas.has(name)) continue;
      card.root.remove();
      this.#cards.delete(name);
    }
    for (const [name, formula] of formulas)
      if (!this.#cards.has(name)) this.#cards.set(name, this.#card(formula));
    const waiting = [...formulas.values()].filter(({ state }) => state === "waiting");
    const [changed] = waiting.sort((a, b) => newest(b.items) - newest(a.items));
    if (changed) this.#active = changed.name;
    else if (!this.active) this.#active = [...formulas.keys()].pop() ?? null;
    [...formulas.keys()].forEach((name, index) => {
      const { root } = /** @type {Card} */ (this.#cards.get(name));
      if (this.list.children[index] !== root) this.list.insertBefore(root, this.list.children[index] ?? null);
    });
    this.update();
  }

  /** The same cards with what is known now. */
  update() {
    [...this.host.reader.formulas.values()].forEach((formula, index) => {
      this.#cards
        .get(formula.name)
        ?.show(formula, { number: index + 1, active: formula.name === this.#active });
    });
    byId("empty").hidden = this.#cards.size > 0;
    this.host.marked();
  }

  /** In another language. */
  translate() {
    for (const card of this.#cards.values()) card.translate();
    this.update();
  }

  /**
   * @param {string} name
   */
  activate(name) {
    if (this.#active === name) return;
    this.#active = name;
    this.update();
  }

  /**
   * Light up a symbol in its card, and let the sheet do so.
   * @param {string | null} name
   * @param {number | null} mark
   */
  light(name, mark) {
    const lit = name !== null && mark !== null ? { name, mark } : null;
    if (lit?.name === this.lit?.name && lit?.mark === this.lit?.mark) return;
    for (const [each, card] of this.#cards) card.light(lit?.name === each ? lit.mark : null);
    this.lit = lit;
    this.host.marked();
  }

  /**
   * Show what else a symbol may be.
   * @param {string} name
   * @param {number} mark
   * @param {DOMRect} beside
   */
  ask(name, mark, beside) {
    this.activate(name);
    const [formula, card] = [this.host.reader.formulas.get(name), this.#cards.get(name)];
    if (!formula?.reading || !card) return;
    openChoices(this.choices, beside, formula.reading, mark, {
      choose: (tokens) => (this.host.reader.edit(formula, tokens, 0), card.math.focus()),
      type: () => card.typeAt(mark),
    });
    this.light(name, mark);
  }

  /** @param {Formula} formula */
  #card(formula) {
    return new Card(formula, {
      activate: ({ name }) => this.activate(name),
      light: ({ name }, mark) => this.light(name, mark),
      ask: ({ name }, mark, beside) => this.ask(name, mark, beside),
      edit: (each, latex) => this.host.reader.edit(each, latex),
      choose: (each, latex) => this.host.reader.edit(each, latex, 0),
      copy: (each) => this.copy(each, "latex"),
      copyAs: (each, beside) => {
        if (each.reading)
          openCopyMenu(this.copyMenu, beside, each.reading, (format) => this.copy(each, format));
      },
      keep: this.host.keep,
    });
  }

  /**
   * @param {Formula} formula
   * @param {CopyFormat} format
   */
  async copy({ name, reading }, format) {
    if (!reading) return;
    const what = formatName(format);
    if (format !== "png" && format !== "svg") {
      const done = await copyText(asText(reading, format));
      say(done ? t("copied", { what }) : t("copyFailed"));
      return;
    }
    const math = this.#cards.get(name)?.math.querySelector("math");
    if (!math) return;
    const drawing = asSvg(math);
    const svg = new Blob([drawing.svg], { type: "image/svg+xml" });
    const result =
      format === "png"
        ? await copyPicture(await asPng(drawing), "formula.png")
        : await copyPicture(svg, "formula.svg", drawing.svg);
    say(t(result, { what }));
  }
}
