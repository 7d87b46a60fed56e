/** Write what changes with every key: one write at a time, and of those that wait only the newest. */

/**
 * @template T
 * @param {(value: T) => Promise<unknown>} write
 * @param {() => void} [onError] what cannot be kept must not stop the typing; who types may be told
 * @returns {(value: T) => void}
 */
export function coalesceWrites(write, onError = () => {}) {
  /** @type {{value: T} | null} */
  let next = null;
  let busy = false;

  async function run() {
    busy = true;
    while (next) {
      const { value } = next;
      next = null;
      await write(value).catch(onError);
    }
    busy = false;
  }

  return (value) => {
    next = { value };
    if (!busy) run();
  };
}
