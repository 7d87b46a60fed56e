"""Faults of the primary, the standby and etcd: how Patroni reacts."""

from __future__ import annotations

import time

from tests.system.checks import BrokenError, must, until
from tests.system.cluster.database import Pair
from tests.system.cluster.faults import Faults
from tests.system.cluster.servers import end


class PairFaults(Faults):
    """The same with two PostgreSQL."""

    FAULTS = (
        *Faults.FAULTS[:-1],
        *("switchover", "primary-killed", "primary-cut", "primary-alone", "standby-killed", "etcd-lost"),
    )

    def switchover(self) -> None:
        """Primary and standby change their roles, as before an upgrade."""
        pair = self._pair()
        old = pair.primary()
        old.patronictl("switchover", "--force")
        self._until_moved(old.machine.name)
        self._until_whole()

    def primary_killed(self) -> None:
        """kill -9 of all that runs on the primary's machine; it comes back when another one is there."""
        pair = self._pair()
        old = pair.primary().machine
        old.kill()
        self._until_moved(old.name)
        pair.start_member(old.name)
        self._until_whole()

    def primary_cut(self) -> None:
        """The primary's cable: it must not acknowledge anything any more."""
        pair = self._pair()
        old = pair.primary()
        old.machine.cut()
        acknowledged = self._write_past_service(old.machine.name)
        self._until_moved(old.machine.name)
        acknowledged += self._write_past_service(old.machine.name)
        must(acknowledged == 0, "a primary that was cut off acknowledged a write")
        self.extra.append("acknowledged by the one cut off: 0")
        old.machine.join()
        self._until_whole()

    def primary_alone(self) -> None:
        """The primary reaches neither standby nor etcd, but the app servers reach the primary."""
        pair = self._pair()
        old = pair.primary().machine
        others = [member.machine for member in pair.members.values() if member.machine is not old]
        old.shun(*others)
        self._until_moved(old.name)
        old.reconcile(*others)
        self._until_whole()

    def etcd_lost(self) -> None:
        """kill -9 of two of three etcd: without a majority there may be no primary."""
        pair = self._pair()
        lost = [pair.members["cache"], pair.standby()]
        for member in lost:
            end(member.etcd)
        until(lambda: not any(server.is_primary() for server in pair.servers), "nobody is primary")
        time.sleep(self.down)
        for member in lost:
            member.start_etcd()
        self._until_whole()

    def standby_killed(self) -> None:
        """kill -9 of all that runs on the standby's machine: the primary goes on alone after a while."""
        pair = self._pair()
        old = pair.standby().machine
        old.kill()
        until(lambda: self.load.history.seen(time.monotonic() - 1).calls["write"] > 0, "writes go on")
        self.load.until_served()
        pair.start_member(old.name)
        self._until_whole()

    def _write_past_service(self, name: str) -> int:
        """Write directly to a database that is cut off; how many writes it acknowledges."""
        member = self._pair().members[name]
        lease = "INSERT INTO text SELECT * FROM text LIMIT 0; UPDATE sweeper SET beat_at = beat_at;"
        try:
            member.ask(f"SET lock_timeout = '1s'; {lease}", timeout=6)
        except BrokenError:
            return 0
        return 1

    def _pair(self) -> Pair:
        assert isinstance(self.cluster.database, Pair)
        return self.cluster.database

    def _until_moved(self, old: str) -> None:
        other = next(each for each in self._pair().servers if each.machine.name != old)
        seconds = until(other.is_primary, f"{other.machine.name} is primary", 120)
        self.extra.append(f"promoted after {seconds:.1f} s")

    def _until_whole(self) -> None:
        seconds = until(self._pair().is_whole, "there are two again", 180)
        self.extra.append(f"two again after {seconds:.1f} s more")
