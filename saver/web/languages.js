/** The choice of language on the page; it is remembered in this browser. */

/** Where the choice lies: `language.js` reads it before anything is shown. */
const KEY = "lang";

/**
 * @param {HTMLSelectElement} select
 * @param {HTMLElement} status
 * @param {import("../ui/i18n.js").I18n} i18n
 * @param {(language: string) => Promise<void>} fetchLanguage
 */
export function offerLanguages(select, status, i18n, fetchLanguage) {
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
    remember(language);
    history.replaceState(null, "", `?lang=${language}`);
    i18n.translator.setLanguage(language);
    document.title = i18n.translator.t("title");
    return i18n.updateAll(document);
  });
}

/** @param {string} language */
function remember(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Where a browser stores nothing, the address still says it.
  }
}
