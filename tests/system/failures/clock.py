"""The machine's clock is set back by an hour and forward again while the worker runs.

The worker's clock is faked by libfaketime (Debian's package of that name), which reads its offset from a
file; the monotonic clock goes on as it is.
"""

import time
from pathlib import Path

from tests.system.checks import must, report, until
from tests.system.failures.service import Service, failure_test, service_in

SECONDS = 6.0
HOUR = 3_600


def library() -> Path:
    """The path of libfaketime."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    must(found, "libfaketime is missing: apt-get install -y --no-install-recommends libfaketime")
    return found[0]


def sweeps(service: Service, seconds: float) -> tuple[int, float]:
    """How many heartbeats were seen, and the longest time without one, by the monotonic clock."""
    began = last = time.monotonic()
    seen, gap, beat = 0, 0.0, service.heartbeat()
    while time.monotonic() < began + seconds:
        time.sleep(0.02)
        if (found := service.heartbeat()) != beat:
            seen, beat = seen + 1, found
            gap, last = max(gap, time.monotonic() - last), time.monotonic()
    return seen, max(gap, time.monotonic() - last)


def main() -> None:
    with (
        failure_test() as folder,
        service_in(folder / "data", sweep_interval=1) as service,
    ):
        offset = folder / "offset"
        offset.write_text("+0")
        faked = {
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        worker = service.worker(LD_PRELOAD=str(library()), **faked)
        until(service.heartbeat, "the worker sweeps")
        for name, set_to in (
            ("as it is", "+0"),
            ("back by an hour", f"-{HOUR}"),
            ("forth by two", f"+{HOUR}"),
            ("back", "+0"),
        ):
            offset.write_text(set_to)
            seen, gap = sweeps(service, SECONDS)
            report(f"clock {name}: sweeps in {SECONDS:.0f} s, longest gap in s", f"{seen}, {gap:.1f}")
            must(gap < 4, "the worker stopped for the clock")
        must(worker.poll() is None, "the worker ended")


if __name__ == "__main__":
    main()
