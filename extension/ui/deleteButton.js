/** Deletes a text, with some seconds to take it back: it may be the only copy. */

import { NoText } from "../core/errors.js";
import { byPart, keepFocus } from "./dom.js";

// In ms.
const UNDO_TIME = 5_000;

/** @typedef {import("./savedCode.js").ShownCode} ShownCode */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Pick<ReturnType<typeof import("../core/api.js").makeApi>, "remove">} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => ShownCode | null} options.getCurrent whose text it is
 * @param {(key: string) => void} options.showStatus "" for nothing
 * @param {(key: string, about: ShownCode) => void} options.onEnded told by which message a text has ended, shown or not
 * @param {(error: unknown) => void} options.onError
 */
export function makeDeleteButton({ root, api, i18n, getCurrent, showStatus, onEnded, onError }) {
  /** @type {HTMLButtonElement} */
  const button = byPart(root, "delete");
  /** What is deleted when the time is over. @type {ShownCode | null} */
  let waiting = null;
  let timer = 0;

  function press() {
    if (waiting) return undo();
    waiting = getCurrent();
    if (!waiting) return undefined;
    i18n.setText(button, "undo");
    showStatus("deleting");
    timer = window.setTimeout(finish, UNDO_TIME);
    return undefined;
  }

  function stopWaiting() {
    const about = waiting;
    waiting = null;
    clearTimeout(timer);
    i18n.setText(button, "delete");
    return about;
  }

  function undo() {
    stopWaiting();
    showStatus("undone");
  }

  /** Delete now what is to be deleted, if anything is. */
  async function finish() {
    const about = stopWaiting();
    if (!about) return;
    const hadFocus = document.activeElement === button;
    button.disabled = true;
    const error = await api.remove(about.code, about.ownerToken).then(() => null, (reason) => reason);
    button.disabled = false;
    // Before it is hidden with the text, so that the focus is known to have been here.
    if (hadFocus) keepFocus(button);
    if (error === null) onEnded("deleted", about);
    else if (error instanceof NoText) onEnded("expired", about);
    // Another text may have been saved meanwhile.
    else if (getCurrent() === about) {
      showStatus("");
      onError(error);
    }
  }

  button.addEventListener("click", press);
  // Whoever has pressed it and goes away means it.
  window.addEventListener("pagehide", finish);
  return {
    finish,
    /** There is nothing left to delete. */
    cancel: () => void stopWaiting(),
    /** For another text; the one before is deleted if that was pressed. @param {boolean} isPossible */
    reset(isPossible) {
      finish();
      button.hidden = !isPossible;
    },
  };
}
