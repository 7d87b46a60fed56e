/** A text that is nothing but one address, so that it can be opened. */

const MAX_LENGTH = 2_000;
// `new URL` would take "https:host" as well, and drop line breaks.
const ADDRESS = /^https?:\/\/[^\s\p{Cc}\p{Cf}]+$/iu;

/**
 * The address that a text is, in the form in which a browser opens it; null for any other text. Only the web, because a
 * stranger may have written the text; no credentials, because "https://bank.example@host/" leads to another place than
 * it seems to.
 * @param {string} text
 * @returns {string | null}
 */
export function singleAddress(text) {
  const given = text.trim();
  if (given.length > MAX_LENGTH || !ADDRESS.test(given) || !URL.canParse(given)) return null;
  const { username, password, href } = new URL(given);
  return username === "" && password === "" ? href : null;
}
