/** A button for what cannot be undone: where something would be lost, it is to be pressed twice. */

const CONFIRM_TIMEOUT = 5_000;

/**
 * @param {HTMLButtonElement} button
 * @param {import("./i18n.js").I18n} i18n
 * @param {{needsConfirmation: () => Promise<boolean>, action: () => Promise<void>}} options `asks`: whether something would be lost
 */
export function makeConfirmButton(button, i18n, { needsConfirmation, action }) {
  const initialKey = button.dataset.i18n ?? "";
  let isConfirming = false;

  function reset() {
    isConfirming = false;
    i18n.setText(button, initialKey);
  }

  button.addEventListener("click", async () => {
    if (isConfirming || !(await needsConfirmation())) {
      await action();
      return;
    }
    isConfirming = true;
    i18n.setText(button, `${initialKey}_confirm`);
    setTimeout(reset, CONFIRM_TIMEOUT);
  });
}
