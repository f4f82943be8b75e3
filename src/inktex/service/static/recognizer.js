// What reads ink and pictures. The page knows only this interface; here it is a service reached by HTTP.

/**
 * @typedef {object} Detail
 * @property {string} token
 * @property {number} confidence
 * @property {[number, number, number, number] | null} box left, top, right, bottom, in units of what was sent
 * @property {{token: string, confidence: number}[]} [alternatives]
 */

/**
 * @typedef {object} Answer
 * @property {string} latex
 * @property {string | null} mathml
 * @property {number} confidence
 * @property {Record<string, string>} [formats]
 * @property {{latex: string, mathml?: string | null, confidence: number}[]} [alternatives]
 * @property {Detail[]} [details]
 * @property {any} [unknown] what in the ink is not known: boxes, objects with a box, or true
 */

/**
 * @typedef {object} Conversion
 * @property {string} mathml
 * @property {string} [latex] as a person would type it
 * @property {Record<string, string>} [formats]
 */

/**
 * @typedef {object} Recognizer
 * @property {(strokes: number[][][], signal: AbortSignal) => Promise<Answer>} readStrokes
 * @property {(picture: Blob, signal: AbortSignal) => Promise<Answer>} readPicture
 * @property {(latex: string, signal: AbortSignal) => Promise<Conversion>} convert
 */

/** @typedef {"unreachable" | "busy" | "locked" | "refused" | "failed"} Trouble */

/** Why nothing was read. Its message is a sentence of the recognizer's, or "". */
export class RecognitionError extends Error {
  /**
   * @param {Trouble} trouble
   * @param {string} [message]
   * @param {number} [retryAfterMs]
   */
  constructor(trouble, message = "", retryAfterMs = 0) {
    super(message);
    this.trouble = trouble;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is wanted with every answer, as far as the recognizer writes it. */
const FORMATS = ["latex", "mathml", "typst", "asciimath", "speech"];
const ALTERNATIVES = 5;
const TIMEOUT_MS = 30_000;
const RETRY_MS = 2000;

/**
 * A service reached by HTTP.
 * @param {URL | string} base the address above ``recognize`` and ``convert``, with a slash at its end
 * @param {{fetch?: typeof fetch, key?: () => string}} [options] ``key`` gives the service's key, or ""
 * @returns {Recognizer}
 */
export function overHttp(base, { fetch: ask = globalThis.fetch.bind(globalThis), key = () => "" } = {}) {
  /**
   * @param {string} address
   * @param {RequestInit} request
   * @param {AbortSignal} signal
   */
  async function send(address, request, signal) {
    /** @type {Record<string, string>} */
    const headers = {
      Accept: "application/json",
      .../** @type {Record<string, string>} */ (request.headers),
    };
    if (key()) headers.Authorization = `Bearer ${key()}`;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    let response;
    try {
      response = await ask(new URL(address, base), { ...request, headers, signal: limit });
      if (response.ok) return await response.json();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new RecognitionError(response ? "failed" : "unreachable");
    }
    throw await refusal(response);
  }

  /**
   * @param {string} address
   * @param {BodyInit} body
   * @param {string} type
   * @param {AbortSignal} signal
   */
  function post(address, body, type, signal) {
    return send(address, { method: "POST", body, headers: { "Content-Type": type } }, signal);
  }

  /** @type {string[] | null} */
  let formats = null;

  /**
   * The formats that are wanted and that the service knows; asked until it answers.
   * @param {AbortSignal} signal
   */
  async function known(signal) {
    if (!formats) {
      const model = await send("model", {}, signal);
      formats = FORMATS.filter((format) => model.formats?.includes(format));
    }
    return formats;
  }

  return {
    async readStrokes(strokes, signal) {
      const wanted = { strokes, alternatives: ALTERNATIVES, details: true, formats: await known(signal) };
      return post("recognize", JSON.stringify(wanted), "application/json", signal);
    },
    async readPicture(picture, signal) {
      const wanted = new URLSearchParams({ alternatives: String(ALTERNATIVES), details: "true" });
      wanted.set("formats", (await known(signal)).join(","));
      return post(`recognize?${wanted}`, picture, picture.type, signal);
    },
    async convert(latex, signal) {
      const body = JSON.stringify({ latex, formats: await known(signal) });
      const conversion = await post("convert", body, "application/json", signal);
      return { ...conversion, mathml: conversion.mathml ?? conversion.formats?.mathml ?? "" };
    },
  };
}

/**
 * The error that an answer with a bad status stands for.
 * @param {Response} response
 * @returns {Promise<RecognitionError>}
 */
async function refusal(response) {
  const message = sentence(await response.json().catch(() => null));
  const { status } = response;
  if (status === 429 || status === 503) {
    const seconds = Number(response.headers.get("Retry-After"));
    return new RecognitionError("busy", message, seconds > 0 ? seconds * 1000 : RETRY_MS);
  }
  if (status === 401 || status === 403) return new RecognitionError("locked", message);
  if (status >= 400 && status < 500) return new RecognitionError("refused", message);
  return new RecognitionError("failed", message);
}

/**
 * The sentence within an error's body.
 * @param {any} body
 * @returns {string}
 */
function sentence(body) {
  const said = body?.error ?? body?.detail ?? body?.message;
  if (typeof said === "string") return said;
  return typeof said?.message === "string" ? said.message : "";
}
