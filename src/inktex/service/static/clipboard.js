// Copying and saving.

import { make } from "./dom.js";

/**
 * Copy text; also where a page without HTTPS may not use the clipboard itself.
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const focused = document.activeElement;
  const field = make("textarea", { value: text, className: "hidden", "aria-hidden": "true" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

/**
 * Copy a picture, or save it where the browser cannot copy it.
 * @param {Blob} blob
 * @param {string} name of the file
 * @param {string} [text] to go along
 * @returns {Promise<"copied" | "saved">}
 */
export async function copyPicture(blob, name, text) {
  try {
    if (!(ClipboardItem.supports?.(blob.type) ?? blob.type === "image/png")) throw new Error(blob.type);
    /** @type {Record<string, Blob>} */
    const forms = { [blob.type]: blob };
    if (text !== undefined) forms["text/plain"] = new Blob([text], { type: "text/plain" });
    await navigator.clipboard.write([new ClipboardItem(forms)]);
    return "copied";
  } catch {
    saveFile(name, blob);
    return "saved";
  }
}

/**
 * @param {string} name
 * @param {Blob} blob
 */
export function saveFile(name, blob) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
