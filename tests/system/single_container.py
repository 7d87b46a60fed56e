"""Build the image ``single``, and run it with podman as a user who is not root.

    sudo .venv/bin/python -m tests.system.single_container [--base FOLDER] [-- BUILDAH-OPTION ...]

As root, on Debian: apt-get install buildah podman runc uidmap debootstrap libcap2-bin. The base image and the
options are those of tests.system.containers. The image is scanned, and then run as single.yaml says, by the
user nobody, in namespaces of its own: a first start, a stop under load, a start with a full pool, and a start
on a volume that an older version has filled. All of it is thrown away at the end.

Not tested: the engine's own networks and published ports, arm64.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.support.server import ROOT
from tests.system import containers
from tests.system.checks import BrokenError, must, report, run, until
from tests.system.containers import as_podman, build_target, configure, drill_parser, import_base, storage

SERVICE = yaml.safe_load((containers.FOLDER / "single.yaml").read_text())["services"]["saver"]
IMAGE, OLDER_IMAGE = "saver", "saver-older"
URL = "http://127.0.0.1:8000"
# nobody, and the ids that this user may give to the users in containers.
USER = 65534
IDS = f"{USER}:200000:65536\n"
# The last commit with the schema 0004, in which texts are not encrypted by the server.
OLDER = "93f4aa1"
# It has no ``saver-server serve`` yet: what scripts/serve does.
OLDER_COMMAND = (
    "import os, socket, sys\n"
    "bound = socket.socket()\n"
    "bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
    "bound.bind(('0.0.0.0', 8000))\n"
    "bound.set_inheritable(True)\n"
    "listener = f'--listener={bound.fileno()}'\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'saver.serve', listener])\n"
)
LOOK = """
print(open("/proc/1/status").read())
for path in ("/x", "/usr/x", "/opt/saver/x", "/tmp/x", "/data/x"):
    try:
        open(path, "w")
        print("written", path)
    except OSError as error:
        print(error)
"""
NO_LIMITS = {
    f"SAVER_{name}": "0" for name in ("WRITES_A_MINUTE", "WRITES_AN_HOUR", "LIVE_TEXTS", "LOADS_A_MINUTE")
}
FLASK = ("flask", "--app", "saver")
BUDGET = 10
MAX_BYTES = 150e6


def older_source(place: Path, commit: str) -> Path:
    """The files of an older commit, to be built as today: with today's Dockerfile and packages."""
    folder = place / "older"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run("git", "-C", ROOT, "archive", "--output", place / "older.tar", commit)
    run("tar", "-C", folder, "-xf", place / "older.tar")
    shutil.rmtree(folder / "deploy")
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    for name in (".dockerignore", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def scan() -> None:
    """Look for what a process in the container could use to become more than it is."""
    root = Path(run("podman", "image", "mount", f"localhost/{IMAGE}").stdout.strip())
    find = ["find", root, "-xdev", "-type", "f"]
    found = {
        "setuid and setgid files": run(*find, "-perm", "/6000").stdout,
        "files with capabilities": run("getcap", "-r", root).stdout,
        "files that everybody may change": run(*find, "-perm", "/002").stdout,
        "files of another owner than root": run(*find, "!", "-user", "root").stdout,
        "shells and package managers": "".join(
            str(path)
            for name in ("sh", "bash", "dash", "busybox", "apt", "dpkg")
            for path in root.glob(f"*bin/{name}")
        ),
    }
    run("podman", "image", "unmount", f"localhost/{IMAGE}")
    for what, names in found.items():
        must(not names, f"{what}: {names}")
        report(what, 0)


class Podman:
    """podman as a user who is not root, in a network in which its port 8000 is that of the container."""

    def __init__(self, place: Path) -> None:
        home = place / "user"
        environ = {
            **configure(home),
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PATH": "/usr/sbin:/usr/bin",
        }
        (place / "ids").write_text(IDS)
        run("mount", "--make-rprivate", "/")
        for name in ("/etc/subuid", "/etc/subgid"):
            run("mount", "--bind", place / "ids", name)
        run("ip", "link", "set", "lo", "up")
        run("chown", "-R", f"{USER}:{USER}", home)
        place.chmod(0o711)
        self.home = home
        self._as_user = [
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--clear-groups",
            "env",
            "--ignore-environment",
        ]
        self._as_user += [f"{name}={value}" for name, value in environ.items()]

    def __call__(self, *command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``podman`` with a command; BrokenError if it fails."""
        return run(*self._as_user, "podman", *command, check=check, cwd=self.home)

    def start(self, volume: str, *command: str, image: str = IMAGE, **environ: str) -> None:
        """Start a new container on a volume."""
        service = {**SERVICE, "image": image, "volumes": [f"{volume}:/data"], "command": list(command)}
        service["environment"] = environ
        self(*as_podman("saver", service, extra=("--detach",))[1:])

    def stop(self) -> tuple[float, str]:
        """Stop the container as `docker stop` does, and remove it: the seconds, and its exit status."""
        began = time.monotonic()
        self("stop", "--time", "20", "saver")
        took = time.monotonic() - began
        status = self("inspect", "saver", "--format", "{{.State.ExitCode}}").stdout.strip()
        self("rm", "saver")
        return took, status

    def processor_seconds(self) -> float:
        """What the processes of the container have used since it was started."""
        first = int(self("inspect", "saver", "--format", "{{.State.Pid}}").stdout)
        parents = {}
        used = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
                used[int(folder.name)] = sum(map(int, fields[11:15]))
        inside = {first}
        while more := {pid for pid, parent in parents.items() if parent in inside} - inside:
            inside |= more
        return sum(used[pid] for pid in inside) / os.sysconf("SC_CLK_TCK")


def ask(path: str, body: object = None, **headers: str) -> tuple[int, dict[str, object]]:
    """Ask the service: status and JSON of the answer; status 0 if nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, {}
    except (OSError, ValueError):
        return 0, {}


def save(text: str) -> str:
    """The code of a text that was stored; empty if it was not."""
    status, body = ask("/api/v1/write", {"text": text, "expires_in": 3600})
    return str(body["code"]) if status == 201 else ""


def load(code: str) -> object:
    """The text under a code."""
    return ask("/api/v1/load", {"code": code})[1].get("text")


def guesses() -> list[int]:
    """The answers to guesses, each with another address in X-Forwarded-For."""
    return [
        ask("/api/v1/load", {"code": "zzzz"}, **{"X-Forwarded-For": f"198.51.100.{number}"})[0]
        for number in range(BUDGET + 3)
    ]


def first_start(podman: Podman) -> str:
    """Start on an empty volume, and look at what serves; the code of a text."""
    began = time.monotonic()
    podman.start("saver")
    up = time.monotonic() - began
    codes: list[str] = []

    def has_code() -> bool:
        codes.append(save("first"))
        return bool(codes[-1])

    until(has_code, "the first code")
    report(
        "empty volume: seconds to the first code", f"{time.monotonic() - began:.1f} (podman alone {up:.1f})"
    )
    report("the same: processor seconds", f"{podman.processor_seconds():.1f}")
    until(lambda: is_healthy(podman), "the health check passes")
    report("healthy after, in seconds", f"{time.monotonic() - began:.1f}")
    ready = ask("/readyz")[1]
    must(ready.get("sweeper") == ready.get("status") == "ok", f"the worker sweeps: {ready}")
    metrics = podman("exec", "saver", "healthy", "/metrics").stdout
    must('saver_codes{state="live"} 1.0' in metrics, "the operator sees the metrics")
    with urllib.request.urlopen(f"{URL}/") as page:
        must(b"static/" in page.read(), "the page is there")
    return codes[-1]


def is_healthy(podman: Podman) -> bool:
    """The result of the image's health check."""
    image = json.loads(podman("image", "inspect", f"localhost/{IMAGE}").stdout)[0]
    test = image["Healthcheck"]["Test"]
    return podman("exec", "saver", *test[1:], check=False).returncode == 0


def confined(podman: Podman) -> None:
    """No root, no privileges, nothing that can be written but the volume and /tmp."""
    said = podman("exec", "saver", "python", "-c", LOOK).stdout
    for line in (
        "Uid:\t10001\t10001\t10001\t10001",
        "CapPrm:\t0000000000000000",
        "CapEff:\t0000000000000000",
    ):
        must(line in said, f"{line}\n{said}")
    for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "written /tmp/x\nwritten /data/x"):
        must(line in said, f"{line}\n{said}")
    must(said.count("Read-only file system") == 3, f"its root is read-only: {said}")
    # In the namespace of the test's users it is none of the ids of the machine's own users.
    first = podman("inspect", "saver", "--format", "{{.State.Pid}}").stdout.strip()
    owner = Path(f"/proc/{first}").stat().st_uid
    must(owner == 200000 + 10001 - 1, f"its user on the machine: {owner}")
    report("user inside, on the machine; capabilities", f"10001, {owner}; none")


def stop_under_load(podman: Podman) -> dict[str, str]:
    """Stop it while four clients write; the acknowledged texts by their codes."""
    stored: dict[str, str] = {}
    numbers = itertools.count()

    def write() -> None:
        while code := save(text := f"text {next(numbers)}"):
            stored[code] = text

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    until(lambda: len(stored) > 300, "texts are stored")
    took, status = podman.stop()
    for writer in writers:
        writer.join()
    must(status == "0", f"it stops with status {status}")
    report("stopped under load: seconds, exit status", f"{took:.1f}, {status}")
    return stored


def start_again(podman: Podman, texts: dict[str, str]) -> None:
    """Start with a full pool; every acknowledged text is there."""
    code, text = next(iter(texts.items()))
    began = time.monotonic()
    podman.start("saver", **NO_LIMITS, SAVER_TRUSTED_PROXIES="127.0.0.0/8")
    up = time.monotonic() - began
    until(lambda: load(code) == text, "the first answer")
    took = time.monotonic() - began
    report("full pool: seconds to the first answer", f"{took:.1f} (podman alone {up:.1f})")
    report("the same: processor seconds", f"{podman.processor_seconds():.1f}")
    lost = [code for code, text in texts.items() if load(code) != text]
    must(not lost, f"{len(lost)} acknowledged texts are lost")
    report("texts acknowledged before the stop, lost", f"{len(texts)}, {len(lost)}")


def upgrade(podman: Podman) -> str:
    """A new image on the volume of an older version; the texts are there. The backup from before."""
    podman.start("upgraded", "python", "-c", OLDER_COMMAND, image=OLDER_IMAGE)
    until(lambda: ask("/healthz")[0] == 200, "the older version serves")
    before = schema(podman)
    code = save("from the older version")
    must(code, "the older version stores a text")
    backup = podman("exec", "saver", *FLASK, "backup").stdout.split()[0]
    podman.stop()
    began = time.monotonic()
    podman.start("upgraded")
    until(lambda: load(code) == "from the older version", "the older text")
    report("upgrade: seconds to the older text", f"{time.monotonic() - began:.1f}")
    after = schema(podman)
    must(before < after, f"the schema was migrated: {before}, {after}")
    report("upgrade: schema before, after", f"{before}, {after}")
    audit = podman("exec", "saver", *FLASK, "pool", "audit").stdout
    must(audit.endswith("\nclean\n"), f"the pool is whole: {audit}")
    return backup


def go_back(podman: Podman, backup: str) -> None:
    """The older image again, on the backup."""
    podman.start("upgraded", *FLASK, "restore", backup, image=OLDER_IMAGE)
    status = podman("wait", "saver").stdout.strip()
    said = podman("logs", "saver")
    must(status == "0", f"the older version restores: {said.stdout}{said.stderr}")
    podman("rm", "saver")
    podman.start("upgraded", "python", "-c", OLDER_COMMAND, image=OLDER_IMAGE)
    until(lambda: ask("/healthz")[0] == 200, "the older version serves again")
    report("the older version on its backup: schema", schema(podman))
    must(save("again"), "it stores a text")
    podman.stop()


def schema(podman: Podman) -> str:
    """The revision of the database."""
    return podman("exec", "saver", *FLASK, "db", "current").stdout.split()[0]


def refused_folder(podman: Podman) -> None:
    """A folder that is not its user's: it says so, and ends."""
    folder = podman.home / "foreign"
    folder.mkdir()
    podman.start(str(folder))
    status = podman("wait", "saver").stdout.strip()
    said = podman("logs", "saver")
    must(status == "1", f"it ends with status {status}")
    must("/data" in said.stderr and "Permission denied" in said.stderr, f"it says why: {said.stderr}")
    podman("rm", "saver")
    report("a folder of somebody else: exit status", status)


def use(place: Path) -> None:
    """All that runs in the namespaces."""
    podman = Podman(place)
    for name in (IMAGE, OLDER_IMAGE):
        podman("load", "--quiet", "--input", place / f"{name}.tar")
    first = first_start(podman)
    confined(podman)
    must(podman.stop()[1] == "0", "it stops")
    podman.start("saver", **NO_LIMITS)
    until(lambda: load(first) == "first", "the first text after a restart")
    texts = stop_under_load(podman)
    start_again(podman, {first: "first", **texts})
    trusted = guesses()
    must(trusted == [404] * (BUDGET + 3), f"each client of a trusted proxy has a budget: {trusted}")
    must(podman.stop()[1] == "0", "it stops")
    backup = upgrade(podman)
    # Afterwards this address may load nothing for a minute.
    forged = guesses()
    must(forged == [404] * BUDGET + [429] * 3, f"forged addresses renew no budget: {forged}")
    report(
        "13 guesses, forged and through a trusted proxy: 429", f"{forged.count(429)}, {trusted.count(429)}"
    )
    must(podman.stop()[1] == "0", "it stops")
    go_back(podman, backup)
    refused_folder(podman)


@contextlib.contextmanager
def archives(place: Path) -> Iterator[None]:
    """The images as files that another user can load."""
    names = [place / f"{name}.tar" for name in (IMAGE, OLDER_IMAGE)]
    try:
        for path in names:
            path.unlink(missing_ok=True)
            run("podman", "save", "--quiet", "--output", path, f"localhost/{path.stem}")
            path.chmod(0o644)
        yield
    finally:
        for path in names:
            path.unlink(missing_ok=True)
        shutil.rmtree(place / "user", ignore_errors=True)


def build(place: Path, base: Path | None, options: list[str], older: str) -> None:
    """The image of today and one of an older commit."""
    import_base(place, base)
    build_target(place, "single", IMAGE, options)
    size = json.loads(run("podman", "image", "inspect", f"localhost/{IMAGE}").stdout)[0]["Size"]
    must(size <= MAX_BYTES, f"the image has {size / 1e6:.0f} MB")
    build_target(place, "single", OLDER_IMAGE, options, older_source(place, older))


def main() -> None:
    parser = drill_parser(__doc__)
    parser.add_argument("--older", default=OLDER, help=f"the commit that is upgraded ({OLDER})")
    parser.add_argument("--use", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    must(os.geteuid() == 0, "run it as root")
    if given.use:
        return use(given.use)
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with storage(given.keep) as place:
        build(place, given.base, given.options, given.older)
        scan()
        with archives(place):
            # What podman leaves running ends with the namespace.
            own = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
            inside = [*own, sys.executable, "-m", "tests.system.single_container", "--use", str(place)]
            status = subprocess.run(inside, check=False, cwd=ROOT).returncode
    sys.exit(status)


if __name__ == "__main__":
    try:
        main()
    except BrokenError as error:
        raise SystemExit(f"BROKEN: {error}") from None
