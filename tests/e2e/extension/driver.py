"""What a test can do at a browser. Two drivers do it; the tests know no other way in."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from tests.e2e.extension.part import Part
from tests.support.server import ROOT

# What is tested: the source, which is what ships, or a package that was unpacked somewhere.
EXTENSION = Path(os.environ.get("SAVER_EXTENSION") or ROOT / "extension")
WIDE, NARROW = (1280, 900), (320, 640)

Size = tuple[int, int]


# No page, so nothing of ours runs in it; but it has the extension's own API, as every file of it has.
OFFICE = "manifest.json"
# Alarms too: a tab that one of them opens later, and that closes itself, would come in the next test's way.
CLEAR = """() => Promise.all([
    chrome.storage.local.clear(), chrome.storage.session.clear(), chrome.alarms.clearAll(),
])"""
# What a new extension opens when it does not know its service.
WELCOME = "options.html"


def welcomes(extension: Path) -> bool:
    """Whether it opens its settings when it is installed."""
    shipped = json.loads((extension / "service.json").read_text("utf-8"))
    return not shipped["server"]


class Driver(ABC):
    """A browser with the extension, or at least one that is open.

    A page of the extension lies in a tab, where it is the same document as in the popup. A
    function is JavaScript source that is called with the arguments.
    """

    name: str

    # The page

    @abstractmethod
    def open(self, address: str, *, over: bool = False) -> None:
        """Open a page: a URL, or a file of the extension; in place of the one before, or over it."""

    @abstractmethod
    def close(self) -> None:
        """Close the page, as a popup closes when it loses the focus. What lay below is there again."""

    @abstractmethod
    def evaluate(self, function: str, *arguments: object) -> Any:
        """Call a function in the page; what it returns or resolves to, as JSON."""

    @abstractmethod
    def click(self, selector: str) -> None:
        """Click an element with the mouse."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type into whatever has the focus."""

    @abstractmethod
    def press(self, key: str) -> None:
        """Press a key, or several at once: ``Enter``, ``Shift+Tab``, ``Control+Enter``."""

    @abstractmethod
    def dress(self, *, dark: bool = False, size: Size = WIDE) -> None:
        """How the page is to look from now on."""

    # The computer

    @abstractmethod
    def copied(self) -> str:
        """What is on the clipboard."""

    @abstractmethod
    def copy(self, text: str) -> None:
        """Put a text on the clipboard, as another program would."""

    # The extension

    @abstractmethod
    def inside(self, function: str, *arguments: object) -> Any:
        """Call a function where the extension's own API is, though none of its pages is open."""

    @abstractmethod
    def choose(self, item: str, element: str) -> None:
        """Choose an item, by its id, of the context menu on an element of the page."""

    @abstractmethod
    def command(self, name: str) -> None:
        """Give the command that a keyboard shortcut gives."""

    @abstractmethod
    def lend(self) -> int:
        """Let the extension reach into the page, as a click on its button does; the tab's number."""

    @abstractmethod
    def press_in_popup(self, *keys: str) -> None:
        """Press keys, one after the other, in the real popup that is open over the page."""

    @abstractmethod
    def kill_background(self) -> None:
        """End the service worker or event page, as the browser does when it is idle."""

    # The browser

    @abstractmethod
    def clean(self) -> None:
        """Make it as new: no page, nothing stored, nothing copied."""

    @abstractmethod
    def quit(self) -> None:
        """End it."""

    # What follows from the rest

    def part(self, name: str) -> Part:
        """A part of the page, by the name in its markup."""
        return self.find(f'[data-part="{name}"]')

    def find(self, selector: str) -> Part:
        """A part of the page, by a selector."""
        return Part(self, selector)

    def stored(self, area: str = "local") -> dict[str, Any]:
        """All that the extension keeps in an area of storage."""
        kept: dict[str, Any] = self.inside("(area) => chrome.storage[area].get()", area)
        return kept

    def store(self, **values: object) -> None:
        """Keep values in the extension's local storage."""
        self.inside("(values) => chrome.storage.local.set(values)", values)

    def in_popup(self, function: str) -> Any:
        """Call a function with the document of the real popup over the page; None where none is open."""
        views = "chrome.extension.getViews({ type: 'popup' })"
        return self.inside(
            f"() => {{ const [view] = {views}; return view ? ({function})(view.document) : null; }}"
        )

    def select(self, selector: str) -> None:
        """Mark the text of an element."""
        self.evaluate("(each) => getSelection().selectAllChildren(document.querySelector(each))", selector)
