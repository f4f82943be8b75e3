// The page: sheet, results and dialogs, wired together.

import { copyText, saveFile } from "./clipboard.js";
import { CropDialog } from "./crop_dialog.js";
import { byId, putBeside } from "./dom.js";
import { asDocument, DOCUMENT_TYPES } from "./export.js";
import { spoken, t } from "./i18n.js";
import { newId, union } from "./ink.js";
import { History, Samples } from "./library.js";
import { highlightsOf, markAt } from "./marks.js";
import { walkWithArrows } from "./menus.js";
import { say } from "./notices.js";
import { Pen } from "./pen.js";
import { takePictures } from "./pictures.js";
import { Reader } from "./reader.js";
import { overHttp } from "./recognizer.js";
import { Results } from "./results.js";
import { useSettings } from "./settings_dialog.js";
import { listenToKeys } from "./shortcuts.js";
import { blank, boxOf, changed, redone, shifted, undone, without } from "./sheet.js";
import { SheetView } from "./sheet_view.js";
import { keep, Store } from "./store.js";

/** @typedef {import("./sheet.js").Item} Item */
/** @typedef {import("./reader.js").Formula} Formula */

const SHEET = "current";
const PICTURE_WIDTH = 480; // of the sheet, at most
const BELOW = 72; // between what stands on the sheet and what is put there

const store = new Store();
let timeline = blank();
let writing = false;

const settings = useSettings({
  changed: () => {
    view.refresh();
    results.translate();
    samples.count();
  },
  opened: () => samples.count(),
});
const address = document.querySelector('meta[name="inktex-service"]')?.getAttribute("content") ?? "api/v1/";
const recognizer = overHttp(new URL(address, document.baseURI), { key: () => settings.key });
const reader = new Reader(recognizer, heard);
const view = new SheetView(byId("sheet"), viewed);
const samples = new Samples(store, () => settings.writer);
const results = new Results({ reader, marked: mark, keep: (formula) => samples.keep(formula) });
const history = new History(store, { putBack, copy: (latex) => copyLatex(latex) });
const crop = new CropDialog();
const pen = new Pen(byId("sheet"), view, {
  items: () => timeline.items,
  commit: (items, cause) => {
    commit(items);
    if (cause === "scratch" || cause === "erase") say(t("saidErased"), false);
  },
  writing: (now) => {
    writing = now;
    if (now) reader.hold();
    else reader.release();
    byId("welcome").hidden = now || timeline.items.length > 0;
  },
  hover: (place) => {
    const found = place && markAt([...reader.formulas.values()], place);
    results.light(found?.formula.name ?? null, found?.mark ?? null);
  },
  tap: (place) => {
    const found = markAt([...reader.formulas.values()], place);
    if (found) results.ask(found.formula.name, found.mark, view.onScreen(found.box));
  },
  selected: () => {
    showSelection();
    if (pen.selection.size) say(t("saidSelected", { n: pen.selection.size }), false);
  },
});

/** @param {Item[]} items */
function commit(items) {
  timeline = changed(timeline, items);
  show();
}

/** Show the sheet as it is now, and have it read. */
function show() {
  const { items, past, future } = timeline;
  view.setItems(items);
  const there = new Set(items.map(({ id }) => id));
  if ([...pen.selection].some((id) => !there.has(id))) pen.select([]);
  reader.show(items);
  const disable = (/** @type {string} */ id, /** @type {boolean} */ off) => {
    /** @type {HTMLButtonElement} */ (byId(id)).disabled = off;
  };
  disable("undo", past.length === 0);
  disable("redo", future.length === 0);
  disable("clear", items.length === 0);
  byId("welcome").hidden = writing || items.length > 0;
  showSelection();
}

/**
 * Something became known of a formula; null if there are other formulas now.
 * @param {Formula | null} formula
 */
function heard(formula) {
  if (formula === null) results.show();
  else results.update();
  const formulas = [...reader.formulas.values()];
  byId("offline").hidden = !formulas.some(({ problem }) => problem?.trouble === "unreachable");
  byId("locked").hidden = !formulas.some(({ problem }) => problem?.trouble === "locked");
  keepSheet();
  if (formula?.state !== "read" || !formula.reading || formula.problem) return;
  history.note(formula);
  const text = formula.reading.formats.speech || formula.reading.latex || t("nothing");
  if (document.activeElement?.matches("textarea")) return; // who types knows
  say(t("saidRead", { n: formulas.indexOf(formula) + 1, text }), false);
}

function keepSheet() {
  clearTimeout(keepSheet.timer);
  keepSheet.timer = setTimeout(keepNow, 300);
}
keepSheet.timer = 0;

function keepNow() {
  const formulas = [...reader.formulas.values()].map(({ name, items, reading, state }) => ({
    name,
    ids: items.map(({ id }) => id),
    reading: state === "read" ? reading : null,
  }));
  store.put("sheet", /** @type {any} */ ({ id: SHEET, items: timeline.items, formulas }));
}

/** Mark on the sheet what is active, lit, unsure or not known. */
function mark() {
  view.setHighlights(highlightsOf([...reader.formulas.values()], results.active, results.lit));
}

/** Show what can be done with what is selected, beside it. */
function showSelection() {
  const chosen = timeline.items.filter(({ id }) => pen.selection.has(id));
  const bar = byId("selection");
  bar.hidden = chosen.length === 0;
  if (bar.hidden) return;
  const box = view.onScreen(union(chosen.map(boxOf)));
  const desk = /** @type {HTMLElement} */ (bar.parentElement).getBoundingClientRect();
  const top = Math.min(Math.max(box.bottom - desk.top + 16, 8), desk.height - 56);
  const left = Math.min(Math.max(box.left - desk.left + box.width / 2, 60), desk.width - 60);
  bar.style.top = `${top}px`;
  bar.style.left = `${left}px`;
}

function viewed() {
  byId("zoom-fit").textContent = `${Math.round(100 * view.scale)} %`;
  showSelection();
}

/** @param {string} latex */
async function copyLatex(latex) {
  say((await copyText(latex)) ? t("copied", { what: "LaTeX" }) : t("copyFailed"));
}

/**
 * Where something new goes: below everything else.
 * @returns {number} y
 */
function below() {
  return timeline.items.length ? union(timeline.items.map(boxOf)).bottom + BELOW : BELOW;
}

/** @param {Item[]} items of an earlier sheet */
function putBack(items) {
  const box = union(items.map(boxOf));
  const fresh = items.map((item) => ({ ...item, id: newId() }));
  const ids = new Set(fresh.map(({ id }) => id));
  pen.select([]);
  commit([...timeline.items, ...shifted(fresh, ids, BELOW - box.left, below() - box.top)]);
  view.reveal();
}

/** @param {ImageBitmap} bitmap */
async function takePicture(bitmap) {
  const cutout = await crop.ask(bitmap);
  if (!cutout) return;
  const { blob, width, height } = cutout;
  const scale = Math.min(1, PICTURE_WIDTH / width);
  pen.select([]);
  commit([
    ...timeline.items,
    { id: newId(), kind: "picture", left: BELOW, top: below(), scale, width, height, blob },
  ]);
  view.reveal();
}

takePictures({
  came: takePicture,
  broken: (name) => say(t("broken", { name: name || t("pasted") })),
  noCamera: () => say(t("noCamera")),
});

/** @param {import("./pen.js").Tool} tool */
function take(tool) {
  pen.tool = tool;
  if (tool !== "select") pen.select([]);
  byId("sheet").dataset.tool = tool;
  for (const button of document.querySelectorAll("#tools [data-tool]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === tool));
  }
}

const actions = {
  undo: () => ((timeline = undone(timeline)), show()),
  redo: () => ((timeline = redone(timeline)), show()),
  clear: () => commit([]),
  "zoom-in": () => view.zoom(1.25),
  "zoom-out": () => view.zoom(0.8),
  "zoom-fit": () => view.fit(),
  "selection-delete": () => commit(without(timeline.items, pen.selection)),
  retry: () => reader.retry(),
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
for (const button of document.querySelectorAll("#tools [data-tool]")) {
  button.addEventListener("click", () => take(/** @type {any} */ (button).dataset.tool));
}
for (const button of document.querySelectorAll("[data-save]")) {
  button.addEventListener("click", () => {
    const format = /** @type {import("./export.js").DocumentFormat} */ (
      /** @type {HTMLElement} */ (button).dataset.save
    );
    const readings = [...reader.formulas.values()].flatMap(({ reading }) => (reading ? [reading] : []));
    const text = asDocument(readings, format, { title: "Inktex", language: spoken() });
    saveFile(`inktex.${format}`, new Blob([text], { type: DOCUMENT_TYPES[format] }));
    byId("save-menu").hidePopover();
  });
}
byId("locked").addEventListener("submit", (event) => {
  event.preventDefault();
  settings.key = /** @type {HTMLInputElement} */ (byId("key")).value;
  keep(settings);
  reader.retry();
});
byId("choices").addEventListener("toggle", (event) => {
  if (/** @type {ToggleEvent} */ (event).newState === "closed") results.light(null, null);
});
byId("save-menu").addEventListener("toggle", (event) => {
  const opened = /** @type {ToggleEvent} */ (event).newState === "open";
  if (opened) putBeside(byId("save-menu"), byId("open-save").getBoundingClientRect());
});
for (const id of ["choices", "copy-menu", "save-menu"]) walkWithArrows(byId(id));
addEventListener("online", () => reader.retry());
addEventListener("pagehide", keepNow);

listenToKeys({
  undo: actions.undo,
  redo: actions.redo,
  take,
  remove: () => pen.selection.size && actions["selection-delete"](),
  selectAll: () => (take("select"), pen.select(timeline.items.map(({ id }) => id))),
  selectNone: () => pen.select([]),
  nudge: (dx, dy) => {
    if (pen.selection.size) commit(shifted(timeline.items, pen.selection, dx / view.scale, dy / view.scale));
    return pen.selection.size > 0;
  },
  pan: (dx, dy) => view.pan(dx, dy),
  zoom: (factor) => (factor ? view.zoom(factor) : view.fit()),
  copied: () => results.active?.reading?.latex ?? "",
});

const [kept] = await store.all("sheet");
if (kept && timeline.items.length === 0) {
  timeline = { ...blank(), items: kept.items };
  reader.restore(kept.items, kept.formulas);
}
take("pen");
show();
view.reveal();
document.documentElement.dataset.ready = "yes";
