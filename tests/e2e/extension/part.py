"""A part of a page: what is done with it, and what is expected of it within a deadline."""

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
# As a paste arrives: one change, however large it is.
_FILL = """(selector, text) => {
    const field = document.querySelector(selector);
    field.focus();
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
}"""
_SHORT = 300


class Moved(Exception):  # noqa: N818
    """The page was left, or loaded itself anew, while it was asked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An element at one moment; without one, all is empty."""

    count: int
    text: str
    value: str | None
    visible: bool
    focused: bool
    enabled: bool
    checked: bool


NOWHERE = Seen(0, "", None, visible=False, focused=False, enabled=False, checked=False)


class Page(Protocol):
    """What a part needs of a driver."""

    def evaluate(self, function: str, *arguments: object) -> Any: ...
    def click(self, selector: str) -> None: ...
    def press(self, key: str) -> None: ...


class Part:
    """The first element that a selector finds, looked for anew each time."""

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
        """How it is at this moment."""
        try:
            looked = self._page.evaluate(_LOOK, self.selector)
            # Firefox gives nothing where the page loads itself anew at that moment.
            return Seen(**looked) if looked else NOWHERE
        except Moved:
            return NOWHERE

    def fill(self, text: str) -> None:
        """Replace what stands in the field."""
        self._expect(lambda seen: seen.visible and seen.enabled, "can be filled in")
        self._page.evaluate(_FILL, self.selector, text)

    def click(self) -> None:
        """Click it as soon as that is possible."""
        self._expect(lambda seen: seen.visible and seen.enabled, "can be clicked")
        self._page.click(self.selector)

    def check(self, checked: bool = True) -> None:
        """Tick a box, or not."""
        if self.now.checked != checked:
            self.click()

    def press(self, key: str) -> None:
        """Press a key in it."""
        self._page.evaluate("(each) => document.querySelector(each).focus()", self.selector)
        self._page.press(key)

    def says(self, text: str | re.Pattern[str]) -> None:
        """It shows this text, sooner or later."""
        self._expect(lambda seen: _is(text, seen.text), f"says {text!r}")

    def holds(self, value: str | re.Pattern[str]) -> None:
        """The field holds this value, sooner or later."""
        self._expect(lambda seen: _is(value, seen.value or ""), f"holds {value!r}")

    def appears(self) -> None:
        """It can be seen, sooner or later."""
        self._expect(lambda seen: seen.visible, "can be seen")

    def vanishes(self) -> None:
        """It cannot be seen, sooner or later."""
        self._expect(lambda seen: not seen.visible, "cannot be seen")

    def has_focus(self) -> None:
        """It has the focus, sooner or later."""
        self._expect(lambda seen: seen.focused, "has the focus")

    def is_ready(self) -> None:
        """It can be used, sooner or later."""
        self._expect(lambda seen: seen.enabled, "can be used")

    def is_checked(self, checked: bool = True) -> None:
        """It is ticked or chosen, sooner or later."""
        self._expect(lambda seen: seen.checked == checked, f"is{'' if checked else ' not'} chosen")

    def counts(self, count: int) -> None:
        """There are so many, sooner or later."""
        self._expect(lambda seen: seen.count == count, f"is there {count} times")

    def _expect(self, condition: Callable[[Seen], bool], what: str) -> None:
        last: list[Seen] = []

        def holds() -> bool:
            last[:] = [self.now]
            return condition(last[0])

        try:
            wait_until(holds, what, TIMEOUT)
        except AssertionError:
            # A text of a megabyte in a report helps nobody.
            seen = {name: str(value)[:_SHORT] for name, value in asdict(last[0]).items()}
            raise AssertionError(f"{self} never {what[:_SHORT]}; it is {seen}") from None


def _is(wanted: str | re.Pattern[str], found: str) -> bool:
    return found == wanted if isinstance(wanted, str) else bool(wanted.search(found))
