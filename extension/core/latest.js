/** Write what changes with every key: one write at a time, and of those that wait only the newest. */

/**
 * @template T
 * @param {(value: T) => Promise<unknown>} write
 * @returns {(value: T) => void}
 */
export function latest(write) {
  /** @type {{value: T} | null} */
  let next = null;
  let busy = false;

  async function run() {
    busy = true;
    while (next) {
      const { value } = next;
      next = null;
      // A draft that cannot be kept must not stop the typing.
      await write(value).catch(() => {});
    }
    busy = false;
  }

  return (value) => {
    next = { value };
    if (!busy) run();
  };
}
