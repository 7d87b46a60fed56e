/** A button for what cannot be undone: where something would be lost, it is to be pressed twice. */

const PATIENCE = 5_000;

/**
 * @param {HTMLButtonElement} button
 * @param {import("./translator.js").Translator} translator
 * @param {{needsConfirmation: () => Promise<boolean>, action: () => Promise<void>}} options `needsConfirmation`: whether something would be lost
 */
export function makeConfirmButton(button, translator, { needsConfirmation, action }) {
  const usual = button.dataset.say ?? "";
  let isAsked = false;

  function calm() {
    isAsked = false;
    translator.setText(button, usual);
  }

  button.addEventListener("click", async () => {
    if (isAsked || !(await needsConfirmation())) {
      await action();
      return;
    }
    isAsked = true;
    translator.setText(button, `${usual}_sure`);
    setTimeout(calm, PATIENCE);
  });
}
