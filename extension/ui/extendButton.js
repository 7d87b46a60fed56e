/** Keeps a text longer: each press to the next choice of lifetime. */

import { DEFAULT_LIMITS, nextLifetime } from "../core/limits.js";
import { byPart, keepFocus } from "./dom.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Pick<ReturnType<typeof import("../core/api.js").makeApi>, "extend" | "status">} options.api
 * @param {() => import("./savedCode.js").ShownCode | null} options.getCurrent whose text it is
 * @param {(key: string, isFailure?: boolean, values?: import("./i18n.js").Values) => void} options.showStatus
 * @param {(secondsLeft: number) => void} options.onExtended
 * @param {(error: unknown) => void} options.onError
 */
export function makeExtendButton({ root, api, getCurrent, showStatus, onExtended, onError }) {
  /** @type {HTMLButtonElement} */
  const button = byPart(root, "extend");
  let limits = DEFAULT_LIMITS;

  /** @param {import("./savedCode.js").ShownCode} about */
  async function extend({ code, ownerToken, isSealed }) {
    const { secondsLeft } = await api.status(code, ownerToken);
    const next = nextLifetime(limits, secondsLeft, isSealed);
    return next === null ? null : api.extend(code, ownerToken, next);
  }

  /** @param {number | null} left */
  function show(left) {
    if (left === null) return showStatus("extend_failed", true);
    onExtended(left);
    const until = Date.now() + left * 1000;
    return showStatus("extended", false, (translator) => ({ time: translator.dateTime(until) }));
  }

  button.addEventListener("click", async () => {
    const about = getCurrent();
    if (!about) return;
    button.disabled = true;
    try {
      const left = await extend(about);
      if (getCurrent() === about) show(left);
    } catch (error) {
      if (getCurrent() === about) onError(error);
    } finally {
      button.disabled = false;
      keepFocus(button);
    }
  });
  return {
    /** @param {import("../core/limits.js").Limits} given */
    applyLimits: (given) => void (limits = given),
    /** For another text. @param {boolean} isPossible */
    reset: (isPossible) => void (button.hidden = !isPossible),
  };
}
