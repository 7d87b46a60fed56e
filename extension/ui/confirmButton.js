/** A button for what cannot be undone: where something would be lost, it is to be pressed twice. */

const CONFIRM_TIMEOUT = 5_000;

/**
 * @param {HTMLButtonElement} button
 * @param {import("./i18n.js").I18n} i18n
 * @param {{needsConfirmation: () => Promise<boolean>, action: () => Promise<void>}} options `needsConfirmation`: whether something would be lost
 */
export function makeConfirmButton(button, i18n, { needsConfirmation, action }) {
  const initialKey = button.dataset.i18n ?? "";
  let isConfirming = false;
  let timer = 0;

  function reset() {
    isConfirming = false;
    clearTimeout(timer);
    i18n.setText(button, initialKey);
  }

  button.addEventListener("click", async () => {
    if (isConfirming || !(await needsConfirmation())) {
      // What comes next is another thing to lose.
      reset();
      await action();
      return;
    }
    isConfirming = true;
    i18n.setText(button, `${initialKey}_confirm`);
    timer = window.setTimeout(reset, CONFIRM_TIMEOUT);
  });
}
