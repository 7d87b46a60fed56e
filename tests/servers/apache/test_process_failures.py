"""Requests are answered while processes are killed, hang or are replaced."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import NO_LIMITS
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import PROXY, VARIANTS, WSGI
from tests.servers.client import Answer, Client, receive, request
from tests.servers.load import MIN_REQUESTS, load
from tests.servers.pki import Authority
from tests.servers.problems import HSTS, POST, check
from tests.support.process import wait_until
from tests.support.server import ROOT

# The number of mod_wsgi's daemons in site.conf, and of gunicorn's workers.
PROCESSES = 2


def processes(apache: Apache) -> set[int]:
    """The processes in which the service runs."""
    return apache.gunicorn.workers() if apache.gunicorn else apache.daemons()


def both(apache: Apache) -> set[int]:
    """Wait until all of them run: the first one answers before the second has its name."""
    wait_until(lambda: len(processes(apache)) == PROCESSES, "not every process starts")
    return processes(apache)


def reload(apache: Apache) -> None:
    """Load new code, as the README says."""
    if apache.gunicorn:
        apache.gunicorn.reload()
    else:
        for daemon in both(apache):
            os.kill(daemon, signal.SIGUSR1)


def under_load(apache: Apache, action: Callable[[], None], done: Callable[[], bool]) -> None:
    """No request fails during the block."""
    with load(apache.client) as statuses:
        wait_until(lambda: len(statuses) >= MIN_REQUESTS, "there is no load")
        action()
        wait_until(done, "nothing was replaced")
        after = len(statuses)
        wait_until(lambda: len(statuses) >= after + MIN_REQUESTS, "the load has ended")
    assert set(statuses) == {200}


def test_new_code_comes_in_without_a_failed_request(apache: Apache) -> None:
    before = both(apache)

    def replaced() -> bool:
        now = processes(apache)
        return len(now) == PROCESSES and not now & before

    under_load(apache, lambda: reload(apache), replaced)


def test_new_code_on_the_disk_waits_for_that(apache: Apache) -> None:
    # An upgrade brings its environment and migrations after its code.
    before = both(apache)
    under_load(apache, (ROOT / "saver.wsgi").touch, lambda: True)
    assert both(apache) == before


def test_a_graceful_reload_of_the_proxy_fails_no_request(apache: Apache) -> None:
    """A reload for a new certificate or log. With mod_wsgi some requests fail: apache/README.md."""
    if apache.variant == WSGI:
        return
    before = apache.children()
    under_load(apache, apache.graceful, lambda: bool(apache.children() - before))


def test_after_the_death_of_every_process_the_next_request_is_answered(apache: Apache, https: Client) -> None:
    before = both(apache)
    for process in before:
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: not processes(apache) & before, "they do not die")
    assert https.get("/healthz").status == 200


def test_a_request_whose_daemon_dies_is_answered_with_a_problem(apache: Apache) -> None:
    if apache.variant == PROXY:
        return
    # If it ends just before it takes the request, the next process answers.
    answers = (answer_of_the_dead(apache) for _ in range(10))
    dead = next(answer for answer in answers if answer.status >= 500)
    check(dead, dead.status, HSTS)


def answer_of_the_dead(apache: Apache) -> Answer:
    """The answer if the daemons are killed between the head and the body of a request."""
    head = {**POST, "Content-Length": "100", "Expect": "100-continue"}
    with apache.client.connect() as connection:
        connection.sendall(request("POST", "/api/v1/write", head))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        for daemon in both(apache):
            os.kill(daemon, signal.SIGKILL)
        connection.sendall(b"x" * 100)
        return receive(connection)


@pytest.fixture(scope="module", params=VARIANTS)
def quick_apache(request: pytest.FixtureRequest, pool_file: Path, authority: Authority) -> Iterator[Apache]:
    """An Apache that waits for the service for two seconds."""
    with Apache(request.param, pool_file, authority, NO_LIMITS, SAVER_TIMEOUT=2) as running:
        yield running


def is_frozen(process: int) -> bool:
    """Whether every thread of it has stopped, which takes a moment after the signal."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


def test_a_service_that_hangs_is_a_problem_in_time(quick_apache: Apache) -> None:
    frozen = both(quick_apache)
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    wait_until(lambda: all(map(is_frozen, frozen)), "they do not stop")
    answer = quick_apache.client.get("/healthz")
    for process in frozen:
        os.kill(process, signal.SIGCONT)
    check(answer, 502 if quick_apache.gunicorn else 504, {**HSTS, "retry-after": "1"})
    wait_until(lambda: quick_apache.client.get("/healthz").status == 200, "it does not come back")


def test_a_service_that_is_away_or_hangs_up_is_a_problem(quick_apache: Apache) -> None:
    if not quick_apache.gunicorn:
        return
    quick_apache.gunicorn.stop()
    check(quick_apache.client.get("/healthz"), 503, {**HSTS, "retry-after": "1"})
    place = quick_apache.root / "run" / "saver.sock"
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        place.chmod(0o666)
        listener.listen()
        other = threading.Thread(target=_hang_up, args=(listener,))
        other.start()
        check(quick_apache.client.get("/healthz"), 502, {**HSTS, "retry-after": "1"})
        other.join()


def _hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
