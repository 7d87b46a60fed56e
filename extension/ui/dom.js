/** Small helpers for the DOM. */

/**
 * The part of a panel with this name; there is exactly one.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {any} an element whose kind the markup decides
 */
export function part(root, name) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

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
  let taken = false;
  /** @param {ClipboardEvent} event */
  const give = (event) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
    taken = true;
  };
  document.addEventListener("copy", give, { capture: true });
  const done = document.execCommand("copy");
  document.removeEventListener("copy", give, { capture: true });
  return done && taken;
}

/**
 * Let a button show and hide what is typed into a password field.
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 * @param {import("./labels.js").Labels} labels
 */
export function makeToggle(field, button, labels) {
  /** @param {boolean} shown */
  function set(shown) {
    field.type = shown ? "text" : "password";
    button.dataset.sayLabel = shown ? "hide_password" : "show_password";
    labels.put(button, shown ? "hide" : "show");
  }
  button.addEventListener("click", () => set(field.type === "password"));
  return { hide: () => set(false), show: () => set(true) };
}

/**
 * Run one deed at a time for a form; while it runs the form is busy.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} submitted
 * @returns {(deed: () => Promise<void>) => Promise<void>} runs another deed of the form, after the one that runs
 */
export function onSubmit(form, button, submitted) {
  /** @type {Promise<void> | null} */
  let running = null;

  /** @param {() => Promise<void>} deed */
  async function run(deed) {
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      await deed();
    } finally {
      running = null;
      button.disabled = false;
      form.removeAttribute("aria-busy");
      keepFocus(button);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    running ??= run(submitted);
  });
  return async (deed) => {
    while (running) await running.catch(() => {});
    running = run(deed);
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
