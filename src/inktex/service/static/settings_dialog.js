// Language, colours and paper.

import { byId, make } from "./dom.js";
import { bestLanguage, LANGUAGES, speak, translate } from "./i18n.js";
import { keep, settings } from "./store.js";

/** @typedef {import("./store.js").Settings} Settings */

/**
 * @param {{changed: () => void, opened: () => void}} host told of changes that the page must draw anew
 * @returns {Settings} that hold from now on, kept up to date
 */
export function useSettings({ changed, opened }) {
  const values = settings();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const languages = Object.entries(LANGUAGES).map(([value, name]) =>
    make("option", { value, lang: value }, name),
  );
  byId("language").replaceChildren(...languages);

  const apply = () => {
    const wanted = values.language ? [values.language] : navigator.languages;
    speak(bestLanguage(wanted));
    translate(document);
    const { dataset } = document.documentElement;
    dataset.theme = values.theme === "auto" ? (dark.matches ? "dark" : "light") : values.theme;
    byId("sheet").dataset.paper = values.paper;
    const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (byId(id));
    select("language").value = bestLanguage(wanted);
    select("theme").value = values.theme;
    select("paper").value = values.paper;
    /** @type {HTMLInputElement} */ (byId("writer")).value = values.writer;
  };
  /** @param {Partial<Settings>} news */
  const change = (news) => {
    Object.assign(values, news);
    keep(values);
    apply();
    changed();
  };
  for (const name of ["language", "theme", "paper", "writer"]) {
    byId(name).addEventListener("change", (event) => {
      change({ [name]: /** @type {HTMLInputElement} */ (event.target).value });
    });
  }
  dark.addEventListener("change", () => (apply(), changed()));
  const dialog = /** @type {HTMLDialogElement} */ (byId("settings"));
  byId("open-settings").addEventListener("click", () => (opened(), dialog.showModal()));
  byId("settings-close").addEventListener("click", () => dialog.close());
  if (!values.writer) {
    values.writer = `writer-${[...crypto.getRandomValues(new Uint8Array(3))].map((byte) => byte.toString(16)).join("")}`;
    keep(values);
  }
  apply();
  return values;
}
