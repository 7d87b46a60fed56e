"""The worker is killed, started twice, hung, and its log is rotated under it.

--short leaves out the hang, which takes over a minute: a worker that does nothing is given 60 s.
"""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from tests.support.server import ROOT
from tests.system.checks import must, report, until
from tests.system.failures.service import Service, Writers, failure_test, lost, service_in

EXPIRED = 5_000


def tmux(service: Service, command: str) -> None:
    environ = {**service.environ, "TMUX_TMPDIR": str(service.folder), "TIMECHECK_PYTHON": str(sys.executable)}
    subprocess.run([ROOT / "scripts" / "timecheck-tmux", command], env=environ, check=True)


def workers(service: Service) -> list[int]:
    """The workers that log into this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            ours = b"timecheck.py\0" in (entry / "cmdline").read_bytes()
            if ours and (entry / "fd" / "2").readlink() == service.folder / "worker.log":
                found.append(int(entry.name))
    return found


def put_expired(service: Service) -> None:
    """Texts to wipe, and codes to make free."""
    with closing(sqlite3.connect(service.database, timeout=20)) as database, database:
        database.execute(
            "INSERT INTO text (code, body, owner_hash, expires_at, free_at)"
            f" SELECT code, 'old', zeroblob(32), 1, 2 FROM code LIMIT {EXPIRED}"
        )
        database.execute("DELETE FROM code WHERE code IN (SELECT code FROM text)")


def wait_for_new_worker(service: Service, old: int) -> None:
    """Wait until a new worker has replaced the process ``old`` and swept."""
    until(lambda: workers(service) not in ([], [old]), "a new worker")
    beat = service.heartbeat()
    until(lambda: service.heartbeat() > beat, "the new worker sweeps")


def killed(service: Service) -> None:
    tmux(service, "start")
    try:
        until(service.heartbeat, "the worker sweeps")
        times = []
        for _ in range(3):
            [pid] = workers(service)
            os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            wait_for_new_worker(service, pid)
            times.append(f"{time.monotonic() - began:.1f}")
        report("killed under tmux: seconds until the next one swept", ", ".join(times))
        rotated(service)
    finally:
        tmux(service, "stop")


def rotated(service: Service) -> None:
    """As logrotate does with copytruncate: no process is signalled, and none has to be."""
    log = service.folder / "worker.log"
    os.truncate(log, 0)
    put_expired(service)
    until(lambda: "swept:" in log.read_text(), "the worker logs on")
    must("\0" not in log.read_text(), "the log has a hole")
    report("log cut to nothing: goes on at its beginning", "yes")


def twice(service: Service) -> None:
    put_expired(service)
    before = len(service.log.read_text())
    both = [service.worker() for _ in range(2)]
    with Writers(service) as writers:
        # A worker that still imports its modules has no handler for SIGTERM.
        until(lambda: service.log.read_text()[before:].count("worker up") == 2, "both workers are up")
        until(lambda: not service.query("SELECT 1 FROM text WHERE expires_at = 1 LIMIT 1"), "all is swept")
    for process in both:
        process.send_signal(signal.SIGTERM)
        must(process.wait(20) == 0, "a worker did not end in order")
    said = re.findall(r"swept: (\d+) wiped, (\d+) given back", service.log.read_text()[before:])
    freed = sum(int(back) for _, back in said)
    report(f"two workers: given back of {EXPIRED}, in two logs", freed)
    must(freed == EXPIRED, "a code was given back twice or never")
    report(
        "  lost of texts written meanwhile",
        f"{lost(service, writers.acknowledged)} of {len(writers.acknowledged)}",
    )
    must(lost(service, writers.acknowledged) == 0, "a text was lost")
    service.audit()


def hung(service: Service) -> None:
    """Act as systemd: kill the worker if it is silent for longer than it announced."""
    path = service.folder.parent / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        worker = service.worker(NOTIFY_SOCKET=str(path))
        manager.settimeout(30)
        said = manager.recv(4_096).decode()
        timeout = int(said.partition("WATCHDOG_USEC=")[2]) / 1e6
        beat = service.heartbeat()
        until(lambda: service.heartbeat() > beat + 1, "it sweeps")
        worker.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        until(lambda: service.get("/readyz") == 503, "the hang shows in /readyz", 120)
        report("hung: seconds until /readyz says 503", f"{time.monotonic() - began:.0f}")
        manager.settimeout(timeout)
        last = began
        with suppress(TimeoutError):
            while manager.recv(4_096):
                last = time.monotonic()
                manager.settimeout(max(0.01, began + timeout - last))
        report("hung: seconds of silence after which systemd kills", f"{timeout:.0f}")
        worker.kill()
        worker.wait()
        service.worker()
        until(lambda: service.get("/readyz") == 200, "the next one sweeps")


def main() -> None:
    short = "--short" in sys.argv
    with (
        failure_test() as folder,
        service_in(folder / "data", sweep_interval=1) as service,
    ):
        service.web()
        killed(service)
        twice(service)
        if not short:
            hung(service)


if __name__ == "__main__":
    main()
