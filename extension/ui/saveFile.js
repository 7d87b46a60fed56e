/** Saves a text as a file of this computer. */

// Without the code: names of files are listed in many places.
const NAME = "saver.txt";
const REVOKE_DELAY = 60_000;

/**
 * @param {string} text
 * @returns {string} the key of the message that says what came of it
 */
export function saveFile(text) {
  const link = document.createElement("a");
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  Object.assign(link, { href: url, download: NAME });
  link.click();
  // A browser may ask where to save it first.
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_DELAY);
  return "file_saved";
}
