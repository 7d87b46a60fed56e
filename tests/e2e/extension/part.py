"""A part of a page: actions, and expectations with a deadline."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from tests.support.process import wait_until

TIMEOUT = 30.0

_LOOK = """(selector) => {
    const found = document.querySelectorAll(selector);
    const [each] = found;
    if (!each) return { count: 0, text: "", value: null, visible: false, focused: false, enabled: false,
        checked: false };
    return {
        count: found.length,
        text: each.textContent.replace(/\\s+/g, " ").trim(),
        value: each.value ?? null,
        visible: each.checkVisibility({ visibilityProperty: true }),
        focused: document.activeElement === each,
        enabled: !each.disabled,
        checked: each.checked === true || each.getAttribute("aria-selected") === "true",
    };
}"""
# One change, as when a large text is pasted.
_FILL = """(selector, text) => {
    const field = document.querySelector(selector);
    field.focus();
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
}"""
_SHORT = 300


class Moved(Exception):  # noqa: N818
    """The page was left or reloaded during the call."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An element at one moment; if there is no element, all values are empty."""

    count: int
    text: str
    value: str | None
    visible: bool
    focused: bool
    enabled: bool
    checked: bool


NOWHERE = Seen(0, "", None, visible=False, focused=False, enabled=False, checked=False)


class Page(Protocol):
    """The methods of a driver that a part uses."""

    def evaluate(self, function: str, *arguments: object) -> Any: ...
    def click(self, selector: str) -> None: ...
    def press(self, key: str) -> None: ...


class Part:
    """The first element that a selector finds; each call searches again."""

    def __init__(self, page: Page, selector: str) -> None:
        self._page = page
        self.selector = selector

    def __str__(self) -> str:
        return self.selector

    def find(self, selector: str) -> Part:
        """A part within it."""
        return Part(self._page, f"{self.selector} {selector}")

    @property
    def now(self) -> Seen:
        """Its state at this moment."""
        try:
            looked = self._page.evaluate(_LOOK, self.selector)
            # Firefox returns nothing if the page reloads at that moment.
            return Seen(**looked) if looked else NOWHERE
        except Moved:
            return NOWHERE

    def fill(self, text: str) -> None:
        """Replace the value of the field."""
        self._expect(lambda seen: seen.visible and seen.enabled, "can be filled in")
        self._page.evaluate(_FILL, self.selector, text)

    def click(self) -> None:
        """Click it as soon as that is possible."""
        self._expect(lambda seen: seen.visible and seen.enabled, "can be clicked")
        self._page.click(self.selector)

    def check(self, checked: bool = True) -> None:
        """Tick or untick a box."""
        if self.now.checked != checked:
            self.click()

    def press(self, key: str) -> None:
        """Press a key in it."""
        self._page.evaluate("(each) => document.querySelector(each).focus()", self.selector)
        self._page.press(key)

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until it shows this text."""
        self._expect(lambda seen: _is(text, seen.text), f"says {text!r}")

    def holds(self, value: str | re.Pattern[str]) -> None:
        """Wait until the field has this value."""
        self._expect(lambda seen: _is(value, seen.value or ""), f"holds {value!r}")

    def appears(self) -> None:
        """Wait until it is visible."""
        self._expect(lambda seen: seen.visible, "can be seen")

    def vanishes(self) -> None:
        """Wait until it is not visible."""
        self._expect(lambda seen: not seen.visible, "cannot be seen")

    def has_focus(self) -> None:
        """Wait until it has the focus."""
        self._expect(lambda seen: seen.focused, "has the focus")

    def is_ready(self) -> None:
        """Wait until it is enabled."""
        self._expect(lambda seen: seen.enabled, "can be used")

    def is_checked(self, checked: bool = True) -> None:
        """Wait until it is ticked or chosen."""
        self._expect(lambda seen: seen.checked == checked, f"is{'' if checked else ' not'} chosen")

    def counts(self, count: int) -> None:
        """Wait until there are so many elements."""
        self._expect(lambda seen: seen.count == count, f"is there {count} times")

    def _expect(self, condition: Callable[[Seen], bool], what: str) -> None:
        last: list[Seen] = []

        def holds() -> bool:
            last[:] = [self.now]
            return condition(last[0])

        try:
            wait_until(holds, what, TIMEOUT)
        except AssertionError:
            # A report should not contain a text of a megabyte.
            seen = {name: str(value)[:_SHORT] for name, value in asdict(last[0]).items()}
            raise AssertionError(f"{self} never {what[:_SHORT]}; it is {seen}") from None


def _is(wanted: str | re.Pattern[str], found: str) -> bool:
    return found == wanted if isinstance(wanted, str) else bool(wanted.search(found))
