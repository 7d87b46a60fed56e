"""Checks on a disk that becomes full; ``tests/system/test_disk.py`` mounts a small one and runs them."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
from contextlib import suppress
from io import FileIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from saver import create_app
from saver.app import Services
from saver.codes import Code
from saver.database import StorageError
from saver.worker import Sweeper
from tests.conftest import Clock, settings_in
from tests.support.snapshot import put_codes, query

SIZE = 500_000
CLAIM = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"


class ServiceOnSmallDisk:
    """A service whose data directory is the disk; only the test moves its clock."""

    def __init__(self, folder: Path, migrated: Path, **changed: object) -> None:
        self.folder, self.clock = folder, Clock()
        shutil.copy(migrated, folder / "saver.db")
        put_codes(folder / "saver.db", [Code.nth(number * 1_461) for number in range(1_000)])
        app = create_app(settings_in(folder, disk_reserve=16 << 20, **changed), self.clock, Random(1))
        self.client: FlaskClient = app.test_client()
        self.services: Services = app.extensions["saver"]
        self.sweeper = Sweeper(self.services.store, self.services.readiness, threading.Event())

    def ask(self, route: str, **body: object) -> tuple[int, Any]:
        """The status and the JSON."""
        answer = self.client.post(f"/api/v1/{route}", json=body)
        return answer.status_code, answer.json

    def write(self, **more: object) -> dict[str, str]:
        status, written = self.ask("write", text="x" * SIZE, expires_in=3_600, **more)
        assert status == 201, written
        return {"code": written["code"], "owner_token": written["owner_token"]}

    def owners_go_on(self, owned: list[dict[str, str]], once: str) -> None:
        """Load, extend, delete and acknowledge."""
        assert self.ask("load", code=owned[0]["code"])[1]["text"] == "x" * SIZE
        assert self.ask("extend", **owned[0], expires_in=7_200)[0] == 200
        assert self.ask("delete", **owned[1])[0] == 204
        assert self.ask("load", code=once, claim=CLAIM)[0] == 200
        assert self.ask("ack", code=once, claim=CLAIM)[0] == 204

    def sweep_all(self) -> None:
        """Sweep after everything has expired: no expired text is left."""
        self.clock.tick(7_200)
        for _ in range(3):
            with suppress(StorageError):
                self.sweeper.run()
        assert query(self.folder / "saver.db", "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(0,)]

    def readyz(self) -> tuple[int, str]:
        state = self.client.get("/readyz")
        return state.status_code, state.json["writes"]


def texts(folder: Path, migrated: Path) -> None:
    """Texts fill the disk: writes are refused, everything else works, and it recovers by itself."""
    service = ServiceOnSmallDisk(folder, migrated)
    service.sweeper.run()
    assert service.readyz() == (200, "ok")
    once = service.write(once=True)["code"]
    owned = [service.write()]
    status = 201
    while status == 201:
        status, written = service.ask("write", text="x" * SIZE, expires_in=3_600)
        owned.append({name: written.get(name) for name in ("code", "owner_token")})
    assert (status, written["type"]) == (503, "urn:saver:problem:full")
    assert len(owned) > 10
    service.sweeper.run()
    assert service.readyz() == (200, "refused"), service.readyz()
    service.owners_go_on(owned, once)
    service.sweep_all()
    assert service.readyz() == (200, "ok")
    # The space of wiped texts can be used again: as many texts fit as before.
    for _ in range(len(owned) // 2):
        service.write()


def something_else(folder: Path, migrated: Path) -> None:
    """Another program fills the disk to the last byte: texts can still be deleted, and are wiped."""
    service = ServiceOnSmallDisk(folder, migrated)
    service.sweeper.run()
    assert service.readyz() == (200, "ok")
    once = service.write(once=True)["code"]
    owned = [service.write() for _ in range(20)]
    fill_up(folder / "other")
    assert service.ask("write", text="x")[0] == 503
    service.owners_go_on(owned, once)
    fill_up(folder / "more")
    service.sweep_all()
    # The next sweep frees what it can.
    service.sweeper.run()
    assert (folder / "saver.db-reserve").exists()
    assert service.readyz() == (200, "refused"), service.client.get("/readyz").json
    (folder / "other").unlink()
    assert service.readyz() == (200, "ok")
    service.write()


def fill_up(path: Path) -> None:
    """Write until nothing more fits, not even a byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4_096, 1):
            with pytest.raises(OSError, match="No space left"):
                write_for_ever(file, b"x" * size)


def write_for_ever(file: FileIO, what: bytes) -> None:
    while True:
        file.write(what)


if __name__ == "__main__":
    logging.disable()
    {"texts": texts, "something_else": something_else}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
