// Pictures that come in: dropped, pasted, opened, photographed.

import { photograph } from "./camera.js";
import { byId, isTyping } from "./dom.js";

/**
 * @typedef {object} PictureHost
 * @property {(picture: ImageBitmap) => void} came
 * @property {(name: string) => void} broken told the name of a file that is no picture; "" if it has none
 * @property {() => void} noCamera
 */

/** @param {PictureHost} host */
export function takePictures(host) {
  /** @param {File} file */
  const open = async (file) => {
    try {
      host.came(await createImageBitmap(file, { imageOrientation: "from-image" }));
    } catch {
      host.broken(file.name);
    }
  };
  for (const id of ["file", "photo"]) {
    const input = /** @type {HTMLInputElement} */ (byId(id));
    input.addEventListener("change", () => {
      if (input.files?.[0]) open(input.files[0]);
      input.value = "";
    });
  }
  byId("open-file").addEventListener("click", () => byId("file").click());
  byId("open-camera").addEventListener("click", async () => {
    try {
      const picture = await photograph();
      if (picture && picture !== "elsewhere") host.came(picture);
    } catch {
      host.noCamera();
    }
  });
  document.addEventListener("paste", (event) => {
    const file = fileOf(event.clipboardData);
    if (isTyping(event) || !file) return;
    event.preventDefault();
    open(file);
  });
  acceptDrops(open);
}

/** @param {(file: File) => void} open */
function acceptDrops(open) {
  const veil = byId("drop");
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    veil.hidden = true;
    const file = fileOf(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    open(file);
  });
}

/**
 * The first file, a picture if there is one.
 * @param {DataTransfer | null} data
 */
function fileOf(data) {
  const files = [...(data?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0];
}
