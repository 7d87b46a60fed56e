/** A place for one thing that is under way. */

/**
 * `T` must survive JSON.
 * @template T
 * @typedef {{get: () => Promise<T | null>, set: (value: T | null) => Promise<void>}} StorageItem
 */
/**
 * A storage area as browsers have it for extensions; what lies in it has been through JSON.
 * @typedef {object} StorageArea
 * @property {(key: string | null) => Promise<Record<string, any>>} get
 * @property {(values: Record<string, unknown>) => Promise<void>} set
 * @property {(key: string) => Promise<void>} remove
 */

/**
 * A slot that is empty again when the page is closed.
 * @template T
 * @returns {StorageItem<T>}
 */
export function makeMemoryItem() {
  /** @type {T | null} */
  let stored = null;
  return {
    get: async () => stored,
    set: async (value) => {
      stored = value;
    },
  };
}

/**
 * A slot in a storage area.
 * @template T
 * @param {StorageArea} area
 * @param {string} key
 * @returns {StorageItem<T>}
 */
export function makeStorageItem(area, key) {
  return {
    get: async () => (await area.get(key))[key] ?? null,
    set: async (value) => {
      if (value === null) await area.remove(key);
      else await area.set({ [key]: value });
    },
  };
}
