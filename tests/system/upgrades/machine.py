"""Upgrade a machine that deploy/install has made, from an earlier version to this one.

    sudo python3 -m tests.system.upgrades.machine --cache FOLDER [--from COMMIT] [--postgresql]

Installs the earlier version on a Debian 12 as tests.system.install does, boots it, saves texts of every kind,
and follows docs/operating.md ("Upgrade"): first to a version that fails after its migrations, so that the
machine goes back, then to this version, while a client writes. Checks every text, the backup timer, a second
deploy/install, and a restore. Needs what tests.system.install needs.
"""

from __future__ import annotations

import re
import secrets
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.support.server import ROOT
from tests.system.checks import BrokenError, must
from tests.system.install import (
    BARE,
    CLIENT,
    NAME,
    READER,
    TRUST,
    InstallTest,
    Machine,
    parser,
    perform,
    run,
    until,
)
from tests.system.upgrades import users

FIRST = "9a3e06e"
SITE = f"https://{NAME}"
CERTIFICATE = "/etc/saver/self-signed/fullchain.pem"
URL = "postgresql:///saver?host=/run/postgresql"
# Nothing may be fetched in the booted machine, so its packages are there before.
PACKAGES = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/root/wheels"}
NETWORK = "/etc/systemd/system/saver-{}.service.d/network.conf"
NO_LIMITS = (
    *("WRITES_A_MINUTE", "WRITES_AN_HOUR", "LOADS_A_MINUTE", "MISSES_A_MINUTE", "MISSES_AN_HOUR"),
    *("MISSES_A_DAY", "LIVE_TEXTS", "LIVE_BYTES"),
)
UNITS = ("saver-worker.service", "apache2.service")
BROKEN = '"mod_wsgi" in __import__("sys").modules'


class UpgradeTest(InstallTest):
    """The steps, in order; each returns its result in a few words."""

    def __init__(
        self, machine: Machine, cache: Path, mirror: list[str], *, old: str, postgresql: bool
    ) -> None:
        super().__init__(machine, cache, mirror)
        self._old = run("git", "rev-parse", f"{old}^{{commit}}", cwd=ROOT).strip()
        self._new = run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
        self._postgresql = postgresql
        program = run("git", "show", f"{self._old}:deploy/upgrade", cwd=ROOT)
        # The first version cannot back PostgreSQL up, so its deploy/upgrade refuses.
        self._by_hand = postgresql and 'db", "downgrade' not in program

    def install_old(self) -> str:
        """deploy/install of the earlier version."""
        self._repository()
        wheels = "/opt/saver/.venv/bin/pip download --quiet --no-deps --require-hashes --dest /root/wheels"
        commands = [
            "git clone --quiet /srv/saver.git /opt/saver",
            f"git -C /opt/saver checkout --quiet --detach {self._old}",
            f"/opt/saver/deploy/install --self-signed --name {NAME} --bare {BARE}",
            f"git -C /opt/saver show {self._new}:requirements.txt > /root/next.txt",
            f"{wheels} --requirement /root/next.txt",
        ]
        folder = self.machine.folder
        output = self.machine.install(" && ".join(commands))
        if self._postgresql:
            # Its set-up writes where this machine's configuration of apt is lent, so it follows without that.
            self.machine.install("apt-get install -y --no-install-recommends postgresql || true")
            run("chroot", folder, "dpkg", "--configure", "-a")
        (folder / "usr/sbin/policy-rc.d").unlink()
        with (folder / "etc/saver/saver.env").open("a") as settings:
            settings.writelines(f"SAVER_{name}=0\n" for name in NO_LIMITS)
        shutil.copy(folder / CERTIFICATE.lstrip("/"), folder / TRUST.lstrip("/"))
        shutil.copy(users.__file__, folder / "root")
        return f"{output.count('+ ')} commands"

    def to_postgresql(self) -> str:
        """An empty database on the same machine, by its socket."""
        self.machine.run("systemctl", "stop", *UNITS)
        self.machine.run("runuser", "-u", "postgres", "--", "createuser", "saver")
        created = ("createdb", "--owner", "saver", "--encoding", "UTF8", "--template", "template0", "saver")
        self.machine.run("runuser", "-u", "postgres", "--", *created)
        with (self.machine.folder / "etc/saver/saver.env").open("a") as settings:
            settings.write(f"SAVER_DATABASE_URL={URL}\n")
        if self._by_hand:
            # As its docs/operating.md says.
            self.machine.run("systemctl", "disable", "--now", "saver-backup.timer")
        self.machine.run("systemctl", "restart", "saver-migrate")
        self.machine.run("systemctl", "start", *UNITS)
        return "by its socket"

    def save(self) -> str:
        """Texts of every kind."""
        until(lambda: self._answers("curl", "-sf", "--cacert", TRUST, f"{SITE}/readyz"), "ready")
        return self._users("save")

    def _users(self, what: str) -> str:
        return self.machine.run("python3", "/root/users.py", what, SITE, "/root/saved.json").strip()

    def fail(self) -> str:
        """To a version that migrates and then does not start under Apache; back, and all is there."""
        package = run("git", "show", f"{self._new}:saver/__init__.py", cwd=ROOT)
        broken = f'{package}\nif {BROKEN}:\n    raise RuntimeError("broken on purpose")\n'
        new = self._revision("broken", {"saver/__init__.py": broken})
        before = self._schema()
        output = self.machine.fails("/opt/saver/deploy/upgrade", new, **PACKAGES)
        if "well again" not in output:
            journal = "journalctl --no-pager --output=cat --unit=apache2; tail /var/log/apache2/*r.log"
            raise BrokenError(output + self.machine.run("sh", "-c", journal))
        must(("db downgrade" if self._postgresql else " restore ") in output, output)
        must(self._schema() == before, "the schema is not what it was")
        return self._users("check")

    def _schema(self) -> list[str]:
        return re.findall(r"^\d{4}", self.machine.flask("db", "current"), re.MULTILINE)

    def upgrade(self) -> str:
        """To this version, while a client writes."""
        self._forget()
        self.machine.start(CLIENT.replace("repr(error)", "f'{time.time():.1f} {error}'"))
        until(lambda: self.machine.lines("/root/acked"), "a client writes")
        began = time.monotonic()
        if self._by_hand:
            self._upgrade_by_hand()
        else:
            output = self.machine.run("/opt/saver/deploy/upgrade", self._new, **PACKAGES)
            must("well: " in output, output)
        took = time.monotonic() - began
        self.machine.run("systemctl", "stop", "client")
        acked, failed = self.machine.lines("/root/acked"), self.machine.lines("/root/failed")
        moments = [float(line.split()[0]) for line in failed]
        kinds = Counter(line.partition(" ")[2][:40] for line in failed)
        span = f" in {max(moments) - min(moments):.0f} s: {dict(kinds)}" if failed else ""
        return f"{took:.0f} s; {len(acked)} written meanwhile, {len(failed)} failed{span}"

    def _upgrade_by_hand(self) -> None:
        dump = "umask 077; runuser -u postgres -- pg_dump --format=custom saver > /root/saver-before.dump"
        self.machine.run("sh", "-c", dump)
        self.machine.run("systemctl", "stop", *UNITS)
        self.machine.run("git", "-C", "/opt/saver", "fetch", "--quiet")
        self.machine.run("git", "-C", "/opt/saver", "checkout", "--quiet", "--detach", self._new)
        output = self.machine.run(*self._install_again(), **PACKAGES)
        must("well: " in output, output)
        self.machine.run("systemctl", "enable", "--now", "saver-backup.timer")

    @staticmethod
    def _install_again() -> tuple[str, ...]:
        return ("/opt/saver/deploy/install", "--self-signed")

    def check(self) -> str:
        """Every text that users had, and those of the client."""
        lost, total = self.machine.python(READER).split()
        must(lost == "0", f"{lost} of {total} acknowledged texts are lost")
        must("FAILING" not in self.machine.flask("check"), "check")
        return f"{self._users('check')}; {total} of the client"

    def again(self) -> str:
        """deploy/install once more, and then the timer's unit."""
        output = self.machine.run(*self._install_again(), **PACKAGES)
        must("nothing to do" in output and "+ " not in output, f"it did something:\n{output}")
        for question in ("is-enabled", "is-active"):
            self.machine.run("systemctl", question, "saver-backup.timer")
        return f"nothing to do; {self._back_up()}"

    def over_tcp(self) -> str:
        """The database by its port, with a password: the unit of the timer has the worker's network."""
        password = secrets.token_hex()
        alter = f"ALTER ROLE saver PASSWORD '{password}'"
        self.machine.run("runuser", "-u", "postgres", "--", "psql", "--quiet", "--command", alter)
        settings = self.machine.folder / "etc/saver/saver.env"
        settings.write_text(
            settings.read_text().replace(URL, f"postgresql://saver:{password}@127.0.0.1/saver")
        )
        drop_in = (ROOT / "deploy/systemd/app-server/network.conf").read_text()
        for unit in ("migrate", "worker"):
            file = self.machine.folder / NETWORK.format(unit).lstrip("/")
            file.parent.mkdir()
            file.write_text(drop_in.replace("10.78.0.0/24", "127.0.0.1"))
        output = self.machine.run(*self._install_again(), **PACKAGES)
        must(NETWORK.format("backup") in output, output)
        self.machine.run("systemctl", "restart", *UNITS)
        return f"{self._back_up()}; {self._users('check')}"

    def _back_up(self) -> str:
        before = set(self._backups())
        self.machine.run("systemctl", "start", "saver-backup.service")
        made = sorted(set(self._backups()) - before)
        must(len(made) == 1, f"new backups: {made}")
        must(self.machine.run("systemctl", "is-system-running").strip() == "running", "a unit has failed")
        return f"the unit of the timer made {made[0]}"

    def _backups(self) -> list[str]:
        return [path.name for path in (self.machine.folder / "var/backups/saver").iterdir()]

    def restore(self) -> str:
        """The newest backup takes the place of the database."""
        newest = "/var/backups/saver/" + max(self._backups())
        self.machine.run("systemctl", "stop", *UNITS)
        output = self.machine.flask("restore", newest, *(["--lost"] if self._postgresql else []))
        self.machine.run("systemctl", "start", *UNITS)
        return output.splitlines()[-5]

    def finish(self) -> str:
        """What can be done once with every text; codes and units at the end."""
        result = self._users("finish")
        must("\nclean" in self.machine.flask("pool", "audit"), "audit")
        return f"{result}; clean"

    def steps(self) -> dict[str, Callable[[], str]]:
        """The steps, in order."""
        steps = {
            "a Debian 12": self.debian,
            f"deploy/install of {self._old[:7]}": self.install_old,
            "boot": self.boot,
            "PostgreSQL": self.to_postgresql,
            "texts of every kind": self.save,
            "upgrade that fails after migrating": self.fail,
            f"upgrade to {self._new[:7]}, under load": self.upgrade,
            "every text": self.check,
            "deploy/install again, backup timer": self.again,
            "PostgreSQL by its port": self.over_tcp,
            "what can be done once": self.finish,
            "restore": self.restore,
        }
        left_out = {
            "PostgreSQL": not self._postgresql,
            "PostgreSQL by its port": not self._postgresql,
            "upgrade that fails after migrating": self._by_hand,
        }
        return {name: step for name, step in steps.items() if not left_out.get(name)}


def main() -> int:
    options = parser("tests.system.upgrades.machine", __doc__ or "")
    options.add_argument("--from", dest="old", default=FIRST, help="the earlier version")
    options.add_argument("--postgresql", action="store_true", help="texts in PostgreSQL, not in SQLite")
    given = options.parse_args()
    return perform(given, UpgradeTest, old=given.old, postgresql=given.postgresql)


if __name__ == "__main__":
    sys.exit(main())
