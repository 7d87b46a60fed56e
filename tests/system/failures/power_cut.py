"""The power fails under load (root: an ext4 image on a loop device).

Everything stops at an instant, and what has reached the image by then is mounted as another machine would
after the power is back. A file that nobody waited for is written just before: it must be missing, or the
test would prove nothing.
"""

import shutil
import signal
from pathlib import Path

from tests.system.checks import must, report, run, until
from tests.system.failures.service import Service, Writers, failure_test, lost, service_in, unmount

ROUNDS = 3
TEXTS = 300


def cut(folder: Path, service: Service, image: Path) -> tuple[Path, dict[str, str]]:
    """Write, stop everything at once, and copy the disk; the copy, and the acknowledged texts."""
    with Writers(service, count=6) as writers:
        until(lambda: len(writers.acknowledged) >= TEXTS, "texts are stored")
        (service.folder / "unsynced").write_text("nobody waited for this")
        acknowledged = dict(writers.acknowledged)
        service.signal(signal.SIGSTOP)
        copy = folder / "copy.img"
        # What the kernel still holds back for the file system is not in its image.
        shutil.copyfile(image, copy)
        service.signal(signal.SIGKILL)
    return copy, acknowledged


def one(folder: Path) -> int:
    image, place, after = folder / "disk.img", folder / "disk", folder / "after"
    for path in (place, after):
        path.mkdir()
    with image.open("wb") as file:
        file.truncate(256 << 20)
    run("mkfs.ext4", "-q", image)
    run("mount", "-o", "loop", image, place)
    try:
        with service_in(place / "data") as service:
            run("sync", "--file-system", place)
            service.web()
            copy, acknowledged = cut(folder, service, image)
    finally:
        unmount(place)
    run("mount", "-o", "loop", copy, after)
    try:
        unsynced = after / "data" / "unsynced"
        must(not unsynced.exists() or not unsynced.read_text(), "nothing was cut: the control is there")
        again = Service(after / "data")
        try:
            again.web()
            missing = lost(again, acknowledged)
            again.audit()
        finally:
            again.stop()
    finally:
        unmount(after)
    report("acknowledged before the cut, lost by it", f"{len(acknowledged)}, {missing}")
    return missing


def main() -> None:
    with failure_test(root=True) as folder:
        missing = 0
        for number in range(ROUNDS):
            (folder / str(number)).mkdir()
            missing += one(folder / str(number))
        must(missing == 0, f"{missing} texts were lost")


if __name__ == "__main__":
    main()
