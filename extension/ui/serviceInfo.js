/** Who runs the service: where to report abuse, and its terms. What it tells is shown as text, never as markup. */

import { byPart } from "./dom.js";

const E_MAIL = /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/;

// What is typed here would be lost otherwise.
const NEW_TAB = { target: "_blank", rel: "noopener noreferrer" };

/**
 * @param {HTMLElement} root
 * @param {import("../core/limits.js").Limits} limits
 */
export function showServiceInfo(root, { contact, terms_url: terms }) {
  const termsLink = byPart(root, "terms");
  if (typeof contact === "string" && contact) {
    byPart(root, "contact").replaceChildren(contactLink(contact));
    byPart(root, "report").hidden = false;
  }
  if (isHttps(terms)) {
    Object.assign(termsLink, { href: terms, ...NEW_TAB, hidden: false });
  }
}

/** A link for an e-mail address or a page, else the bare words. @param {string} contact */
function contactLink(contact) {
  if (E_MAIL.test(contact)) return link(contact, `mailto:${contact}`);
  return isHttps(contact) ? link(contact, contact) : contact;
}

/** @param {string} shown @param {string} href */
function link(shown, href) {
  const made = document.createElement("a");
  Object.assign(made, { textContent: shown, href, ...NEW_TAB });
  return made;
}

/** @param {unknown} given */
const isHttps = (given) => typeof given === "string" && /^https:\/\/\S+$/i.test(given);
