/** The time that a text still lives, counted down in an element. */

// In ms: how far two clocks differ that nobody has set.
const TOLERANCE = 5_000;

/**
 * @param {HTMLElement} element
 * @param {string} key of a message with `{time}`
 * @param {import("./i18n.js").I18n} i18n
 */
export function makeCountdown(element, key, i18n) {
  let timer = 0;

  function stop() {
    clearInterval(timer);
    i18n.clearText(element);
  }

  return {
    stop,

    /**
     * Count down; `ended` is called once, at the end: with false where only the clock says so, which may have been
     * set, or may have gone on while the computer slept.
     * @param {number} seconds
     * @param {(isSure: boolean) => void} onEnd
     */
    start(seconds, onEnd) {
      stop();
      // Set by the clock, not by counting ticks: a sleeping computer ticks none.
      const end = Date.now() + seconds * 1000;
      const surelyOver = performance.now() + seconds * 1000 - TOLERANCE;
      const tick = () => {
        const left = Math.ceil((end - Date.now()) / 1000);
        if (left > 0) return i18n.setText(element, key, (translator) => ({ time: translator.duration(left) }));
        stop();
        return onEnd(performance.now() >= surelyOver);
      };
      timer = window.setInterval(tick, 1000);
      tick();
    },
  };
}
