// A photograph: with the device's own camera program where there is one, else in a dialog.

import { byId } from "./dom.js";

/**
 * @returns {Promise<ImageBitmap | "elsewhere" | null>} "elsewhere" if the device's program takes over; null if
 *   the reader changed their mind
 * @throws {Error} if there is no camera, or it may not be used
 */
export async function photograph() {
  const handheld = matchMedia("(pointer: coarse)").matches;
  if (handheld || !navigator.mediaDevices?.getUserMedia) {
    byId("photo").click();
    return "elsewhere";
  }
  const dialog = /** @type {HTMLDialogElement} */ (byId("camera"));
  const video = /** @type {HTMLVideoElement} */ (dialog.querySelector("video"));
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1920 } },
  });
  video.srcObject = stream;
  await video.play();
  dialog.showModal();
  /** @type {ImageBitmap | null} */
  const taken = await new Promise((resolve) => {
    byId("camera-shoot").onclick = async () => resolve(await createImageBitmap(video));
    byId("camera-cancel").onclick = () => resolve(null);
    dialog.onclose = () => resolve(null);
  });
  for (const track of stream.getTracks()) track.stop();
  video.srcObject = null;
  dialog.close();
  return taken;
}
