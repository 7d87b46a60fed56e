"""What the program keeps between two runs, in the user's state directory, for this user only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import platformdirs

from saver.clock import Clock


def default_folder() -> Path:
    """Where the state is: ``saver/client`` in the user's state directory."""
    return platformdirs.user_state_path("saver") / "client"


class State:
    """Small JSON objects, each in a file of its own with mode 0600, so two runs never write the same file.

    An object has an end in UTC seconds and is forgotten after it.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def get(self, kind: str, *key: str) -> Mapping[str, object]:
        """Return an object; an empty one if there is none, or if it cannot be read."""
        return self._read(self._file(kind, key)) or {}

    def put(self, kind: str, *key: str, until: float, **value: object) -> None:
        """Store an object, and forget those whose end has passed. Raises OSError."""
        self._forget_old(kind)
        file = self._file(kind, key)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp gives it the mode 0600.
        handle, written = tempfile.mkstemp(dir=file.parent, prefix=".")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as target:
                json.dump({**value, "until": until}, target)
            Path(written).replace(file)
        except BaseException:
            Path(written).unlink(missing_ok=True)
            raise

    def remove(self, kind: str, *key: str) -> None:
        """Forget an object."""
        with suppress(OSError):
            self._file(kind, key).unlink()

    def _forget_old(self, kind: str) -> None:
        for file in self._files(kind):
            if self._read(file) is None:
                with suppress(OSError):
                    file.unlink()

    def _files(self, kind: str) -> Iterator[Path]:
        return (self._folder / kind).glob("*.json")

    def _file(self, kind: str, key: tuple[str, ...]) -> Path:
        # Codes differ only in case, and file systems may not.
        return self._folder / kind / f"{sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"

    def _read(self, file: Path) -> Mapping[str, object] | None:
        """The object in a file, or None if its end has passed or it is damaged."""
        try:
            found = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        until = found.get("until") if isinstance(found, dict) else None
        return found if isinstance(until, int | float) and until > self._clock() else None
