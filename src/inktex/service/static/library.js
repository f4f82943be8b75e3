// What was read before and what was labelled, in dialogs over the browser's own store.

import { saveFile } from "./clipboard.js";
import { byId, make } from "./dom.js";
import { spoken, t } from "./i18n.js";
import { asInkml } from "./inkml.js";
import { mathElement } from "./mathml.js";
import { zipped } from "./zip.js";

/** @typedef {import("./reader.js").Formula} Formula */
/** @typedef {import("./sheet.js").Item} Item */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {{id: string, when: number, latex: string, mathml: string, items: Item[]}} Entry */

const MOST_RECORDS = 200;

/** Formulas that were read, newest first. */
export class History {
  /**
   * @param {Store} store
   * @param {{putBack: (items: Item[]) => void, copy: (latex: string) => void}} host
   */
  constructor(store, host) {
    this.store = store;
    this.host = host;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("history"));
    byId("open-history").addEventListener("click", () => this.open());
    byId("history-close").addEventListener("click", () => this.dialog.close());
    byId("history-clear").addEventListener("click", async () => {
      await store.clear("history");
      await this.#list();
    });
  }

  /** @param {Formula} formula that was read */
  async note({ name, items, reading }) {
    if (!reading?.latex) return;
    const { latex, mathml } = reading;
    await this.store.put("history", { id: name, when: Date.now(), latex, mathml, items });
  }

  async open() {
    await this.#list();
    this.dialog.showModal();
  }

  async #list() {
    /** @type {Entry[]} */
    const records = (await this.store.all("history")).sort((a, b) => b.when - a.when);
    for (const { id } of records.splice(MOST_RECORDS)) await this.store.remove("history", id);
    const entries = records.map((record) => this.#entry(record));
    byId("history-list").replaceChildren(
      ...(entries.length ? entries : [make("li", { className: "small" }, t("historyEmpty"))]),
    );
  }

  /** @param {Entry} record */
  #entry({ when, latex, mathml, items }) {
    const math = mathml ? mathElement(mathml) : null;
    const time = new Date(when).toLocaleString(spoken(), { dateStyle: "medium", timeStyle: "short" });
    const putBack = () => (this.dialog.close(), this.host.putBack(items));
    return make(
      "li",
      {},
      make(
        "div",
        { className: "math", tabIndex: 0, role: "group", "aria-label": latex },
        math ?? make("code", {}, latex),
      ),
      make("span", { className: "small" }, time),
      make("button", { className: "quiet", onclick: () => this.host.copy(latex) }, t("copy")),
      make("button", { className: "quiet", onclick: putBack }, t("putBack")),
    );
  }
}

/** Ink that a person has labelled. */
export class Samples {
  /**
   * @param {Store} store
   * @param {() => string} writer who writes here
   */
  constructor(store, writer) {
    this.store = store;
    byId("samples-clear").addEventListener("click", async () => {
      await store.clear("samples");
      await this.count();
    });
    byId("samples-save").addEventListener("click", () => this.#save(writer()));
  }

  /** @param {Formula} formula whose reading a person has confirmed */
  async keep({ name, items, reading }) {
    const strokes = items.flatMap((item) => (item.kind === "stroke" ? [item.points] : []));
    await this.store.put("samples", { id: name, strokes, latex: reading?.latex ?? "" });
  }

  async count() {
    const n = (await this.store.all("samples")).length;
    byId("samples-count").textContent = t("samplesCount", { n });
    for (const id of ["samples-save", "samples-clear"])
      /** @type {HTMLButtonElement} */ (byId(id)).disabled = n === 0;
  }

  /** @param {string} writer */
  async #save(writer) {
    const samples = await this.store.all("samples");
    const files = samples.map((sample) => ({
      name: `inktex/${sample.id}.inkml`,
      text: asInkml(sample, writer),
    }));
    saveFile("inktex-ink.zip", new Blob([zipped(files)], { type: "application/zip" }));
  }
}
