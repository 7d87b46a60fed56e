/**
 * Goes to the page in the language that was chosen here, before any of it is shown. A language in the address
 * is newer, and stays. It is no module: those wait until the whole page is there.
 */
(() => {
  /** @type {string | null} */
  let chosen = null;
  try {
    chosen = localStorage.getItem("lang");
  } catch {
    // The browser stores nothing for this page, or was told not to.
  }
  const address = new URL(location.href);
  if (!chosen || chosen === document.documentElement.lang || address.searchParams.has("lang")) return;
  address.searchParams.set("lang", chosen);
  // With the fragment, which is a code and is not sent.
  location.replace(address);
})();
