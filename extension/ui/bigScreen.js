/** The code over the whole window, for a projector or a room, with the address of the page that opens it. */

import { spell } from "../core/codes.js";
import { byPart } from "./dom.js";

/**
 * @param {HTMLElement} root
 * @returns {{show: (code: string) => void, close: () => void}}
 */
export function makeBigScreen(root) {
  /** @type {HTMLDialogElement} */
  const dialog = byPart(root, "big-screen-view");
  byPart(root, "big-screen-close").addEventListener("click", () => dialog.close());
  return {
    show(code) {
      byPart(root, "big-code").textContent = code;
      byPart(root, "big-words").textContent = spell(code).map(({ word }) => word).join(" ");
      byPart(root, "big-where").textContent = byPart(root, "where").textContent;
      dialog.showModal();
    },

    close() {
      if (dialog.open) dialog.close();
    },
  };
}
