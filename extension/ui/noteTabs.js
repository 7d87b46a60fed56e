/** Notes: loaded texts that a user keeps, each in a tab of its own, editable. */

import { coalesceWrites } from "../core/coalesce.js";
import { TEXT_TAB } from "../core/session.js";
import { setDirection } from "./direction.js";

/** @typedef {import("../core/notes.js").Note} Note */

/**
 * @param {object} options
 * @param {HTMLElement} options.list of tabs
 * @param {HTMLElement} options.panels
 * @param {ReturnType<typeof import("../core/notes.js").makeNotes>} options.notes
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {(name: string) => void} options.show a tab, by its name
 */
export function makeNoteTabs({ list, panels, notes, i18n, copy, show }) {
  /** @param {Note} note */
  function add(note) {
    const tab = createTab(note);
    const panel = createPanel(note, tab);
    list.append(tab);
    panels.append(panel);
    return { name: tab.dataset.part ?? "", panel };
  }

  /** @param {Note} note */
  function createTab({ id, code }) {
    const tab = document.createElement("button");
    Object.assign(tab, { type: "button", id: `tab-${id}`, textContent: code, lang: "en", tabIndex: -1 });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `panel-${id}`);
    tab.setAttribute("aria-selected", "false");
    Object.assign(tab.dataset, { part: `note-${id}`, note: code });
    return tab;
  }

  /** @param {Note} note @param {HTMLElement} tab */
  function createPanel(note, tab) {
    const panel = document.createElement("section");
    const status = document.createElement("p");
    // The exact text: a field turns CRLF into LF. What is edited is what the field shows.
    let { text } = note;
    const field = createField(note, status, () => {
      text = field.value;
    });
    const row = document.createElement("div");
    Object.assign(panel, { id: `panel-${note.id}`, className: "note-panel", hidden: true });
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    Object.assign(status, { className: "status" });
    status.setAttribute("role", "status");
    row.className = "row";
    row.append(
      createButton("main", "copy_text", "note-copy", async () => {
        i18n.clearText(status);
        i18n.setText(status, (await copy(text)) ? "text_copied" : "copy_failed");
      }),
      createButton("plain danger", "remove_note", "note-remove", async () => {
        await notes.remove(note.id);
        tab.remove();
        panel.remove();
        show(TEXT_TAB);
        document.getElementById(TEXT_TAB)?.focus();
      }),
    );
    panel.append(field, row, status);
    return panel;
  }

  /** @param {Note} note @param {HTMLElement} status @param {() => void} edited */
  function createField(note, status, edited) {
    const field = document.createElement("textarea");
    const save = coalesceWrites(
      (/** @type {string} */ text) => notes.set({ ...note, text }),
      () => i18n.setText(status, "note_failed"),
    );
    Object.assign(field, { value: note.text, rows: 12, spellcheck: false });
    field.dataset.part = "note-text";
    i18n.setLabel(field, "note_text", () => ({ code: note.code }));
    setDirection(field);
    field.addEventListener("input", () => {
      setDirection(field);
      edited();
      save(field.value);
    });
    return field;
  }

  /** @param {string} kind @param {string} key @param {string} name @param {() => Promise<void>} action */
  function createButton(kind, key, name, action) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: kind });
    made.dataset.part = name;
    i18n.setText(made, key);
    made.addEventListener("click", action);
    return made;
  }

  return {
    async restore() {
      for (const note of await notes.list()) add(note);
    },

    /** Keep a text; the message that says what came of it. @param {{code: string, text: string}} shown */
    async addNote({ code, text }) {
      try {
        const { name, panel } = add(await notes.add(code, text));
        show(name);
        panel.querySelector("textarea")?.focus();
        return "note_saved";
      } catch {
        return "note_failed";
      }
    },
  };
}
