"""Bodies that are too long or have no length, and slow clients."""

from __future__ import annotations

import re
import threading

from tests.servers.client import Client, receive
from tests.servers.names import WWW
from tests.servers.problems import HSTS, check
from tests.servers.slow_clients import OF_EACH_KIND, slow_clients, stays_quick
from tests.support.server import ROOT

COMMON = ROOT / "apache" / "conf" / "common.conf"


def test_slow_clients_do_not_delay_others(https: Client) -> None:
    """1,500 slow clients from one address: incomplete heads, incomplete bodies, and idle connections."""
    with slow_clients(https) as seen:
        stays_quick(seen)
        assert (len(seen.heads), len(seen.bodies)) == (OF_EACH_KIND, OF_EACH_KIND)
        for connection in (seen.bodies[0], seen.heads[-1]):
            check(receive(connection), 408, HSTS)


def test_a_megabyte_comes_in_at_100_kbit_a_second() -> None:
    found = re.search(
        r"^RequestReadTimeout .* body=10-(\d+),MinRate=(\d+)$", COMMON.read_text(), re.MULTILINE
    )
    assert found
    longest, rate = map(int, found.groups())
    assert rate <= 12_500 / 2
    assert longest >= 2 * 1_000_000 / 12_500


def test_many_concurrent_requests_are_all_answered(https: Client) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(https.get("/healthz", host=WWW).status for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 200
