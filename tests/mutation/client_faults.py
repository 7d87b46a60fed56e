"""Faults to plant in the extension and in what it shares with the page; each is caught in a real browser."""

from __future__ import annotations

from tests.mutation.faults import Fault

_KEPT = "tests/e2e/extension/test_kept.py"
_WAYS = "tests/e2e/extension/test_ways.py"

FAULTS = [
    Fault(
        "a selection loses its line breaks",
        "extension/background.js",
        "  if (text) return { text };\n",
        "",
        "tests/e2e/extension/test_background.py::test_a_selection_is_saved_with_its_lines[chromium-awake]",
    ),
    Fault(
        "a draft is lost with the popup",
        "extension/browser/panels.js",
        "    drafted: latest((draft) => held.draft.put(draft)),\n",
        "",
        f"{_KEPT}::test_a_draft_outlives_the_popup_and_the_password_does_not[firefox]",
    ),
    Fault(
        "a password is kept with the draft",
        "extension/ui/save.js",
        "    sent: false,\n",
        "    sent: false,\n    password: password.field.value,\n",
        f"{_KEPT}::test_a_draft_outlives_the_popup_and_the_password_does_not[chromium]",
    ),
    Fault(
        "a text that was to be locked is saved open",
        "extension/ui/save.js",
        "    if (wasLocked) return askForPassword();\n",
        "",
        f"{_KEPT}::test_a_draft_outlives_the_popup_and_the_password_does_not[chromium]",
    ),
    Fault(
        "a loaded text is markup",
        "extension/ui/loaded.js",
        "      field.value = found.text;\n",
        '      field.value = found.text;\n      field.insertAdjacentHTML("beforebegin", found.text);\n',
        f"{_WAYS}::test_any_text_is_text_and_nothing_else[chromium-page-markup]",
    ),
    Fault(
        "the floor of the derivation is not checked",
        "extension/core/seal.js",
        "LEAST_ITERATIONS <= iterations",
        "1 <= iterations",
        "tests/e2e/extension/test_troubles.py"
        "::test_a_hostile_service_gets_no_proof[firefox-popup-('iterations', 1)]",
    ),
    Fault(
        "a write that was under way is sent as another one",
        "extension/core/saving.js",
        "    pending = sent && { ...sent, wanted: wantedBy(sent.body) };\n",
        "    pending = sent && { ...sent, key: makeUuid(), wanted: wantedBy(sent.body) };\n",
        f"{_KEPT}::test_a_save_that_was_under_way_is_brought_to_its_end",
    ),
    Fault(
        "a link loads without a press",
        "extension/ui/load.js",
        "      lock.hidden = promised === null;\n",
        "      lock.hidden = promised === null;\n      form.requestSubmit();\n",
        "tests/e2e/page/test_page.py::test_a_link_of_a_one_time_text_does_not_end_it",
    ),
    Fault(
        "an open text is shown in the place of a sealed one",
        "extension/core/reading.js",
        "    if (isPromised) throw new NotSealed(false);\n",
        "",
        "tests/e2e/page/test_page.py::test_a_link_to_a_sealed_text_says_so",
    ),
    Fault(
        "nothing selected shows the code from before",
        "extension/browser/resume.js",
        "  save.say(notice);\n",
        "",
        "tests/e2e/extension/test_background.py::test_with_nothing_selected_no_code_from_before_is_shown[firefox]",
    ),
]
