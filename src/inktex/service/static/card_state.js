// What a card says of its formula: how sure it is, and what is wrong.

import { t } from "./i18n.js";

/** @typedef {import("./reader.js").Formula} Formula */
/** @typedef {"waiting" | "reading" | "failed" | "edited" | "sure" | "fair" | "doubtful"} Look */

const SURE = 0.85; // of a hundred readings this sure, at least 85 are right
const FAIR = 0.5;

/**
 * @param {Formula} formula
 * @returns {Look}
 */
export function stateOf({ state, reading }) {
  if (state !== "read") return state;
  if (!reading) return "failed";
  if (reading.edited) return "edited";
  if (reading.confidence >= SURE) return "sure";
  return reading.confidence >= FAIR ? "fair" : "doubtful";
}

/**
 * A sentence on what is wrong or not known; "" if there is nothing to say.
 * @param {Formula} formula
 */
export function remark({ state, reading, problem }) {
  if (problem) return problemText(problem);
  if (state !== "read" || !reading) return "";
  if (reading.unknown.length) return t("unknown");
  return reading.latex ? "" : t("nothing");
}

/** @param {NonNullable<Formula["problem"]>} problem */
function problemText({ trouble, message }) {
  switch (trouble) {
    case "refused":
      return `${t("refused")} ${message}`;
    case "latex":
      return t("latexWrong");
    case "busy":
      return t("busy");
    case "failed":
      return t("troubled");
    default:
      return ""; // the page itself asks for the connection, or for the key
  }
}
