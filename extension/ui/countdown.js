/** The time that a text still lives, counted down in an element. */

// In ms: how far two clocks differ that nobody has set.
const TOLERANCE = 5_000;

/**
 * @param {HTMLElement} element
 * @param {string} key of a message with `{time}`
 * @param {import("./translator.js").Translator} translator
 */
export function makeCountdown(element, key, translator) {
  let timer = 0;

  function stop() {
    clearInterval(timer);
    translator.clearText(element);
  }

  return {
    stop,

    /**
     * Count down; `ended` is called once, at the end: with false where only the clock says so, which may have been
     * set, or may have gone on while the computer slept.
     * @param {number} seconds
     * @param {(isSure: boolean) => void} ended
     */
    start(seconds, ended) {
      stop();
      // Set by the clock, not by counting ticks: a sleeping computer ticks none.
      const end = Date.now() + seconds * 1000;
      const gone = performance.now() + seconds * 1000 - TOLERANCE;
      const tick = () => {
        const left = Math.ceil((end - Date.now()) / 1000);
        if (left > 0) return translator.setText(element, key, (i18n) => ({ time: i18n.duration(left) }));
        stop();
        return ended(performance.now() >= gone);
      };
      timer = window.setInterval(tick, 1000);
      tick();
    },
  };
}
