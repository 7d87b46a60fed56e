/** Reads a code aloud, letter by letter, where the browser has a voice. */

/**
 * @param {HTMLElement} button
 * @param {import("./translator.js").Translator} translator
 * @param {() => string | undefined} getCode
 */
export function setUpReadAloud(button, translator, getCode) {
  const { speechSynthesis: voice } = window;
  button.hidden = !voice;
  button.addEventListener("click", () => {
    const code = getCode();
    if (!code || !voice) return;
    const said = new SpeechSynthesisUtterance(translator.spelling(code));
    said.lang = translator.language;
    // Letters are written down while they are heard.
    said.rate = 0.8;
    voice.cancel();
    voice.speak(said);
  });
}
