"""Build the images of compose.yaml and run its services for real, with buildah and podman.

    sudo .venv/bin/python -m tests.system.containers [--base FOLDER] [-- BUILDAH-OPTION ...]

As root, on Debian: apt-get install buildah podman runc debootstrap pebble curl. Needs no registry: the base
image is made with debootstrap (or of --base, a Debian root). The containers run in a network namespace of
their own, with a certificate that certbot gets from pebble; all of it is thrown away at the end. What follows
"--" is for `buildah build`, for instance --volume=/etc/pip.conf:/etc/pip.conf:ro.

Not tested: the networks between the containers, ports to the outside, Let's Encrypt itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.server import ROOT
from tests.system import checks
from tests.system.checks import BrokenError, must, report

FOLDER = ROOT / "deploy" / "docker"
IMAGE = "docker.io/library/debian:bookworm-slim"
MIRROR = "http://deb.debian.org/debian"
TARGETS = ("app", "nginx", "certbot", "postgres", "redis")
VARIABLES = {"DOMAIN": "saver.test", "EMAIL": "nobody@saver.test"}
LONG_LIVED = ("app", "worker", "nginx", "postgres", "redis", "certbot")
TIMEOUT = 180.0
BUDGET = 10
# What Debian's image "slim" has not, and has.
_NOT_IN_SLIM = (
    *("proc/*", "sys/*", "dev/*", "var/lib/apt/lists/*", "var/cache/apt/*"),
    *("usr/share/doc/*", "usr/share/man/*", "usr/share/info/*", "usr/share/locale/*"),
)
_SLIM = {
    "etc/apt/apt.conf.d/docker-clean": 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n'
    'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
    "etc/dpkg/dpkg.cfg.d/docker": "path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n"
    "path-exclude /usr/share/man/*\npath-exclude /usr/share/info/*\npath-exclude /usr/share/locale/*\n",
}
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""


def run(*command: object, check: bool = True, given: str | None = None) -> str:
    """Run a command; its stdout, or with ``check=False`` its exit status."""
    done = checks.run(*command, check=check, input=given)
    return done.stdout if check else f"{done.returncode}"


def until(condition: Callable[[], object], what: str) -> float:
    """Poll until the condition holds; the seconds that took."""
    return checks.until(condition, what, TIMEOUT)


@contextmanager
def storage(folder: Path | None) -> Iterator[Path]:
    """A storage of images and containers for this run."""
    made = tempfile.mkdtemp(prefix="saver-containers-", dir="/var/tmp") if folder is None else folder
    place = Path(made).absolute()
    os.environ.update(configure(place))
    try:
        yield place
    finally:
        for command in (["rm", "--all", "--force", "--time", "2"], ["volume", "rm", "--all", "--force"]):
            run("podman", *command, check=False)
        run("buildah", "rm", "--all", check=False)
        run("sh", "-c", f"grep -o ' {place}[^ ]*' /proc/mounts | sort -r | xargs -r umount -l", check=False)
        if not folder:
            shutil.rmtree(place, ignore_errors=True)


def configure(place: Path) -> dict[str, str]:
    """Write the configuration of podman and buildah into a folder; the environment that names it."""
    place.mkdir(exist_ok=True)
    driver = "overlay" if "overlay" in Path("/proc/filesystems").read_text() else "vfs"
    roots = f'graphroot = "{place}/images"\nrunroot = "{place}/run"\n'
    (place / "storage.conf").write_text(f'[storage]\ndriver = "{driver}"\n{roots}')
    (place / "containers.conf").write_text(f'{_CONTAINERS}tmp_dir = "{place}/tmp"\n')
    (place / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return {
        "CONTAINERS_STORAGE_CONF": str(place / "storage.conf"),
        "CONTAINERS_CONF": str(place / "containers.conf"),
    }


def build(place: Path, base: Path | None, options: list[str]) -> None:
    """The base image, and the images of compose.yaml on it."""
    import_base(place, base)
    for target in TARGETS:
        build_target(place, target, f"saver/{target}", options)


def import_base(place: Path, base: Path | None) -> None:
    """A Debian root as the image that the Dockerfile begins with, unless it is there."""
    if run("podman", "image", "exists", IMAGE, check=False) == "0":
        return
    if base is None:
        base = place / "base"
        run("debootstrap", "--variant=minbase", "bookworm", base, MIRROR)
    for name, text in _SLIM.items():
        path = place / "slim" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tar = place / "base.tar"
    run("tar", "-C", base, *(f"--exclude=./{each}" for each in _NOT_IN_SLIM), "-cf", tar, ".")
    run("tar", "-C", place / "slim", "-rf", tar, *(f"./{each}" for each in _SLIM))
    run("podman", "import", tar, IMAGE)
    tar.unlink()


def build_target(place: Path, target: str, name: str, options: list[str], source: Path = ROOT) -> None:
    """One image of the Dockerfile, with a name, from the files in ``source``."""
    began = time.monotonic()
    how = ["--pull-never", "--isolation", "chroot", "--network", "host", "--format", "docker", "--layers"]
    which = ["--target", target, "--tag", f"localhost/{name}", "--file", source / "deploy/docker/Dockerfile"]
    run("buildah", "bud", *how, *which, "--signature-policy", place / "policy.json", *options, source)
    size = json.loads(run("podman", "image", "inspect", f"localhost/{name}"))[0]["Size"]
    report(f"image {name}: seconds, MB", f"{time.monotonic() - began:.0f}, {size / 1e6:.0f}")


def services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml; variables that must be given are given."""
    text = (FOLDER / "compose.yaml").read_text()
    filled = re.sub(r"\$\{(\w+):[^}]*\}", lambda match: VARIABLES.get(match[1], ""), text)
    found: dict[str, dict[str, Any]] = yaml.safe_load(filled)["services"]
    return found


def as_podman(name: str, service: dict[str, Any], *, extra: tuple[str, ...] = ()) -> list[str]:
    """`podman run` for a service. All share this run's own network, where "redis" is this machine."""
    words = ["podman", "run", "--name", name, "--network", "host", "--add-host", "redis:127.0.0.1"]
    words += ["--no-healthcheck", "--user", service["user"], f"--read-only={service['read_only']}".lower()]
    words += [f"--cap-drop={each}" for each in service["cap_drop"]]
    words += [f"--security-opt={each.replace(':true', '')}" for each in service["security_opt"]]
    words += [f"--tmpfs={each}" for each in service["tmpfs"]]
    words += [f"--volume={each}" for each in service.get("volumes", [])]
    words += [f"--env={key}={value or ''}" for key, value in service.get("environment", {}).items()]
    words += [f"--shm-size={service['shm_size']}"] if "shm_size" in service else []
    return [*words, *extra, f"localhost/{service['image']}", *service.get("command", [])]


def start(name: str, **environ: str) -> None:
    """Start a service, and wait until its health check passes."""
    service = services()[name]
    extra = ("--detach", *(f"--env={key}={value}" for key, value in environ.items()))
    run(*as_podman(name, service, extra=extra))
    try:
        took = until(lambda: healthy(name, service), f"{name} is healthy")
    except SystemExit:
        sys.stderr.write(logs(name))
        raise
    report(f"{name}: seconds until its health check is content", f"{took:.1f}")


def healthy(name: str, service: dict[str, Any]) -> bool:
    """The result of the health check of compose.yaml or of the image."""
    image = json.loads(run("podman", "image", "inspect", f"localhost/{service['image']}"))[0]
    test = service.get("healthcheck", {}).get("test") or image["Healthcheck"]["Test"]
    return run("podman", "exec", name, *test[1:], check=False) == "0"


def logs(name: str) -> str:
    """The end of a container's log."""
    done = subprocess.run(
        ["podman", "logs", "--tail", "20", name], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@contextmanager
def authority(place: Path) -> Iterator[None]:
    """A local Let's Encrypt (pebble), for which every name is this machine."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", place / "acme.key"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    run("openssl", "req", "-x509", *key, *name, "-out", place / "acme.pem")
    files = {"certificate": str(place / "acme.pem"), "privateKey": str(place / "acme.key")}
    ports = {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000"}
    config = {"pebble": {**files, **ports, "httpPort": 80, "tlsPort": 443}}
    (place / "pebble.json").write_text(json.dumps(config))
    names = [
        "pebble-challtestsrv",
        "-defaultIPv4",
        "127.0.0.1",
        "-defaultIPv6",
        "",
        "-dns01",
        "127.0.0.1:8053",
    ]
    names += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:8055"]
    acme = ["pebble", "-config", str(place / "pebble.json"), "-dnsserver", "127.0.0.1:8053"]
    quick = {**os.environ, "PEBBLE_VA_NOSLEEP": "1"}
    with (place / "acme.log").open("w") as log:
        both = [subprocess.Popen(each, stdout=log, stderr=log, env=quick) for each in (names, acme)]
    try:
        get = ["curl", "-sf", "--cacert", place / "acme.pem", "https://localhost:15000/roots/0"]
        until(lambda: run(*get, check=False) == "0", "the authority answers")
        (place / "root.pem").write_text(run(*get))
        yield
    finally:
        for process in both:
            process.terminate()
            process.wait()


def certify(place: Path) -> None:
    """Let certbot get a certificate from there, and then another one."""
    volume = Path(run("podman", "volume", "inspect", "certificates", "--format", "{{.Mountpoint}}").strip())
    (volume / "cli.ini").write_text("server = https://localhost:14000/dir\n")
    shutil.copy(place / "acme.pem", volume)
    trust = "--env=REQUESTS_CA_BUNDLE=/etc/letsencrypt/acme.pem"
    run(*as_podman("certbot", services()["certbot"], extra=("--detach", trust)))
    try:
        took = until(lambda: serial(place), "https is answered")
    except SystemExit:
        sys.stderr.write(logs("nginx") + logs("certbot"))
        raise
    must(healthy("certbot", services()["certbot"]), "certbot's check reads the certificate")
    report("certbot: seconds until its certificate is served", f"{took:.1f}")
    before = serial(place)
    again = ["certbot", "renew", "--force-renewal", "--work-dir", "/tmp/work", "--logs-dir", "/tmp/logs"]
    run("podman", "exec", "certbot", *again, "--no-random-sleep-on-renew")
    took = until(lambda: serial(place) not in ("", before), "the new certificate is served")
    report("renewed: seconds until the new one is served", f"{took:.1f}")


def serial(place: Path) -> str:
    """The serial number of the certificate for both names; empty if there is none."""
    seen = set()
    for name in (VARIABLES["DOMAIN"], f"www.{VARIABLES['DOMAIN']}"):
        where = ["-connect", "127.0.0.1:443", "-servername", name, "-verify_hostname", name]
        trust = ["-CAfile", str(place / "root.pem"), "-verify_return_error"]
        asked = subprocess.run(
            ["openssl", "s_client", *where, *trust], capture_output=True, input=b"", check=False
        )
        if asked.returncode:
            return ""
        seen.add(run("openssl", "x509", "-noout", "-serial", given=asked.stdout.decode()))
    return seen.pop() if len(seen) == 1 else ""


def ask(place: Path, path: str, *options: str) -> tuple[int, str]:
    """Ask nginx over https, the certificate checked."""
    where = ["--cacert", place / "root.pem", "--resolve", "*:443:127.0.0.1", *options]
    url = f"https://www.{VARIABLES['DOMAIN']}{path}"
    said = run("curl", "-s", *where, "-w", "\n%{http_code}", url)
    body, _, status = said.rpartition("\n")
    return int(status), body


def use(place: Path) -> None:
    """Write, load and guess, and check that nothing forbidden works."""
    json_headers = ("-H", "Content-Type: application/json", "-d")
    status, body = ask(place, "/api/v1/write", *json_headers, '{"text": "through containers"}')
    must(status == 201, f"a write is stored: {status} {body}")
    code = json.loads(body)["code"]
    status, body = ask(place, "/api/v1/load", *json_headers, json.dumps({"code": code}))
    must((status, json.loads(body)["text"]) == (200, "through containers"), "it is loaded")
    guesses = [
        ask(
            place, "/api/v1/load", "-H", f"X-Forwarded-For: 198.51.100.{n}", *json_headers, '{"code": "zzzz"}'
        )[0]
        for n in range(BUDGET + 3)
    ]
    must(guesses == [404] * BUDGET + [429] * 3, f"forged addresses renew no budget: {guesses}")
    report(f"guesses with forged addresses: 404, 429 (budget {BUDGET})", "10, 3")
    must(
        "saver_codes" in run("podman", "exec", "app", "healthy", "/metrics"), "the operator sees the metrics"
    )
    counted = int(run("podman", "exec", "redis", "redis-cli", "dbsize"))
    must(counted, "Redis counts")
    report("keys in Redis", counted)
    must(ask(place, "/readyz")[0] == 200, "it is ready")
    must(ask(place, "/")[0] == ask(place, "/static/0/core/api.js")[0] == 200, "the page is whole")
    must(ask(place, "/", "-H", "Host: evil.test")[0] == 308, "an unknown Host is led to the name")


def keeps(place: Path) -> None:
    """The database is killed and started again; what was written before is loaded."""
    json_headers = ("-H", "Content-Type: application/json", "-d")
    code = json.loads(ask(place, "/api/v1/write", *json_headers, '{"text": "before the crash"}')[1])["code"]
    run("podman", "kill", "--signal", "KILL", "postgres")
    away = ask(place, "/api/v1/write", *json_headers, '{"text": "while it is away"}')[0]
    must(away == 503, f"while the database is away a write is refused: {away}")
    began = time.monotonic()
    run("podman", "start", "postgres")
    asked = (place, "/api/v1/load", *json_headers, json.dumps({"code": code}))
    until(lambda: ask(*asked)[0] == 200, "the text is back")
    must(json.loads(ask(*asked)[1])["text"] == "before the crash", "it is the text")
    report("PostgreSQL killed: seconds from its start to the text", f"{time.monotonic() - began:.1f}")


def confined(name: str) -> None:
    """No root, no privileges, a read-only file system."""
    state = run("podman", "exec", name, "sh", "-c", "id -u; cat /proc/1/status; touch /usr/x 2>&1 || true")
    must(state.startswith("10001\n"), f"{name} is not root")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
        must(line in state, f"{name}: {line}")
    must("Read-only file system" in state, f"{name} cannot write on its root")


def serve(place: Path) -> None:
    """Every service of compose.yaml, in its order."""
    run("ip", "link", "set", "lo", "up")
    # What podman would do in a network of the container's own.
    for name, value in services()["nginx"]["sysctls"].items():
        run("sysctl", "-w", f"{name}={value}")
    start("postgres")
    start("redis")
    began = time.monotonic()
    run(*as_podman("migrate", services()["migrate"], extra=("--rm",)))
    report("migrate: seconds for schema and 7,311,616 codes", f"{time.monotonic() - began:.0f}")
    began = time.monotonic()
    run(*as_podman("migrate", services()["migrate"], extra=("--rm",)))
    report("migrate again: seconds", f"{time.monotonic() - began:.0f}")
    start("app")
    start("worker")
    # Port 80 without a certificate first, as on the first day.
    start("nginx", EVERY="1")
    with authority(place):
        certify(place)
    keeps(place)
    use(place)
    for name in LONG_LIVED:
        confined(name)
    report("not root, no capability, read-only root", f"{len(LONG_LIVED)} of {len(LONG_LIVED)}")
    began = time.monotonic()
    run("podman", "stop", "--time", "20", "app", "worker", "nginx", "postgres")
    report("app, worker, nginx, postgres: seconds until all have stopped", f"{time.monotonic() - began:.1f}")
    codes = run("podman", "ps", "--all", "--filter", "status=exited", "--format", "{{.Names}} {{.ExitCode}}")
    report("their exit statuses", ", ".join(sorted(codes.split("\n"))).strip(", "))


def drill_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of what every drill with images takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", type=Path, help="a Debian root; else debootstrap makes one")
    parser.add_argument("--keep", type=Path, help="a folder for images and storage, used again the next time")
    parser.add_argument("options", nargs="*", help="for buildah build")
    return parser


def main() -> None:
    parser = drill_parser(__doc__)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    must(os.geteuid() == 0, "run it as root")
    if given.serve:
        return serve(given.serve)
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with storage(given.keep) as place:
        build(place, given.base, given.options)
        # No bridge and no firewall rule is left, because they end with the namespace.
        inside = ["unshare", "--net", sys.executable, "-m", "tests.system.containers", "--serve", str(place)]
        status = subprocess.run(inside, check=False, cwd=ROOT).returncode
    sys.exit(status)


if __name__ == "__main__":
    try:
        main()
    except BrokenError as error:
        raise SystemExit(f"BROKEN: {error}") from None
