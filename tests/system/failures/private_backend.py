"""The service on a private machine behind a public one: docs/private-backend.md in network namespaces.

Three namespaces: outside, front (nginx with what ships), backend (gunicorn, which listens everywhere). Needs
root, nginx, nftables, iproute2, curl and an ssh server.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.server import ROOT
from tests.system.checks import must, report, run, until
from tests.system.failures.service import Service, failure_test, gunicorn

BUDGET = 5
LINKS = (
    ("outside", "203.0.113.1/24", "front", "203.0.113.10/24"),
    ("outside", "198.51.100.1/24", "backend", "198.51.100.2/24"),
    ("front", "10.77.0.1/24", "backend", "10.77.0.2/24"),
)
SPACES = ("outside", "front", "backend")
PAGE = (ROOT / "docs" / "private-backend.md").read_text()
# gunicorn listens on every address, also the public one: only the firewall protects it.
SERVE = gunicorn("0.0.0.0:8000")
NGINX = "user root; daemon off; pid {0}/nginx.pid; events {{}} http {{ include {0}/sites/*; }}\n"
SSHD = """\
HostKey {0}/host
AuthorizedKeysFile {0}/guest.pub
ListenAddress 198.51.100.2
PidFile none
StrictModes no
"""


def space(name: str) -> list[str]:
    """The command that runs another one in a namespace."""
    return ["ip", "netns", "exec", f"saver-{name}"]


@contextmanager
def network() -> Iterator[None]:
    """Three machines and the cables between them."""
    try:
        for name in SPACES:
            run("ip", "netns", "add", f"saver-{name}")
            run(*space(name), "ip", "link", "set", "lo", "up")
        for number, (left, its, right, other) in enumerate(LINKS):
            ends = ((left, f"sv{number}a", its), (right, f"sv{number}b", other))
            run("ip", "link", "add", ends[0][1], "type", "veth", "peer", "name", ends[1][1])
            for name, end, address in ends:
                run("ip", "link", "set", end, "netns", f"saver-{name}")
                run(*space(name), "ip", "address", "add", address, "dev", end)
                run(*space(name), "ip", "link", "set", end, "up")
        # An attacker who knows the backend's address, and asks the front to forward a request.
        run(*space("outside"), "ip", "route", "add", "10.77.0.0/24", "via", "203.0.113.10")
        run(*space("backend"), "ip", "route", "add", "203.0.113.0/24", "via", "10.77.0.1")
        yield
    finally:
        for name in SPACES:
            run("ip", "netns", "del", f"saver-{name}", check=False)


@contextmanager
def process(name: str, *command: object, **more: Any) -> Iterator[None]:
    """A process in a namespace, during the block."""
    words = [*space(name), *map(str, command)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more) as started:
        try:
            yield
        finally:
            started.terminate()
            started.wait(20)


def sign(folder: Path, name: str, *names: str) -> None:
    """A key and a certificate of the test's authority."""
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        folder / f"{name}.key",
    ]
    by = ["-CA", folder / "authority.pem", "-CAkey", folder / "authority.key"] if names else []
    what = ["-addext", "subjectAltName=" + ",".join(f"DNS:{each}" for each in names)] if names else []
    what += ["-addext", "basicConstraints=critical,CA:FALSE"] if names else []
    run("openssl", "req", "-x509", *key, *by, *what, "-subj", f"/CN={name}", "-out", folder / f"{name}.pem")


def front(folder: Path, *, tls: bool) -> Path:
    """nginx's files as they ship, changed as the page says."""
    changes = {
        r"listen \[::\].*;": "",
        r"/etc/letsencrypt/live/example\.org/fullchain\.pem": f"{folder}/public.pem",
        r"/etc/letsencrypt/live/example\.org/privkey\.pem": f"{folder}/public.key",
        r" +server unix:.*;": nginx_lines()[0],
        r"/opt/saver/deploy/nginx": f"{folder}/conf",
        r"/var/log/nginx": f"{folder}",
        r"/dev/shm/saver-nginx": f"{folder}/bodies",
        r"/etc/saver": f"{folder}",
        r"example\.org": "saver.test",
    }
    if tls:
        changes = {r"proxy_pass http://saver;": nginx_lines()[1], **changes}
    for name in ("sites", "conf"):
        (folder / name).mkdir(exist_ok=True)
    for path in (ROOT / "deploy" / "nginx").glob("*.conf"):
        text = path.read_text()
        for old, new in changes.items():
            text = re.sub(old, new, text)
        site = path.name.startswith("saver")
        (folder / "sites" / path.stem if site else folder / "conf" / path.name).write_text(text)
    made = folder / "nginx.conf"
    made.write_text(NGINX.format(folder))
    return made


def nginx_lines() -> list[str]:
    """The page's changes to nginx's files: the backend's address, and TLS on the way to it."""
    return re.findall(r"^```nginx\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def firewall() -> str:
    """The page's lines."""
    found = re.search(r"^```nft\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    must(found, "the page has no firewall")
    return found[1] if found else ""


def ask(folder: Path, url: str, *options: str, source: str = "203.0.113.1") -> int:
    """The status of an answer to a client outside; 0 for none."""
    where = ["--cacert", folder / "authority.pem", "--resolve", "www.saver.test:443:203.0.113.10"]
    how = ["-s", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", "--interface", source]
    return int(run(*space("outside"), "curl", *how, *where, *options, url, check=False).stdout or 0)


def guesses(folder: Path, url: str, source: str, count: int) -> list[int]:
    """Load an unknown code, each time from another address."""
    json_body = ["-H", "Content-Type: application/json", "-d", json.dumps({"code": "zzzz"})]
    forged = [
        ["-H", f"X-Forwarded-For: 192.0.2.{n}", "-H", f"Forwarded: for=192.0.2.{n}"] for n in range(count)
    ]
    return [ask(folder, f"{url}/api/v1/load", *json_body, *each, source=source) for each in forged]


def check_front(folder: Path, source: str, other: str) -> None:
    """The front answers, and rate limits see the client's address."""
    until(lambda: ask(folder, "https://www.saver.test/healthz") == 200, "the front answers")
    report("  the front, https", 200)
    seen = guesses(folder, "https://www.saver.test", source, BUDGET + 3)
    must(seen == [404] * BUDGET + [429] * 3, f"forged headers renew no budget: {seen}")
    report(f"  8 guesses with forged headers, budget {BUDGET}", "5 x 404, 3 x 429")
    must(guesses(folder, "https://www.saver.test", other, 1) == [404], "another address has its own budget")
    report("  a guess from another address", 404)
    must(ask(folder, "https://www.saver.test/metrics") == 403, "the operator's routes stay closed")
    must(ask(folder, "https://www.saver.test/readyz") == 403, "the operator's routes stay closed")


def check_closed(folder: Path) -> None:
    """The backend's port, from outside, without and with the firewall."""
    public, private = "http://198.51.100.2:8000/healthz", "http://10.77.0.2:8000/healthz"
    must(ask(folder, public, source="198.51.100.1") == 200, "without a firewall the port would be open")
    rules = folder / "saver.nft"
    rules.write_text(firewall())
    run(*space("backend"), "nft", "-f", rules)
    report(
        "the backend's public port, without, with firewall",
        f"200, {ask(folder, public, source='198.51.100.1')}",
    )
    must(ask(folder, public, source="198.51.100.1") == 0, "with it, it is closed")
    must(ask(folder, private) == 0, "nor is it reached through the front")
    # An outsider who takes the front's address on the wrong cable.
    run(*space("outside"), "ip", "address", "add", "10.77.0.1/32", "dev", "lo")
    must(ask(folder, public, source="10.77.0.1") == 0, "nor by who claims to be the front")
    run(*space("outside"), "ip", "address", "del", "10.77.0.1/32", "dev", "lo")
    report("its private address, and as the front from outside", "0, 0")


def check_tunnel(folder: Path) -> None:
    """ssh to the backend: the service on the developer's machine."""
    for name in ("host", "guest"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    (folder / "sshd").write_text(SSHD.format(folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    quiet = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-i", folder / "guest"]
    tunnel = re.search(r"^ssh -N -L (\S+)", PAGE, re.MULTILINE)
    must(tunnel, "the page has no tunnel")
    where = ["-N", "-L", tunnel[1] if tunnel else "", "root@198.51.100.2"]
    local = "http://127.0.0.1:8000"
    with process("backend", "/usr/sbin/sshd", "-D", "-f", folder / "sshd"):
        time.sleep(1)
        with process("outside", "ssh", *quiet, *where):
            until(
                lambda: ask(folder, f"{local}/healthz", source="127.0.0.1") == 200, "the tunnel answers", 20
            )
            seen = guesses(folder, local, "127.0.0.1", BUDGET + 3)
    must(seen == [404] * BUDGET + [429] * 3, f"through the tunnel nobody else is believed: {seen}")
    report("ssh tunnel: the service answers; 8 forged guesses", "200; 5 x 404, 3 x 429")


def main() -> None:
    with failure_test(root=True) as folder, network():
        must(shutil.which("nginx") and shutil.which("nft"), "apt-get install nginx nftables openssh-server")
        for name, names in (("authority", ()), ("public", ("www.saver.test", "saver.test"))):
            sign(folder, name, *names)
        sign(folder, "backend", "backend.saver")
        sign(folder, "front", "front.saver")
        data = folder / "data"
        data.mkdir()
        service = Service(data, trusted_proxies="10.77.0.1", misses_a_minute=BUDGET)
        service.prepare()
        more: dict[str, Any] = {"cwd": ROOT, "env": service.environ}
        with process("backend", sys.executable, *SERVE, **more):
            with process("front", "nginx", "-c", front(folder, tls=False)):
                report("over the private network:", "")
                check_front(folder, "203.0.113.1", add_outsider("203.0.113.21"))
                check_closed(folder)
                check_front(folder, add_outsider("203.0.113.22"), add_outsider("203.0.113.23"))
            check_tunnel(folder)
        tls = re.search(r"--certfile.+", PAGE)
        words = [folder / word if "." in word else word for word in (tls[0] if tls else "").split()]
        with (
            process("backend", sys.executable, *SERVE, *words, **more),
            process("front", "nginx", "-c", front(folder, tls=True)),
        ):
            report("over TLS, with certificates on both sides:", "")
            check_front(folder, add_outsider("203.0.113.24"), add_outsider("203.0.113.25"))
            bare = [*space("front"), "curl", "-sk", "-m", "3", "https://10.77.0.2:8000/healthz"]
            must(run(*bare, check=False).returncode != 0, "without a certificate the backend does not answer")
            report("  the backend, asked without a certificate", "refused")


def add_outsider(address: str) -> str:
    """One more address outside."""
    run(*space("outside"), "ip", "address", "add", f"{address}/24", "dev", "sv0a")
    return address


if __name__ == "__main__":
    main()
