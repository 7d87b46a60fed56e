"""Another program holds the database's lock for longer than a writer waits (5 s).

So does a process that is stopped while it has its turn. Writes are answered 503 in time, loads go on,
and nothing has to be restarted afterwards.
"""

import fcntl
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

from tests.system.checks import must, report, until
from tests.system.failures.service import Service, Writers, failure_test, lost, service_in

HELD_SECONDS = 8.0


def stopped(service: Service, known: str) -> None:
    """A process is stopped while it has the write lock."""
    with service.database.with_name("saver.db-gate").open("rb") as gate, ThreadPoolExecutor(40) as clients:
        fcntl.flock(gate, fcntl.LOCK_EX)
        began = time.monotonic()
        writes = [clients.submit(service.write, "while it is stopped") for _ in range(40)]
        slowest = 0.0
        while not all(write.done() for write in writes):
            asked = time.monotonic()
            must(service.load(known) == "written before", "a load needs no turn")
            must(service.get("/healthz") == 200, "the process answers")
            slowest = max(slowest, time.monotonic() - asked)
        took = time.monotonic() - began
        must(
            {write.result()[0] for write in writes} == {503}, "a write that cannot be stored is answered 503"
        )
        report("a writer is stopped: 40 writes at once, all 503 after, s", f"{took:.1f}")
        report("  slowest load and /healthz meanwhile, s", f"{slowest:.2f}")
        asked = time.monotonic()
        must(service.write("one more")[0] == 503, "the turn is not given")
        report("  one more write, s", f"{time.monotonic() - asked:.2f}")
    until(lambda: service.write("afterwards")[0] == 201, "a write is stored again")


def main() -> None:
    with failure_test() as folder, service_in(folder / "data") as service:
        service.web()
        _, known = service.write("written before")
        other = sqlite3.connect(service.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        status, _ = service.write("while it is held")
        report("write while the lock is held: status", status)
        report("  seconds until it was answered", f"{time.monotonic() - began:.1f}")
        must(status == 503, "a write that cannot be stored is answered 503")
        loads, slowest = 0, 0.0
        while time.monotonic() < began + HELD_SECONDS:
            asked = time.monotonic()
            must(service.load(known) == "written before", "a load needs no lock")
            slowest, loads = max(slowest, time.monotonic() - asked), loads + 1
        report("loads meanwhile, all answered", loads)
        report("  slowest, ms", f"{slowest * 1000:.0f}")
        report("/readyz meanwhile (no worker runs)", service.get("/readyz"))
        other.execute("ROLLBACK")
        freed = time.monotonic()
        must(service.write("afterwards")[0] == 201, "a write is stored again")
        report("seconds from the release to a stored write", f"{time.monotonic() - freed:.2f}")
        stopped(service, known)
        with Writers(service) as writers:
            time.sleep(1)
        must(lost(service, writers.acknowledged) == 0, "a text was lost")
        service.audit()


if __name__ == "__main__":
    main()
