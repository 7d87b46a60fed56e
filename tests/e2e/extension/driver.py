"""What a test can do with a browser. Two drivers implement it; the tests use nothing else."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from tests.e2e.extension.part import Part
from tests.support.server import ROOT

# The extension under test: the source, which is what ships, or an unpacked package.
EXTENSION = Path(os.environ.get("SAVER_EXTENSION") or ROOT / "extension")
WIDE, NARROW = (1280, 900), (320, 640)

Size = tuple[int, int]


# This file is not a page, so no code of the extension runs in it; but it has the extension's API.
OFFICE = "manifest.json"
# Alarms too: one of them could open a tab later, during the next test.
CLEAR = """() => Promise.all([
    chrome.storage.local.clear(), chrome.storage.session.clear(), chrome.alarms.clearAll(),
])"""
# The page that a new extension opens if it has no service.
WELCOME = "options.html"


def welcomes(extension: Path) -> bool:
    """Whether the extension opens its settings when it is installed."""
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
        """Close the page, as a popup closes when it loses the focus. The page below is visible again."""

    @abstractmethod
    def evaluate(self, function: str, *arguments: object) -> Any:
        """Call a function in the page; what it returns or resolves to, as JSON."""

    @abstractmethod
    def click(self, selector: str) -> None:
        """Click an element with the mouse."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type into the element that has the focus."""

    @abstractmethod
    def press(self, key: str) -> None:
        """Press a key, or several at once: ``Enter``, ``Shift+Tab``, ``Control+Enter``."""

    @abstractmethod
    def dress(self, *, dark: bool = False, size: Size = WIDE) -> None:
        """Set the colour scheme and the size of the page."""

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
        """Call a function with the extension's API, without an open page of the extension."""

    @abstractmethod
    def choose(self, item: str, element: str) -> None:
        """Choose an item, by its id, in the context menu of an element of the page."""

    @abstractmethod
    def command(self, name: str) -> None:
        """Run the command of a keyboard shortcut."""

    @abstractmethod
    def lend(self) -> int:
        """Allow the extension to read the page, as a click on its button does; the id of the tab."""

    @abstractmethod
    def press_in_popup(self, *keys: str) -> None:
        """Press keys, one after the other, in the real popup that is open over the page."""

    @abstractmethod
    def kill_background(self) -> None:
        """End the service worker or event page, as the browser does when it is idle."""

    # The browser

    @abstractmethod
    def clean(self) -> None:
        """Clean it: no page, nothing stored, nothing copied."""

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
        """All that the extension has in a storage area."""
        stored: dict[str, Any] = self.inside("(area) => chrome.storage[area].get()", area)
        return stored

    def store(self, **values: object) -> None:
        """Store values in the extension's local storage."""
        self.inside("(values) => chrome.storage.local.set(values)", values)

    def in_popup(self, function: str) -> Any:
        """Call a function with the document of the real popup over the page; None where none is open."""
        views = "chrome.extension.getViews({ type: 'popup' })"
        return self.inside(
            f"() => {{ const [view] = {views}; return view ? ({function})(view.document) : null; }}"
        )

    def select(self, selector: str) -> None:
        """Select the text of an element."""
        self.evaluate("(each) => getSelection().selectAllChildren(document.querySelector(each))", selector)
