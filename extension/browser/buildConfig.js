/** What this package was made with. */

/** @returns {Promise<{server: string}>} the service that it offers first; "" for none */
export async function readBuildConfig() {
  const response = await fetch(browser.runtime.getURL("service.json"));
  return response.json();
}
