"""The cluster: its machines, and the order in which they start."""

from __future__ import annotations

import itertools
import shutil
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.system.checks import BrokenError, until
from tests.system.cluster.clients import User
from tests.system.cluster.database import Pair, Postgres, programs
from tests.system.cluster.files import Secrets, certify
from tests.system.cluster.network import ADDRESSES, Network, on, take_down
from tests.system.cluster.servers import App, Balancer, Redis, settings_of_an_app

# On a disk, because databases wait for it. If another user made the folder, ours cannot be made.
PLACE = Path("/var/tmp")
SIMPLE = ("balancer", "app1", "app2", "db1", "cache", "client")
PAIR = (*SIMPLE[:4], "db2", *SIMPLE[4:])
APPS = ("app1", "app2")
# Codes that begin with an a.
FEW_CODES = 52**3
_PROGRAMS = {
    "ip": "iproute2",
    "haproxy": "haproxy",
    "redis-server": "redis-server",
    "setpriv": "util-linux",
    "systemd-socket-activate": "systemd",
    "openssl": "openssl",
}
_PROGRAMS_OF_A_PAIR = {"etcd": "etcd-server", "etcdctl": "etcd-client", "patroni": "patroni"}


class Cluster:
    """Balancer, two app servers with a worker each, Redis, and one PostgreSQL or a pair."""

    def __init__(
        self,
        name: str,
        *,
        pair: bool = False,
        below: str = "",
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.is_pair = pair
        self.below = below
        self.folder = PLACE / f"saver-{name}"
        self.network = Network(name, self.folder, PAIR if pair else SIMPLE)
        self.machines = self.network.machines
        self.secrets = Secrets()
        changed = {f"SAVER_{key.upper()}": str(value) for key, value in (settings or {}).items()}
        self._settings = {**settings_of_an_app(self.secrets, pair=pair), **changed}

    def claim(self) -> None:
        """Take the name. Raises BrokenError if it is taken, or if a package is missing."""
        if missing := missing_packages(pair=self.is_pair):
            raise BrokenError(f"there is something missing: apt-get install -y {' '.join(missing)}")
        try:
            self.folder.mkdir(mode=0o755)
        except FileExistsError:
            raise BrokenError(f"{self.folder} is there: run `down`, or give another --name") from None

    def make(self) -> None:
        """Start the network and everything that the app servers need. Raises BrokenError."""
        self.network.up()
        certify(self.folder)
        self.redis = Redis(self.machines["cache"], self.folder, self.secrets)
        self.redis.start()
        self.database: Postgres | Pair = (
            Pair(self.machines, self.folder, self.secrets)
            if self.is_pair
            else Postgres(self.machines["db1"], self.folder, self.secrets)
        )
        self.database.make()
        self.apps = {name: App(self.machines[name], self.folder, self._settings) for name in APPS}
        self.balancer = Balancer(self.machines["balancer"], self.folder, self.below)

    def prepare(self, *, few: bool) -> None:
        """Tables and codes: all of them, or a few for failure tests."""
        app = self.apps["app1"]
        self._codes = FEW_CODES if few else 52**4
        if not few:
            app.prepare()
            return
        app.flask("db", "upgrade")
        letters = string.ascii_letters
        codes = "\n".join("a" + "".join(three) for three in itertools.product(letters, repeat=3))
        self.database.primary().ask(f"COPY code FROM STDIN;\n{codes}\n\\.\n")

    def start(self) -> None:
        """Start app servers, workers and balancer, and wait until users are served."""
        for app in self.apps.values():
            app.start()
        self.balancer.start()
        self.until_all_ready()

    def until_all_ready(self) -> float:
        """Wait until the balancer uses both app servers; the seconds that took."""
        return until(lambda: self.balancer.ready() == set(APPS), "both app servers are ready")

    def user(self, address: str = ADDRESSES["client"]) -> User:
        """A user on the client's machine, for one thread that runs there, see ``on``."""
        return User(self.folder / "authority.pem", address, self.below)

    def ask(self, do: Callable[[User], object], address: str = ADDRESSES["client"]) -> object:
        """Call a function with a user on the client's machine; its result."""

        def work() -> object:
            user = self.user(address)
            try:
                return do(user)
            finally:
                user.leave()

        return on(self.machines["client"], work)

    def audit(self) -> tuple[int, int]:
        """Free and leased codes. Raises BrokenError if one is in both tables, or if some are missing."""
        question = (
            "SELECT (SELECT count(*) FROM code), (SELECT count(*) FROM text),"
            " (SELECT count(*) FROM text JOIN code USING (code))"
        )
        free, leased, both = map(int, self.database.primary().ask(question).split("|"))
        if both or free + leased != self._codes:
            raise BrokenError(f"codes: {free} free, {leased} leased, {both} of them in both places")
        return free, leased

    def down(self) -> None:
        """End everything and leave nothing behind."""
        try:
            self.network.down()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running(name: str, *, few: bool = True, **more: object) -> Iterator[Cluster]:
    """A cluster that serves during the block."""
    cluster = Cluster(name, **more)  # type: ignore[arg-type]
    cluster.claim()
    try:
        cluster.make()
        cluster.prepare(few=few)
        cluster.start()
        yield cluster
    finally:
        cluster.down()


def remove(name: str) -> None:
    """Remove what a killed cluster has left behind."""
    take_down(f"saver-{name}")
    shutil.rmtree(PLACE / f"saver-{name}", ignore_errors=True)


def missing_packages(*, pair: bool) -> list[str]:
    """The packages that are missing."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    wanted = {**_PROGRAMS, **(_PROGRAMS_OF_A_PAIR if pair else {})}
    found = [package for program, package in wanted.items() if not shutil.which(program, path=path)]
    try:
        programs()
    except BrokenError:
        found.append("postgresql")
    return found
