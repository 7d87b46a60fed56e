/** The field of one note: every change is stored. */

import { coalesceWrites } from "../core/coalesce.js";
import { setDirection } from "./direction.js";

/** @typedef {import("../core/notes.js").Note} Note */

/**
 * @param {Note} note
 * @param {import("./i18n.js").I18n} i18n
 * @param {{store: (note: Note) => Promise<unknown>, onEdited: () => void, onError: () => void}} options
 */
export function makeNoteEditor(note, i18n, { store, onEdited, onError }) {
  // The exact text: a field turns CRLF into LF. What is edited is what the field shows.
  let { text } = note;
  const field = document.createElement("textarea");
  const save = coalesceWrites((/** @type {string} */ edited) => store({ ...note, text: edited }), onError);
  Object.assign(field, { id: `note-${note.id}`, value: text, rows: 12, spellcheck: false });
  field.dataset.part = "note-text";
  i18n.setLabel(field, "note_text", () => ({ code: note.code }));
  setDirection(field);
  field.addEventListener("input", () => {
    setDirection(field);
    text = field.value;
    onEdited();
    save(text);
  });
  return {
    field,
    get text() {
      return text;
    },
  };
}
