/** A place for one thing that is under way. */

/**
 * `T` must survive JSON.
 * @template T
 * @typedef {{get: () => Promise<T | null>, put: (value: T | null) => Promise<void>}} Slot
 */
/**
 * A storage area as browsers have it for extensions; what lies in it has been through JSON.
 * @typedef {object} Area
 * @property {(key: string | null) => Promise<Record<string, any>>} get
 * @property {(values: Record<string, unknown>) => Promise<void>} set
 * @property {(key: string) => Promise<void>} remove
 */

/**
 * A slot that is empty again when the page is closed.
 * @template T
 * @returns {Slot<T>}
 */
export function makeMemory() {
  /** @type {T | null} */
  let held = null;
  return {
    get: async () => held,
    put: async (value) => {
      held = value;
    },
  };
}

/**
 * A slot in a storage area.
 * @template T
 * @param {Area} area
 * @param {string} key
 * @returns {Slot<T>}
 */
export function makeStored(area, key) {
  return {
    get: async () => (await area.get(key))[key] ?? null,
    put: async (value) => {
      if (value === null) await area.remove(key);
      else await area.set({ [key]: value });
    },
  };
}
