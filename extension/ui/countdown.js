/** The time that a text still lives: its end is noticed, and where there is an element for it, it is counted down. */

// In ms: how far two clocks differ that nobody has set.
const TOLERANCE = 5_000;

const MINUTE = 60;

/**
 * @param {import("./i18n.js").I18n} i18n
 * @param {HTMLElement} [element] that shows it
 */
export function makeCountdown(i18n, element) {
  let timer = 0;

  function stop() {
    clearInterval(timer);
    if (element) i18n.clearText(element);
  }

  /** @param {number} left in seconds */
  function show(left) {
    // To the minute until the last one: what ticks draws the eye.
    const shown = left > MINUTE ? Math.floor(left / MINUTE) * MINUTE : left;
    if (element) i18n.setText(element, "left", (translator) => ({ time: translator.duration(shown) }));
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
        if (left > 0) return show(left);
        stop();
        return onEnd(performance.now() >= surelyOver);
      };
      timer = window.setInterval(tick, 1000);
      tick();
    },
  };
}
