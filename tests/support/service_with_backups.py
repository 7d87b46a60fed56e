"""A service whose operator makes and restores backups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask

from saver.app import Services
from saver.codes import Code
from saver.ops import RestoreResult
from saver.store import NoTextError, PoolEmptyError, TextStore
from tests.conftest import Clock
from tests.support.texts import save

REST = 86_400
LONGEST = 2_592_000
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"


class ServiceWithBackups:
    """A service, its operator, and one clock for both."""

    def __init__(self, make_app: Callable[..., Flask], clock: Clock, tmp_path: Path, name: str) -> None:
        self._make_app, self._name = make_app, name
        self.clock = clock
        self.folder = tmp_path / f"{name}-backups"
        self.folder.mkdir()
        self.database = tmp_path / name / "saver.db"
        self.open()

    def open(self) -> None:
        """Start the service again."""
        self.app = self._make_app(self._name)
        self.services: Services = self.app.extensions["saver"]

    @property
    def store(self) -> TextStore:
        return self.services.store

    def close(self) -> None:
        """Stop it; no connection stays open."""
        with self.app.app_context():
            self.app.extensions["sqlalchemy"].engine.dispose()

    def backup(self) -> Path:
        return self.services.tools.backup.make(self.folder, 100).path

    def restore(self, backup: Path, *, lost: bool = False, quarantine: int | None = None) -> RestoreResult:
        self.close()
        self.open()
        return self.services.tools.restore.restore(backup, lost=lost, quarantine=quarantine)

    def lose(self) -> None:
        """Delete the database."""
        self.close()
        for path in self.database.parent.glob("saver.db*"):
            path.unlink()

    def sweep(self) -> None:
        while self.store.sweep(100).more:
            pass

    def reads(self, code: str, password: str | None = None, *, claim: str | None = None) -> str | None:
        try:
            return self.store.load(Code.parse(code), password, claim=claim).text
        except NoTextError:
            return None

    def lease_all(self) -> set[str]:
        """Lease every code that is free."""
        found: set[str] = set()
        while True:
            try:
                found.add(save(self.store, "stranger", 60).code)
            except PoolEmptyError:
                return found
