"""The disk runs full under load, and is freed again (root: mounts a small tmpfs).

Writes are answered 503 before it is full, loads and the worker go on, nothing that was acknowledged is lost,
no process dies, and nothing has to be restarted.
"""

import time
from pathlib import Path

from tests.system.checks import must, report, run, until
from tests.system.failures.service import Service, Writers, failure_test, lost, service_in, unmount

SMALL, LARGE = "24m", "96m"
RESERVE = 6 << 20


def pids(service: Service) -> set[str]:
    """The processes that serve."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(service.port).encode() in (entry / "cmdline").read_bytes():
                found.add(entry.name)
        except OSError:
            continue
    return found


def fill_up(service: Service, stored: dict[str, str]) -> None:
    with Writers(service, size=20_000) as writers:
        until(lambda: writers.statuses.get(503, 0) >= 20, "the disk runs full")
        report("stored until the disk was full", len(writers.acknowledged))
    report("  answers by status", dict(sorted(writers.statuses.items())))
    must(set(writers.statuses) == {201, 503}, "another answer than 201 and 503")
    stored.update(writers.acknowledged)


def main() -> None:
    with failure_test(root=True) as folder:
        place = folder / "data"
        place.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", place)
        try:
            # High limits, because the counts are on the disk too.
            many = {"writes_a_minute": 10**6, "misses_a_minute": 10**6, "trusted_proxies": "127.0.0.1"}
            with service_in(place, sweep_interval=1, disk_reserve=RESERVE, **many) as service:
                service.web()
                worker = service.worker()
                before = pids(service)
                until((place / "saver.db-reserve").exists, "the worker keeps a reserve")
                stored: dict[str, str] = {}
                fill_up(service, stored)
                must(lost(service, stored) == 0, "a text was lost while the disk was full")
                report("lost while it is full, of these", 0)
                report("small write while it is full: status", service.write("small")[0])
                beat = service.heartbeat()
                until(lambda: service.heartbeat() > beat, "the worker goes on while it is full")
                report("/healthz while it is full", service.get("/healthz"))
                guesses = {service.guess(f"198.51.{number // 250}.{number % 250}") for number in range(500)}
                report("500 strangers guess while it is full: statuses", guesses)
                must(guesses <= {404, 503}, "a guess was answered otherwise")
                checked = service.flask("check")
                must("disk     FAILING" in checked.stdout, "check does not see it")
                backup = service.flask("backup")
                must(backup.returncode == 1, "a backup on a full disk")
                report("backup says", backup.stderr.strip().splitlines()[-1][:90])
                run("mount", "-o", f"remount,size={LARGE}", place)
                freed = time.monotonic()
                until(lambda: service.write("again")[0] == 201, "a write is stored again")
                report("seconds from space to a stored write", f"{time.monotonic() - freed:.2f}")
                beat = service.heartbeat()
                until(lambda: service.heartbeat() > beat, "the worker sweeps again")
                report("seconds from space to a sweep", f"{time.monotonic() - freed:.2f}")
                must(worker.poll() is None, "the worker died")
                must(pids(service) == before, "a process that serves died")
                report("processes that died", 0)
                must(lost(service, stored) == 0, "a text was lost")
                service.audit()
        finally:
            unmount(place)


if __name__ == "__main__":
    main()
