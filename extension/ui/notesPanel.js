/** The notes: loaded texts that a user keeps, each named by its first line, and editable where it stands. */

import { makeConfirmButton } from "./confirmButton.js";
import { byPart } from "./dom.js";
import { makeNoteEditor } from "./noteEditor.js";
import { showStatus } from "./status.js";

/** @typedef {import("../core/notes.js").Note} Note */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/notes.js").makeNotes>} options.notes
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {() => void} options.onKept told when there is a new note: to show this panel
 */
export function makeNotesPanel({ root, notes, i18n, copy, onKept }) {
  const list = byPart(root, "notes");
  const status = byPart(root, "notes-status");
  /** Closes the note that is open. @type {() => void} */
  let closeOpenNote = () => {};
  /** The id of the note to open when the list is shown. */
  let keptId = "";

  /** @param {Note[]} shown */
  function showList(shown) {
    closeOpenNote = () => {};
    list.replaceChildren(...shown.map(row));
    byPart(root, "no-notes").hidden = shown.length > 0;
  }

  /** @param {Note} note */
  function row(note) {
    const line = document.createElement("li");
    line.dataset.note = note.code;
    const name = createButton("link summary", "note-name");
    const editor = makeNoteEditor(note, i18n, { store: notes.set, onEdited: showName, onError: () => showStatus(status, i18n, "note_failed") });

    function showName() {
      i18n.setText(name, "note_name", () => ({ code: note.code, line: firstLine(editor.text) }));
    }

    function close() {
      editor.field.hidden = true;
      name.setAttribute("aria-expanded", "false");
    }

    function open() {
      closeOpenNote();
      closeOpenNote = close;
      editor.field.hidden = false;
      name.setAttribute("aria-expanded", "true");
      editor.field.focus();
    }

    close();
    showName();
    // A name in another script reads as that script does.
    name.dir = "auto";
    name.setAttribute("aria-controls", editor.field.id);
    name.addEventListener("click", () => (editor.field.hidden ? open() : close()));
    const actions = document.createElement("div");
    actions.className = "row quiet";
    actions.append(copyButton(editor), removeButton(note));
    line.append(name, editor.field, actions);
    if (note.id === keptId) requestAnimationFrame(open);
    return line;
  }

  /** @param {ReturnType<typeof makeNoteEditor>} editor */
  function copyButton(editor) {
    const button = createButton("link", "note-copy");
    i18n.setText(button, "copy_text");
    button.addEventListener("click", async () => {
      showStatus(status, i18n, (await copy(editor.text)) ? "text_copied" : "copy_failed");
    });
    return button;
  }

  /** @param {Note} note */
  function removeButton(note) {
    const button = createButton("link danger", "note-remove");
    button.dataset.i18n = "remove_note";
    i18n.setText(button, "remove_note");
    makeConfirmButton(button, i18n, {
      // It is nowhere else.
      needsConfirmation: async () => true,
      async action() {
        await notes.remove(note.id);
        showList(await notes.list());
        (list.querySelector("button") ?? root).focus();
      },
    });
    return button;
  }

  return {
    async show() {
      i18n.clearText(status);
      showList(await notes.list());
      keptId = "";
    },

    /** Keep a text; the message that says what came of it. @param {{code: string, text: string}} shown */
    async keep({ code, text }) {
      try {
        keptId = (await notes.add(code, text)).id;
      } catch {
        return "note_failed";
      }
      onKept();
      return "note_saved";
    },
  };
}

/** @param {string} text */
const firstLine = (text) => text.trim().split("\n", 1)[0].trimEnd();

/** @param {string} className @param {string} part */
function createButton(className, part) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className });
  button.dataset.part = part;
  return button;
}
