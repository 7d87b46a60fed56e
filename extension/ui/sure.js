/** A button for what cannot be undone: where something would be lost, it is to be pressed twice. */

const PATIENCE = 5_000;

/**
 * @param {HTMLButtonElement} button
 * @param {import("./labels.js").Labels} labels
 * @param {{asks: () => Promise<boolean>, deed: () => Promise<void>}} wiring `asks`: whether something would be lost
 */
export function makeSure(button, labels, { asks, deed }) {
  const usual = button.dataset.say ?? "";
  let isAsked = false;

  function calm() {
    isAsked = false;
    labels.put(button, usual);
  }

  button.addEventListener("click", async () => {
    if (isAsked || !(await asks())) {
      await deed();
      return;
    }
    isAsked = true;
    labels.put(button, `${usual}_sure`);
    setTimeout(calm, PATIENCE);
  });
}
