/** The choice of language on the page; it is remembered in this browser. */

/** Where the choice lies: `language.js` reads it before anything is shown. */
const KEY = "lang";

/**
 * @param {HTMLSelectElement} select
 * @param {HTMLElement} status
 * @param {import("../ui/i18n.js").I18n} i18n
 * @param {(language: string) => Promise<void>} fetchLanguage
 * @param {() => boolean} isPrivate whether nothing may be stored
 */
export function offerLanguages(select, status, i18n, fetchLanguage, isPrivate) {
  const root = document.documentElement;
  select.addEventListener("change", async () => {
    const language = select.value;
    i18n.clearText(status);
    try {
      await fetchLanguage(language);
    } catch {
      select.value = root.lang;
      return i18n.setText(status, "language_failed");
    }
    // Chosen again meanwhile.
    if (select.value !== language) return undefined;
    root.lang = language;
    if (!isPrivate()) remember(language);
    history.replaceState(null, "", `?lang=${language}`);
    i18n.translator.setLanguage(language);
    document.title = i18n.translator.t("title");
    return i18n.updateAll(document);
  });
}

/** On somebody else's computer. */
export function forgetLanguage() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing is stored there.
  }
}

/** @param {string} language */
function remember(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Where a browser stores nothing, the address still says it.
  }
}
