/** The time that a text still lives, counted down in an element. */

/**
 * @param {HTMLElement} element
 * @param {string} key of a message with `{time}`
 * @param {import("./labels.js").Labels} labels
 */
export function makeCountdown(element, key, labels) {
  let timer = 0;

  function stop() {
    clearInterval(timer);
    labels.clear(element);
  }

  return {
    stop,

    /**
     * Count down; `ended` is called once, at the end.
     * @param {number} seconds
     * @param {() => void} ended
     */
    start(seconds, ended) {
      stop();
      // Set by the clock, not by counting ticks: a sleeping computer ticks none.
      const end = Date.now() + seconds * 1000;
      const tick = () => {
        const left = Math.ceil((end - Date.now()) / 1000);
        if (left > 0) return labels.put(element, key, (words) => ({ time: words.duration(left) }));
        stop();
        return ended();
      };
      timer = window.setInterval(tick, 1000);
      tick();
    },
  };
}
