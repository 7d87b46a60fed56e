"""Write and load under Apache and mod_wsgi against bare routes in the same daemons, with TLS and without.

The configuration is the one that ships, run as the tests run it; four more hosts lead to the same group of
daemons, so that all that differs within a pair is the app.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.common import Bench, Row, load_average, say
from bench.rates import Pair, fire, load_bodies, write_bodies
from bench.servers import Served, cpu_seconds_of, without_limits
from saver.settings import PREFIX
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import WSGI
from tests.servers.pki import Authority
from tests.support.process import free_port
from tests.support.server import ROOT

_CLIENTS = (1, 16)
_SETS = 3
_SECONDS = 2
_BARE = """\
import sys

sys.path.insert(0, "{root}")
from bench.bare import bare_app

application = bare_app()
"""
_HOST = """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName {name}
    {tls}
    WSGIScriptAlias / {script} process-group=saver application-group=%{{GLOBAL}}
    <Directory "{folder}">
        Require all granted
    </Directory>
</VirtualHost>
"""


class _Instance(Apache):
    """The shipped configuration and four hosts beside it."""

    def prepare(self) -> None:
        """Write what it starts with."""
        self._write()
        bare = self.root / "start" / "bare.wsgi"
        bare.write_text(_BARE.format(root=ROOT))
        self.ports = {(app, tls): free_port() for app in (False, True) for tls in (False, True)}
        with (self.root / "apache2.conf").open("a") as file:
            for (app, tls), port in self.ports.items():
                script = ROOT / "saver.wsgi" if app else bare
                secured = f"Include {ROOT}/apache/conf/tls.conf" if tls else ""
                file.write(
                    _HOST.format(
                        port=port, name=f"bench{port}", tls=secured, script=script, folder=script.parent
                    )
                )


class _Host(Served):
    """One of the hosts, asked as a server of its own."""

    def __init__(self, apache: _Instance, *, app: bool, tls: bool) -> None:
        self._apache = apache
        self.sources = 0
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{apache.ports[app, tls]}"

    def cpu_seconds(self) -> list[float]:
        return [cpu_seconds_of(pid) for pid in sorted(self._apache.daemons())]


@dataclass(frozen=True, slots=True)
class _Case:
    what: str
    tls: bool
    clients: int

    def __str__(self) -> str:
        return f"{self.what}, {'TLS' if self.tls else 'no TLS'}, {self.clients} clients".replace(
            "1 clients", "1 client"
        )


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    cases = [
        _Case(what, tls, clients)
        for what in ("write", "load")
        for tls in (False, True)
        for clients in _CLIENTS
    ]
    pairs: dict[_Case, list[Pair]] = {case: [] for case in cases}
    authority = Authority(bench.folder)
    for turn in range(bench.rounds):
        say(f"apache, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        database = bench.copy(bench.full(), "apache") / "saver.db"
        settings = {name.removeprefix(PREFIX): value for name, value in without_limits().items()}
        apache = _Instance(WSGI, database, authority, settings)
        apache.prepare()
        try:
            apache.start()
            _round(bench, apache, pairs)
        finally:
            apache.__exit__(None, None, None)
    goals = {"write": ">= 0.5", "load": ">= 0.7"}
    for case, found in pairs.items():
        yield Row(
            f"apache, {case}: app / bare", [pair.rate for pair in found], goals[case.what], note=_told(found)
        )


def _round(bench: Bench, apache: _Instance, pairs: dict[_Case, list[Pair]]) -> None:
    app = _Host(apache, app=True, tls=False)
    bodies = {"write": write_bodies(bench.folder), "load": load_bodies(bench.folder, app)}
    seconds = 1 if bench.quick else _SECONDS
    for turn in range(1 if bench.quick else _SETS):
        for case, found in pairs.items():
            sides = [_Host(apache, app=is_app, tls=case.tls) for is_app in (False, True)]
            order = sides if turn % 2 == 0 else sides[::-1]
            sets = {side: fire(side, case.what, bodies[case.what], seconds, case.clients) for side in order}
            found.append(Pair(sets[sides[0]], sets[sides[1]]))


def _told(pairs: list[Pair]) -> str:
    app = statistics.median(pair.app.per_second for pair in pairs)
    bare = statistics.median(pair.bare.per_second for pair in pairs)
    lost = sum(a_set.refused + a_set.broken for pair in pairs for a_set in (pair.app, pair.bare))
    asked = sum(a_set.requests for pair in pairs for a_set in (pair.app, pair.bare))
    cpu = statistics.median(pair.cpu for pair in pairs)
    return f"{app:,.0f} / {bare:,.0f} a second; by processor time {cpu:.2f}; {lost} of {asked:,} not 2xx"
