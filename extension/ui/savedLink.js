/** The ways of a code to the other end: a link, a QR code, a share menu, a big screen, a voice. */

import { makeBigScreen } from "./bigScreen.js";
import { byPart } from "./dom.js";
import { setUpReadAloud } from "./readAloud.js";

/** @typedef {import("./savedCode.js").ShownCode} ShownCode */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => ShownCode | null} options.getCurrent
 * @param {import("./savedCode.js").LinkOf} options.linkOf
 * @param {(text: string, done: string) => void} options.copyWithStatus
 * @param {(key: string, isFailure?: boolean) => void} options.showStatus
 */
export function makeSavedLink({ root, i18n, getCurrent, linkOf, copyWithStatus, showStatus }) {
  const qr = byPart(root, "qr");
  const qrImage = byPart(root, "qr-image");
  const qrButton = byPart(root, "show-qr");
  /** @type {HTMLInputElement} */
  const qrPhrase = byPart(root, "qr-phrase");
  const shareButton = byPart(root, "share");
  const bigScreen = makeBigScreen(root);
  setUpReadAloud(byPart(root, "read-aloud"), i18n.translator, () => getCurrent()?.code);

  /** @param {ShownCode} about @param {string} [phrase] */
  const link = ({ code, isSealed, once }, phrase = "") => linkOf(code, { isSealed, once, phrase });

  function hideQr() {
    qr.hidden = true;
    qrImage.replaceChildren();
    qrButton.setAttribute("aria-expanded", "false");
  }

  /** @param {ShownCode} about */
  async function drawQr(about) {
    try {
      // Only when it is wanted: its loss must not stop the saving.
      const module = await import("./qr.js");
      if (getCurrent() !== about) return;
      qrImage.replaceChildren(module.drawQr(link(about, qrPhrase.checked ? about.phrase : "")));
      qr.hidden = false;
      qrButton.setAttribute("aria-expanded", "true");
      qr.scrollIntoView({ block: "nearest" });
    } catch {
      showStatus("qr_failed", true);
    }
  }

  /** @param {string} part @param {(about: ShownCode) => void} action */
  function onClick(part, action) {
    byPart(root, part).addEventListener("click", () => {
      const about = getCurrent();
      if (about) action(about);
    });
  }

  onClick("copy-link", (about) => copyWithStatus(link(about), "link_copied"));
  onClick("copy-phrase", ({ phrase }) => copyWithStatus(phrase, "phrase_copied"));
  onClick("copy-both", ({ code, phrase }) => copyWithStatus(`${code}\n${phrase}`, "both_copied"));
  onClick("copy-link-with-phrase", (about) => copyWithStatus(link(about, about.phrase), "link_copied"));
  onClick("show-qr", (about) => (qr.hidden ? drawQr(about) : hideQr()));
  onClick("qr-phrase", drawQr);
  onClick("big-screen", ({ code }) => bigScreen.show(code));
  onClick("share", (about) => navigator.share({ url: link(about) }).catch(() => {}));
  /** @param {string} phrase */
  function showPhrase(phrase) {
    hideQr();
    qrPhrase.checked = false;
    byPart(root, "qr-phrase-row").hidden = byPart(root, "saved-phrase").hidden = phrase === "";
    byPart(root, "phrase-used").textContent = phrase;
  }

  return {
    /** @param {ShownCode} about */
    show(about) {
      showPhrase(about.phrase);
      // On a desk the clipboard is nearer.
      shareButton.hidden = !navigator.share || !matchMedia("(pointer: coarse)").matches;
      const { host, pathname } = new URL(link(about));
      i18n.setText(byPart(root, "where"), "where_to_type", () => ({ address: host + pathname.replace(/\/$/, "") }));
    },

    clear() {
      bigScreen.close();
      showPhrase("");
    },
  };
}
