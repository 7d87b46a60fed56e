"""Upgrade several servers, one after the other, from an earlier version to this one.

    sudo .venv/bin/python -m tests.system.upgrades.servers [--from COMMIT]

Starts docs/several-servers.md in network namespaces (tests.system.cluster) with two app servers of the
earlier version, saves texts of every kind, and brings this version to one app server after the other as the
page says, while a client writes. Both versions run with the packages of this one.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.system.checks import BrokenError, must, report, run, until
from tests.system.cluster.clients import User
from tests.system.cluster.cluster import Cluster
from tests.system.cluster.files import ROOT
from tests.system.cluster.network import USER_ADDRESSES, on
from tests.system.cluster.servers import App, Balancer, end
from tests.system.upgrades.users import LostError, Users

FIRST = "9a3e06e"
# The former names of the settings, which both versions know.
FORMER = {"SAVER_RATE_LIMIT_STORAGE": "SAVER_LIMITS_URL"}
NO_LIMITS = ("writes_a_minute", "writes_an_hour", "misses_a_minute", "misses_an_hour", "live_texts")
PATIENCE = 60.0
PAUSE = 0.05


class OldCluster(Cluster):
    """A cluster whose app servers begin with another version."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(name, settings=dict.fromkeys(NO_LIMITS, 0))
        self._settings = {FORMER.get(key, key): value for key, value in self._settings.items()}
        self._version = version

    def make(self) -> None:
        """See ``Cluster.make``."""
        super().make()
        code = self.folder / "old"
        code.mkdir()
        run("git", "archive", f"--output={code}.tar", self._version, cwd=ROOT)
        run("tar", "--extract", f"--file={code}.tar", cwd=code)
        for app in self.apps.values():
            app.code = code
            # The first version does not know it.
            app.environ.pop("SAVER_ENV_FILE")
        (self.folder / "haproxy.cfg").unlink()
        # The balancer is configured anew after the app servers: it asks for what only the new ones say.
        self.balancer = Balancer(self.machines["balancer"], self.folder, deploy=code / "deploy")


class Writer:
    """A client that writes without a pause; the kinds of its answers, and the longest time without a 201."""

    def __init__(self, cluster: Cluster) -> None:
        self.kinds: Counter[str] = Counter()
        self.longest = 0.0
        self._cluster = cluster
        self._ends = threading.Event()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """It writes during the block."""
        thread = threading.Thread(target=lambda: on(self._cluster.machines["client"], self._write))
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()

    def _write(self) -> None:
        user = self._cluster.user(USER_ADDRESSES[0])
        last = time.monotonic()
        while not self._ends.wait(PAUSE):
            answer = user.write("meanwhile")
            self.kinds[answer.kind] += 1
            if answer.status == 201:
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()
        user.leave()


def users_of(cluster: Cluster, saved: dict[str, Any] | None = None) -> Users:
    """Users behind the balancer."""

    def ask(path: str, document: object, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = cluster.ask(lambda user: _post(user, path, document, headers))
            assert isinstance(answer, tuple)
            if answer[0] not in (0, 503) or time.monotonic() > deadline:
                return answer
            time.sleep(PAUSE)

    return Users(ask, saved)


def _post(user: User, path: str, document: object, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    answer = user.post(path, document, headers)
    return answer.status, answer.document


def bring(cluster: Cluster, name: str) -> None:
    """Bring this version to one app server, which the balancer does not use meanwhile."""
    app: App = cluster.apps[name]
    cluster.balancer.command(f"set server ready/{name} state drain")
    until(lambda: cluster.balancer.sessions(name) == 0, f"{name} has no request")
    for process in (app.web, app.worker):
        end(process, signal.SIGTERM)
    app.code = ROOT
    app.flask("db", "upgrade")
    app.start()
    cluster.balancer.command(f"set server ready/{name} state ready")
    until(lambda: name in cluster.balancer.ready(), f"{name} is ready")


def upgrade(cluster: Cluster, backups: Path) -> None:
    """Save, upgrade both app servers, check. Raises BrokenError and LostError."""
    users = users_of(cluster)
    users.save()
    writer = Writer(cluster)
    with writer.writing():
        for name in cluster.apps:
            began = time.monotonic()
            bring(cluster, name)
            users_of(cluster, users.saved).check()
            report(f"{name}: seconds", f"{time.monotonic() - began:.1f}")
    report("writes meanwhile", dict(writer.kinds))
    report("longest time without a write, seconds", f"{writer.longest:.1f}")
    backups.mkdir(mode=0o700)
    must(".dump" in cluster.apps["app2"].flask("backup", "--to", str(backups)), "a backup")
    users_of(cluster, users.saved).finish()
    free, leased = cluster.audit()
    report("all is there; codes free, leased", f"{free}, {leased}: each in one place")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.upgrades.servers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="old", default=FIRST, help="the earlier version")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cluster = OldCluster("upgrade", given.old)
    try:
        cluster.claim()
        try:
            cluster.make()
            cluster.prepare(few=True)
            cluster.start()
            upgrade(cluster, cluster.folder / "backups")
        finally:
            cluster.down()
    except (BrokenError, LostError) as error:
        print(f"BROKEN: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
