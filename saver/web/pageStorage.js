/** What the page keeps while its tab is open, in a form that the session's items take; nothing on somebody else's computer. */

const FLAG = "not-my-computer";

/**
 * @param {Storage | null} storage of the tab; null where the browser stores nothing
 * @param {HTMLInputElement} checkbox by which a user says that the computer is somebody else's
 * @param {HTMLElement} status
 * @param {import("../ui/i18n.js").I18n} i18n
 * @returns {import("../core/storage.js").StorageArea}
 */
export function makePageStorage(storage, checkbox, status, i18n) {
  checkbox.checked = (storage?.getItem(FLAG) ?? null) !== null;
  checkbox.addEventListener("change", () => {
    storage?.clear();
    i18n.clearText(status);
    if (!checkbox.checked) return;
    storage?.setItem(FLAG, "");
    i18n.setText(status, "not_my_computer_on");
  });
  return {
    async get(key) {
      const stored = storage?.getItem(String(key)) ?? null;
      return stored === null ? {} : { [String(key)]: JSON.parse(stored) };
    },
    async set(values) {
      if (checkbox.checked) return;
      for (const [key, value] of Object.entries(values)) storage?.setItem(key, JSON.stringify(value));
    },
    async remove(key) {
      storage?.removeItem(key);
    },
  };
}
