"""The type of the clock that is passed in, so that tests decide what time it is."""

from __future__ import annotations

from collections.abc import Callable

# Returns UTC seconds.
Clock = Callable[[], float]
