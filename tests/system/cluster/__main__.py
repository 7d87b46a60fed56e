"""Several servers on one machine, as docs/several-servers.md sets them up: each is a network namespace.

HAProxy, two app servers with a worker each, Redis, and PostgreSQL: one, or with --ha two under Patroni and
etcd. Root only; the machine's own network is not touched.

  up      start it, say where it is, end it with Ctrl-C
  faults  cause each fault under load and print what clients observe; exit status 1 if anything is wrong
  status  say what runs
  down    end what was left behind
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from tests.system.checks import BrokenError, run
from tests.system.cluster.cluster import Cluster, remove, running
from tests.system.cluster.failover import PairFaults
from tests.system.cluster.faults import SETTINGS, Faults
from tests.system.cluster.files import NAME
from tests.system.cluster.load import Load
from tests.system.cluster.network import ADDRESSES, spaces


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("up", "faults", "status", "down"))
    parser.add_argument("--ha", action="store_true", help="two PostgreSQL under Patroni and etcd")
    parser.add_argument("--below", default="", metavar="/memo", help="mount the service below a path")
    parser.add_argument("--few", action="store_true", help="140,608 codes and not 7.3 million: starts sooner")
    parser.add_argument("--only", metavar="FAULT", action="append", help="only this one; repeatable")
    parser.add_argument("--name", default="cluster", help="another one at the same time needs another name")
    given = parser.parse_args()
    known = PairFaults.FAULTS if given.ha else Faults.FAULTS
    given.only = given.only or list(known)
    if unknown := set(given.only) - set(known):
        parser.error(f"--only {unknown.pop()}: there are {', '.join(known)}")
    return given


def up(cluster: Cluster, name: str) -> None:
    """Print where it is, and wait for the end."""
    for machine in cluster.machines.values():
        print(f"{machine.name:<10}{machine.address:<14}ip netns exec {machine.space} COMMAND")
    ask = f"ip netns exec {cluster.machines['client'].space} curl --cacert {cluster.folder}/authority.pem"
    print(f"{ask} --resolve {NAME}:443:{ADDRESSES['balancer']} https://{NAME}{cluster.below}/healthz")
    print(
        f"logs: {cluster.folder}/log; the end: Ctrl-C, or python -m tests.system.cluster down --name {name}",
        flush=True,
    )
    signal.pause()


def cause_faults(cluster: Cluster, faults: list[str]) -> None:
    """Cause these faults, one after the other, and print what clients observed."""
    with Load(cluster) as load:
        causes = PairFaults(cluster, load) if cluster.is_pair else Faults(cluster, load)
        for fault in faults:
            seen = causes.cause(fault)
            print(f"{fault:<20}{'; '.join([str(seen), *causes.extra])}", flush=True)
    checked = load.check()
    free, leased = cluster.audit()
    print(f"{'acknowledged, lost':<20}{checked}, 0")
    print(f"{'wrong answers':<20}0 of {len(load.history.calls)}")
    print(f"{'expired, refused':<20}{load.history.expired}, all of them")
    print(f"{'read by one of two':<20}{load.history.read_once}, all of them")
    print(f"{'codes free, leased':<20}{free}, {leased}: each in one place", flush=True)


def status(name: str) -> None:
    """Print the machines and the processes on them."""
    for space in spaces(f"saver-{name}"):
        pids = run("ip", "netns", "pids", space).stdout.split()
        names = sorted({Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids})
        print(f"{space:<28}{', '.join(names)}")


def main() -> None:
    given = options()
    if os.geteuid() != 0:
        raise SystemExit("python -m tests.system.cluster makes network namespaces: run it as root")
    if given.what == "down":
        remove(given.name)
    elif given.what == "status":
        status(given.name)
    else:
        # SIGTERM cleans up as Ctrl-C does.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with_faults = given.what == "faults"
        settings = SETTINGS if with_faults else {}
        more = {"pair": given.ha, "below": given.below, "settings": settings}
        with running(given.name, few=given.few or with_faults, **more) as cluster:
            if with_faults:
                cause_faults(cluster, given.only)
            else:
                up(cluster, given.name)


if __name__ == "__main__":
    try:
        main()
    except BrokenError as error:
        raise SystemExit(f"BROKEN: {error}") from None
    except KeyboardInterrupt:
        sys.exit(130)
