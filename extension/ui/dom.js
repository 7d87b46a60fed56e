/** Small helpers for the DOM. */

/**
 * The part of a panel with this name; there is exactly one.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {any} an element whose kind the markup decides
 */
export function byPart(root, name) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

/** How a shortcut is written on this computer. @param {string} letter */
export const shortcut = (letter) => (/Mac|iPhone|iPad/.test(navigator.platform) ? `⌘${letter}` : `Ctrl+${letter}`);

/**
 * Copy a text. The second way is for pages that did not come over HTTPS.
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser let it happen
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByEvent(text);
  }
}

/** @param {string} text */
function copyByEvent(text) {
  let isCopied = false;
  /** @param {ClipboardEvent} event */
  const onCopy = (event) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
    isCopied = true;
  };
  document.addEventListener("copy", onCopy, { capture: true });
  const done = document.execCommand("copy");
  document.removeEventListener("copy", onCopy, { capture: true });
  return done && isCopied;
}

/**
 * Let a button show and hide what is typed into a password field.
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 * @param {import("./i18n.js").I18n} i18n
 */
export function makePasswordToggle(field, button, i18n) {
  /** @param {boolean} shown */
  function set(shown) {
    field.type = shown ? "text" : "password";
    button.dataset.i18nLabel = shown ? "hide_password" : "show_password";
    i18n.setText(button, shown ? "hide" : "show");
  }
  button.addEventListener("click", () => set(field.type === "password"));
  return { hide: () => set(false), show: () => set(true) };
}

/**
 * Run one deed at a time for a form; while it runs the form is busy.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} onSubmitted
 * @returns {(deed: () => Promise<void>) => Promise<void>} runs another deed of the form, after the one that runs
 */
export function onSubmit(form, button, onSubmitted) {
  /** @type {Promise<void> | null} */
  let running = null;

  /** @param {() => Promise<void>} action */
  async function run(action) {
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      await action();
    } finally {
      running = null;
      button.disabled = false;
      form.removeAttribute("aria-busy");
      keepFocus(button);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    running ??= run(onSubmitted);
  });
  return async (action) => {
    while (running) await running.catch(() => {});
    running = run(action);
    await running;
  };
}

/**
 * Give a button the focus back that it lost while it was disabled: the keyboard
 * must not start over at the top. Not if the focus has gone elsewhere.
 * @param {HTMLButtonElement} button
 */
export function keepFocus(button) {
  if (document.activeElement === document.body) button.focus();
}
