"""Machines as network namespaces on one switch. Root only; nothing touches the host's own network."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from tests.system.checks import run, until

# The addresses in the shipped files and docs/several-servers.md.
ADDRESSES = {
    "balancer": "10.78.0.10",
    "app1": "10.78.0.21",
    "app2": "10.78.0.22",
    "db1": "10.78.0.31",
    "db2": "10.78.0.32",
    "cache": "10.78.0.40",
    "client": "10.78.0.100",
}
# The service tells users apart by address, so the client's machine has one for each.
USER_ADDRESSES = tuple(f"10.78.0.{last}" for last in range(101, 141))
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Machine:
    """A machine is a namespace with the processes that were started in it; they end together."""

    def __init__(self, network: Network, name: str) -> None:
        self.name = name
        self.address = ADDRESSES[name]
        self.space = f"{network.prefix}-{name}"
        self.log = network.folder / "log" / f"{name}.log"
        self._switch = network.switch
        self._started: list[subprocess.Popen[bytes]] = []

    def command(self, *words: object, user: str = "") -> list[str]:
        """The command that runs another one on this machine, as root or as another user."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return ["ip", "netns", "exec", self.space, *become, *map(str, words)]

    def run(
        self, *words: object, user: str = "", check: bool = True, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on this machine to its end."""
        return run(*self.command(*words, user=user), check=check, **more)

    def start(
        self,
        *words: object,
        user: str = "",
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process on this machine; its output goes into the machine's log."""
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                self.command(*words, user=user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                cwd=cwd or "/",
                start_new_session=True,
            )
        self._started.append(started)
        return started

    def pids(self) -> list[int]:
        """The processes that run on this machine."""
        found = run("ip", "netns", "pids", self.space, check=False).stdout
        return [int(pid) for pid in found.split()]

    def kill(self) -> None:
        """Kill all its processes with SIGKILL at once, and wait."""

        def kill_all() -> bool:
            for pid in self.pids():
                _kill(pid)
            self._reap()
            return not self.pids()

        until(kill_all, f"{self.name} is dead", 20)

    def cut(self) -> None:
        """Drop all packets, as if the cable was pulled."""
        run("ip", "-n", self._switch, "link", "set", self.name, "nomaster")

    def join(self) -> None:
        """Put the cable back."""
        run("ip", "-n", self._switch, "link", "set", self.name, "master", "switch")

    def shun(self, *others: Machine) -> None:
        """Drop its packets to these machines only."""
        for other in others:
            run("ip", "-n", self.space, "route", "add", "blackhole", f"{other.address}/32")

    def reconcile(self, *others: Machine) -> None:
        """Undo ``shun``."""
        for other in others:
            run("ip", "-n", self.space, "route", "delete", "blackhole", f"{other.address}/32")

    def _reap(self) -> None:
        self._started = [process for process in self._started if process.poll() is None]


class Network:
    """All machines and the switch between them."""

    def __init__(self, name: str, folder: Path, machines: Sequence[str]) -> None:
        self.prefix = f"saver-{name}"
        self.folder = folder
        self.switch = f"{self.prefix}-switch"
        self.machines = {each: Machine(self, each) for each in machines}

    def up(self) -> None:
        """Make the namespaces. Raises BrokenError, also if they exist already."""
        (self.folder / "log").mkdir()
        for space in (self.switch, *(machine.space for machine in self.machines.values())):
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", self.switch, "link", "add", "switch", "type", "bridge", "forward_delay", 0)
        run("ip", "-n", self.switch, "link", "set", "switch", "up")
        for machine in self.machines.values():
            pair = ("link", "add", machine.name, "type", "veth", "peer", "name", "eth0", "netns")
            run("ip", "-n", self.switch, *pair, machine.space)
            machine.join()
            run("ip", "-n", self.switch, "link", "set", machine.name, "up")
            users = USER_ADDRESSES if machine.name == "client" else ()
            for address in (machine.address, *users):
                run("ip", "-n", machine.space, "address", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", machine.space, "link", "set", "eth0", "up")

    def down(self) -> None:
        """Kill every process of every machine and take the namespaces away."""
        take_down(self.prefix)


def spaces(prefix: str) -> list[str]:
    """The namespaces of a cluster that are there."""
    found = [line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines() if line]
    return [space for space in found if space.startswith(f"{prefix}-")]


def take_down(prefix: str) -> None:
    """Remove the namespaces that a killed process left behind."""
    for space in spaces(prefix):

        def empty(space: str = space) -> bool:
            pids = [int(pid) for pid in run("ip", "netns", "pids", space, check=False).stdout.split()]
            for pid in pids:
                _kill(pid)
            return not pids

        until(empty, f"{space} is empty", 20)
        run("ip", "netns", "delete", space, check=False)


def visit(machine: Machine) -> None:
    """Move the calling thread to the machine: its new sockets are there."""
    with Path(f"/run/netns/{machine.space}").open() as space:
        if _libc.setns(space.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {machine.space}")


def on(machine: Machine, do: Callable[[], Any]) -> Any:
    """Call something on a machine, in a thread that ends with it; its result or its exception."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            visit(machine)
            results.append(do())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
