"""Install saver on a new Debian as README.md says, use it, break parts of it, and check it.

    sudo python3 -m tests.system.install --cache FOLDER

Makes a Debian 12 with debootstrap, follows the commands of README.md ("Deploy it") in it, boots it with
systemd-nspawn, gets certificates from a local ACME server (pebble) with certbot, upgrades under load, kills
and hangs the worker, cuts the power, and ends with an audit. Run it as root; the first time takes some
minutes more, for the Debian that --cache then keeps. Prints a table; ends with status 1 at the first thing
that does not hold.

Needs: apt-get install -y --no-install-recommends debootstrap systemd-container git
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.server import ROOT
from tests.system import checks
from tests.system.checks import BrokenError, must

PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,python3,git,procps,curl,logrotate"
# For this test, not for saver.
TOOLS = ("pebble", "libfaketime")
NAME, BARE = "www.saver.test", "saver.test"
# What this machine has set up for fetching packages is lent to the other one while it is installed.
LENT = ("/etc/pip.conf", "/root/.config/pip", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
TRUST = "/root/acme-root.pem"
DIRECTORY = "https://localhost:14000/dir"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PEBBLE = """{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
 "certificate": "/root/pebble.pem", "privateKey": "/root/pebble.key", "httpPort": 80, "tlsPort": 443}}
"""
# Writes until it is killed; what was acknowledged is in one file, what failed in the other.
CLIENT = """\
import itertools, json, time, urllib.request
for number in itertools.count():
    text = f"text {number} of {time.time()}"
    body = json.dumps({"text": text, "expires_in": 3600}).encode()
    asked = urllib.request.Request(
        "https://www.saver.test/api/v1/write", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            line, name = json.dumps([json.load(answer)["code"], text]), "/root/acked"
    except Exception as error:
        line, name = repr(error), "/root/failed"
    with open(name, "a") as file:
        file.write(line + "\\n")
    time.sleep(0.02)
"""
READER = """\
import json, urllib.request
lost = total = 0
for line in open("/root/acked"):
    code, text = json.loads(line)
    asked = urllib.request.Request(
        "https://www.saver.test/api/v1/load",
        json.dumps({"code": code}).encode(),
        {"Content-Type": "application/json"},
    )
    total += 1
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            lost += json.load(answer)["text"] != text
    except OSError:
        lost += 1
print(lost, total)
"""
HEARTBEAT = """\
import sqlite3
database = sqlite3.connect("/var/lib/saver/saver.db", timeout=20)
print(database.execute("SELECT beat_at FROM sweeper").fetchone()[0])
"""
MIGRATION = """\
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None
def upgrade():
    op.create_table({table!r}, sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    op.drop_table({table!r})
"""


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command on this machine; its output. Raises BrokenError if it fails."""
    done = checks.run(*command, cwd=cwd)
    return done.stdout + done.stderr


def remove(folder: Path) -> None:
    """Remove a root, but nothing that is mounted in it: a debootstrap that was killed leaves /proc."""
    for name in ("proc", "sys", "dev/pts", "dev"):
        if (folder / name).is_mount():
            run("umount", "--lazy", folder / name)
    run("rm", "-rf", "--one-file-system", folder)


def until(condition: Callable[[], object], what: str, timeout: float = 90) -> float:
    """Poll until the condition holds; the seconds that took."""
    return checks.until(condition, what, timeout)


class Machine:
    """A Debian in a folder: commands are run in it, before it is booted and after."""

    def __init__(self, folder: Path, lend: list[str]) -> None:
        self.folder = folder
        self._lent = [path for path in (*LENT, *lend) if Path(path).exists()]
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def install(self, command: str) -> str:
        """Run a command before the first boot, with this machine's network and set-up of packages."""
        binds = [f"--bind-ro={path}" for path in self._lent]
        environ = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environ |= {"PIP_CERT": "/mnt/authorities.pem", "SSL_CERT_FILE": "/mnt/authorities.pem"}
        return run(
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2", "--pipe"),
            *(f"--directory={self.folder}", "--resolv-conf=replace-host", "--console=pipe", *binds),
            f"--bind-ro={AUTHORITIES}:/mnt/authorities.pem",
            *(f"--setenv={name}={value}" for name, value in environ.items()),
            *("/bin/sh", "-c", command),
        )

    def boot(self) -> float:
        """Start it with a private network; the seconds until systemd has started everything."""
        began = time.monotonic()
        log = self.folder.with_suffix(".console").open("ab")
        self._process = subprocess.Popen(
            [
                *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--private-network"),
                *(
                    f"--directory={self.folder}",
                    "--resolv-conf=off",
                    "--link-journal=no",
                    "--console=read-only",
                ),
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._find_leader, "the machine has a first process", 30)
        until(lambda: "running" in self._state() or "degraded" in self._state(), "everything is started", 240)
        failed = self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend")
        must(not failed.strip(), f"units have failed:\n{failed}")
        return time.monotonic() - began

    def _find_leader(self) -> bool:
        assert self._process
        must(self._process.poll() is None, f"it did not boot: {self.folder.with_suffix('.console')}")
        pid = self._process.pid
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            self._leader = next((int(child) for child in children if self._is_init(child)), 0)
        return self._leader > 0

    @staticmethod
    def _is_init(pid: str) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text() == "systemd\n"
        return False

    def _state(self) -> str:
        return self._ask("systemctl", "is-system-running").stdout

    def _command(self, *command: str, **environ: str) -> list[str]:
        ours = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", "SSL_CERT_FILE": TRUST, **environ}
        pairs = [f"{name}={value}" for name, value in ours.items()]
        return ["nsenter", "--target", str(self._leader), "--all", "env", "-i", "-C", "/", *pairs, *command]

    def _ask(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        asked = self._command(*command, **environ)
        return subprocess.run(asked, capture_output=True, text=True, check=False)

    def run(self, *command: str, **environ: str) -> str:
        """Run a command in the booted machine; its output."""
        return run(*self._command(*command, **environ))

    def fails(self, *command: str, **environ: str) -> str:
        """The output of a command that must fail."""
        done = self._ask(*command, **environ)
        must(done.returncode, f"{' '.join(command)} should have failed:\n{done.stdout}")
        return done.stdout + done.stderr

    def python(self, source: str) -> str:
        """Run a program with the machine's Python."""
        return self.run("python3", "-c", source)

    def start(self, source: str) -> None:
        """Run a program until it is stopped."""
        self.run(
            "systemd-run",
            "--quiet",
            "--unit=client",
            f"--setenv=SSL_CERT_FILE={TRUST}",
            "python3",
            "-c",
            source,
        )

    def flask(self, *command: str) -> str:
        """Run an operator's command."""
        flask = "/opt/saver/.venv/bin/flask"
        return self.run(
            "env", "-C", "/opt/saver", "runuser", "-u", "saver", "--", flask, "--app", "saver", *command
        )

    def heartbeat(self) -> int:
        """When the worker last swept, in UTC seconds."""
        return int(self.run("runuser", "-u", "saver", "--", "python3", "-c", HEARTBEAT))

    def lines(self, name: str) -> list[str]:
        """The content of a file of the machine."""
        path = self.folder / name.lstrip("/")
        return path.read_text().splitlines() if path.exists() else []

    def cut_power(self) -> None:
        """Kill the first process, and with it every other, at once."""
        assert self._process
        os.kill(self._leader, signal.SIGKILL)
        self._process.wait(60)
        self._process, self._leader = None, 0

    def end(self) -> None:
        """Leave no process behind."""
        if self._process and self._process.poll() is None:
            if self._leader:
                os.kill(self._leader, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            self._process.kill()
            self._process.wait()


class InstallTest:
    """The steps, in order; each returns its result in a few words."""

    def __init__(self, machine: Machine, cache: Path, mirror: list[str]) -> None:
        self.machine = machine
        self._cache, self._mirror = cache, mirror
        self._clone, self._try_out, self._for_real = commands()

    def debian(self) -> str:
        """A Debian 12, from the kept one if there is one."""
        kept = self._cache / "debian-12.tar"
        if not kept.exists():
            made = self._cache / "debian-12"
            remove(made)
            try:
                include = f"--include={PACKAGES}"
                run("debootstrap", "--variant=minbase", include, "bookworm", made, *self._mirror)
                run("tar", "--create", "--file", kept.with_suffix(".part"), "--directory", made, ".")
            finally:
                remove(made)
            kept.with_suffix(".part").replace(kept)
        self.machine.folder.mkdir()
        run("tar", "--extract", "--file", kept, "--directory", self.machine.folder)
        hosts = self.machine.folder / "etc" / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {NAME} {BARE}\n")
        (self.machine.folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (self.machine.folder / "usr/sbin/policy-rc.d").chmod(0o755)
        return "debootstrap, minbase"

    def _repository(self) -> None:
        """The repository that the machine clones, at the version of this one."""
        bare = self.machine.folder / "srv" / "saver.git"
        run("git", "clone", "--quiet", "--bare", "--no-hardlinks", ROOT, bare)
        run("git", "branch", "--force", "install-test", "HEAD", cwd=bare)
        run("git", "symbolic-ref", "HEAD", "refs/heads/install-test", cwd=bare)

    def install(self) -> str:
        """The commands of README.md, in a machine that does not run yet."""
        self._repository()
        self.machine.install(self._clone)
        output = self.machine.install(
            f"{self._try_out} && apt-get install -y --no-install-recommends {' '.join(TOOLS)}"
        )
        (self.machine.folder / "usr/sbin/policy-rc.d").unlink()
        # The test writes more than one source may; a second run of deploy/install must not change this.
        with (self.machine.folder / "etc/saver/saver.env").open("a") as settings:
            for name in ("WRITES_A_MINUTE", "WRITES_AN_HOUR", "LIVE_TEXTS", "LOADS_A_MINUTE"):
                settings.write(f"SAVER_{name}=0\n")
        secret = re.search(
            r"SAVER_SECRET_KEY=(\S+)", (self.machine.folder / "etc/saver/saver.env").read_text()
        )
        must(secret and secret[1] not in output, "the secret was shown or not made")
        return f"{output.count('+ ')} commands"

    def boot(self) -> str:
        """The first start."""
        return f"systemd: running after {self.machine.boot():.0f} s"

    def again(self) -> str:
        """deploy/install a second time."""
        output = self.machine.run("/bin/sh", "-c", self._try_out)
        must("nothing to do" in output and "well: " in output, f"the second run did something:\n{output}")
        must("+ " not in output, f"the second run did something:\n{output}")
        return "nothing to do; well"

    def certificate(self) -> str:
        """From an ACME server, for both names."""
        self.machine.run(
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-noenc",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *(
                "-addext",
                "subjectAltName=DNS:localhost",
                "-keyout",
                "/root/pebble.key",
                "-out",
                "/root/pebble.pem",
            ),
        )
        (self.machine.folder / "root/pebble.json").write_text(PEBBLE)
        self._start_authority()
        ask = ("/bin/sh", "-c", f"{self._for_real} --acme-server {DIRECTORY}")
        output = self.machine.run(*ask, REQUESTS_CA_BUNDLE="/root/pebble.pem")
        must("well: " in output, output)
        output = self.machine.run(*ask)
        must("nothing to do" in output and "+ " not in output, f"the second run did something:\n{output}")
        for name in (NAME, BARE):
            self._curl(f"https://{name}/healthz")
        where = self._curl("--output", "/dev/null", "--write-out", "%{redirect_url}", f"https://{BARE}/x?y")
        must(where == f"https://{NAME}/x?y", f"{BARE} leads to {where}")
        return "both names verified"

    def _start_authority(self) -> None:
        self.machine.run(
            *("systemd-run", "--quiet", "--unit=pebble", "--setenv=PEBBLE_VA_NOSLEEP=1"),
            *("--setenv=PEBBLE_WFE_NONCEREJECT=0", "pebble", "-config", "/root/pebble.json"),
        )
        fetch = ("curl", "--silent", "--fail", "--cacert", "/root/pebble.pem", "--output", TRUST)
        until(lambda: self._answers(*fetch, "https://localhost:15000/roots/0"), "the ACME server answers", 30)

    def _answers(self, *command: str) -> bool:
        try:
            self.machine.run(*command)
        except BrokenError:
            return False
        return True

    def _curl(self, *words: str) -> str:
        return self.machine.run("curl", "--silent", "--show-error", "--fail", "--cacert", TRUST, *words)

    def _serial(self) -> str:
        served = f"openssl s_client -connect {NAME}:443 -servername {NAME} </dev/null 2>/dev/null"
        return self.machine.run("/bin/sh", "-c", f"{served} | openssl x509 -noout -serial")

    def renewal(self) -> str:
        """Renew as certbot.timer does, only earlier."""
        before = self._serial()
        self.machine.run(
            "certbot",
            "renew",
            "--force-renewal",
            "--no-random-sleep-on-renew",
            REQUESTS_CA_BUNDLE="/root/pebble.pem",
        )
        took = until(lambda: self._serial() != before, "the new certificate is served", 60)
        must(
            self.machine.run("systemctl", "is-enabled", "certbot.timer").strip() == "enabled",
            "no certbot.timer",
        )
        self._curl(f"https://{BARE}/healthz")
        return f"a new one served {took:.1f} s later"

    def text(self) -> str:
        """Write and load over verified HTTPS."""
        plain = ("--header", "Content-Type: text/plain", "--data-binary", "한글 & <text>")
        code = self._curl(*plain, f"https://{NAME}/api/v1/write?expires_in=3600").strip()
        asked = ("--header", "Content-Type: application/json", "--header", "Accept: text/plain")
        loaded = self._curl(*asked, "--data", f'{{"code": "{code}"}}', f"https://{NAME}/api/v1/load")
        must(loaded == "한글 & <text>", f"loaded {loaded!r}")
        return "the same text came back"

    def killed(self) -> str:
        """The worker is killed."""
        return f"swept again {self._break_worker('KILL'):.0f} s later"

    def hung(self) -> str:
        """The worker is stopped with SIGSTOP: the watchdog restarts it."""
        took = self._break_worker("STOP")
        output = self.machine.run("journalctl", "--unit=saver-worker", "--no-pager", "--output=cat")
        must("atchdog" in output, "it was not the watchdog")
        return f"swept again {took:.0f} s later"

    def _break_worker(self, name: str) -> float:
        began = time.monotonic()
        old = self.machine.run("systemctl", "show", "--value", "--property=MainPID", "saver-worker")
        self.machine.run("systemctl", "kill", f"--signal={name}", "saver-worker")
        show = ("systemctl", "show", "--value", "--property=MainPID", "saver-worker")
        until(lambda: self.machine.run(*show) not in {old, "0\n"}, "a new worker", 150)
        beat = self.machine.heartbeat()
        until(lambda: self.machine.heartbeat() > beat, "the new worker sweeps", 60)
        return time.monotonic() - began

    def clock(self) -> str:
        """Change the clock of one worker, because a container has the clock of its host."""
        output = self.machine.run(
            "env", "-C", "/opt/saver", "/opt/saver/.venv/bin/python", "-m", "tests.system.failures.clock"
        )
        gaps = re.findall(r", (\d+\.\d)$", output, re.M)
        must(gaps, output)
        return f"one worker's, -1 h, +2 h, -1 h: longest gap {max(map(float, gaps)):.1f} s"

    def rotation(self) -> str:
        """Make a backup as every night."""
        self.machine.start(CLIENT)
        until(lambda: self.machine.lines("/root/acked"), "a client writes")
        self.machine.run("logrotate", "--force", "/etc/logrotate.d/apache2")
        kept = len(self.machine.lines("/root/acked"))
        until(lambda: len(self.machine.lines("/root/acked")) > kept + 100, "the client writes on")
        must(self.machine.lines("/var/log/apache2/saver-access.log.1"), "nothing was rotated")
        return self._count()

    def _revision(self, name: str, files: dict[str, str]) -> str:
        place = self.machine.folder / "srv" / "next"
        if not place.exists():
            run("git", "clone", "--quiet", self.machine.folder / "srv/saver.git", place)
        for path, text in files.items():
            (place / path).write_text(text)
        run("git", "add", "--all", cwd=place)
        who = ("-c", "user.name=test", "-c", "user.email=test@saver.test")
        run("git", *who, "commit", "--quiet", "--message", name, cwd=place)
        run("git", "push", "--quiet", "origin", "HEAD:install-test", cwd=place)
        return run("git", "rev-parse", "HEAD", cwd=place).strip()

    def _head(self) -> str:
        found = sorted((ROOT / "migrations" / "versions").glob("*.py"))[-1].read_text()
        named = re.search(r'^revision(?:: str)? = "(\w+)"', found, re.M)
        must(named, "the last migration has no revision")
        return named[1] if named else ""

    def upgrade(self) -> str:
        """Upgrade to a new version with a migration, while a client writes."""
        migration = MIGRATION.format(revision="added1", before=self._head(), table="added1")
        new = self._revision("a table more", {"migrations/versions/8888_added.py": migration})
        self._forget()
        self.machine.start(CLIENT)
        output = self.machine.run("/opt/saver/deploy/upgrade", new)
        must("well: " in output, output)
        return self._count()

    def upgrade_that_cannot_start(self) -> str:
        """Upgrade to a version that does not start: refused before anything is changed."""
        self._forget()
        new = self._broken("added2", "added1", "True")
        self.machine.start(CLIENT)
        output = self.machine.fails("/opt/saver/deploy/upgrade", new)
        must("well again" in output and "restore" not in output, output)
        return self._count()

    def upgrade_that_fails(self) -> str:
        """Upgrade to a version that migrates and then does not start under Apache: it is undone."""
        new = self._broken("added2", "added1", '"mod_wsgi" in __import__("sys").modules')
        output = self.machine.fails("/opt/saver/deploy/upgrade", new)
        must("well again" in output and "restore" in output, output)
        must("added1" in self.machine.flask("db", "current"), "the database was not put back")
        return "code and database as before"

    def _broken(self, revision: str, before: str, when: str) -> str:
        migration = MIGRATION.format(revision=revision, before=before, table=revision)
        package = (ROOT / "saver" / "__init__.py").read_text()
        broken = f'{package}\nif {when}:\n    raise RuntimeError("broken on purpose")\n'
        files = {"migrations/versions/9999_broken.py": migration, "saver/__init__.py": broken}
        return self._revision("broken", files)

    def _forget(self) -> None:
        for name in ("acked", "failed"):
            (self.machine.folder / "root" / name).unlink(missing_ok=True)

    def _count(self) -> str:
        self.machine.run("systemctl", "stop", "client")
        failed, kept = self.machine.lines("/root/failed"), self.machine.lines("/root/acked")
        must(len(kept) > 10, "hardly anything was written")
        must(not failed, f"requests failed: {failed[:3]}")
        return f"{len(kept)} written meanwhile, {len(failed)} failed"

    def power_cut(self) -> str:
        """Everything is killed in the middle of writing, and started again."""
        self._forget()
        self.machine.start(CLIENT)
        until(lambda: len(self.machine.lines("/root/acked")) > 300, "a client writes")
        self.machine.cut_power()
        took = self.machine.boot()
        until(
            lambda: self._answers("curl", "--silent", "--fail", "--cacert", TRUST, f"https://{NAME}/readyz"),
            "ready",
        )
        lost, total = self.machine.python(READER).split()
        must(lost == "0", f"{lost} of {total} acknowledged texts are lost")
        return f"running after {took:.0f} s; {lost} of {total} acknowledged texts lost"

    def audit(self) -> str:
        """At the end every code is in one table, all checks pass, and no unit failed."""
        self.machine.run("systemctl", "start", "saver-backup.service")
        output = self.machine.flask("pool", "audit")
        must("\nclean" in output, output)
        self.machine.flask("check")
        must("running" in self.machine.run("systemctl", "is-system-running"), "not everything runs")
        return "clean"

    def steps(self) -> dict[str, Callable[[], str]]:
        """The steps, in order."""
        return {
            "a Debian 12": self.debian,
            "README: clone, deploy/install --self-signed": self.install,
            "boot": self.boot,
            "deploy/install once more": self.again,
            "certificate for both names (pebble, certbot)": self.certificate,
            "renewal": self.renewal,
            "write and load over HTTPS": self.text,
            "worker killed": self.killed,
            "worker hung": self.hung,
            "clock stepped": self.clock,
            "logs rotated, under load": self.rotation,
            "upgrade with a migration, under load": self.upgrade,
            "upgrade to what cannot start, under load": self.upgrade_that_cannot_start,
            "upgrade that fails after migrating": self.upgrade_that_fails,
            "power cut under load, boot": self.power_cut,
            "backup, pool audit, check": self.audit,
        }


def commands() -> list[str]:
    """README.md's three commands, with the names of this test."""
    found = re.search(r"^## Deploy it$.*?```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.M | re.S)
    must(found, "README.md has no commands under Deploy it")
    words = found[1] if found else ""
    words = words.replace("https://example.org/saver.git", "/srv/saver.git").replace("example.org", BARE)
    lines = [line for line in words.splitlines() if line and not line.startswith(("#", "apt-get"))]
    must(len(lines) == 3, f"README.md has other commands than three: {lines}")
    return lines


def parser(program: str, description: str) -> argparse.ArgumentParser:
    """The options of a test that makes a machine."""
    found = argparse.ArgumentParser(
        prog=f"python3 -m {program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--cache", type=Path, required=True, help="a folder that keeps the Debian")
    found.add_argument("--mirror", help="where debootstrap gets it; its own default if not named")
    found.add_argument("--lend", action="append", default=[], help="a path that pip needs here, read only")
    found.add_argument("--keep", action="store_true", help="leave the machine's folder for a look")
    return found


def perform(given: argparse.Namespace, test: type[InstallTest], **more: Any) -> int:
    """Take the steps of a test, and print a line for each; the exit status."""
    if os.geteuid() != 0:
        raise SystemExit("saver: this test makes and boots a machine: run it as root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given.cache.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="install-", dir=given.cache))
    machine = Machine(place / "root", given.lend)
    steps = test(machine, given.cache, [given.mirror] if given.mirror else [], **more).steps()
    began = time.monotonic()
    try:
        for name, step in steps.items():
            start = time.monotonic()
            result = step()
            print(f"{name:<46}{time.monotonic() - start:>6.0f} s  {result}", flush=True)
    except BrokenError as error:
        print(f"BROKEN: {name}: {error}", flush=True)
        return 1
    finally:
        machine.end()
        if not given.keep:
            remove(place / "root")
            remove(place)
    print(f"{'in all':<46}{time.monotonic() - began:>6.0f} s  everything held")
    return 0


def main() -> int:
    return perform(parser("tests.system.install", __doc__ or "").parse_args(), InstallTest)


if __name__ == "__main__":
    sys.exit(main())
