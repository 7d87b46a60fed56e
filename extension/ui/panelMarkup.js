/** The panels' markup, which the page at `/` gets from its server and a popup from its package. */

/**
 * Put a panel where it belongs.
 * @param {HTMLElement} element
 * @param {string | URL} url of one of our own files
 */
export async function insertPanel(element, url) {
  const response = await fetch(url);
  const markup = new DOMParser().parseFromString(await response.text(), "text/html");
  element.append(...markup.body.childNodes);
}
