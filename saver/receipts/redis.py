"""Receipts in the Redis that counts the budgets, for every machine that asks there."""

from __future__ import annotations

import contextlib
from typing import cast

from redis import Redis, RedisError

from saver.receipts.base import LruSet, Receipt, ReceiptsError

_PREFIX = b"saver/receipt/"
_LOADED, _REFUSED = "first_loaded_at", "refused"
# Each is one step and one round trip. The later end wins; where there is nothing, nothing is made to end.
_UNTIL = """
if redis.call('EXPIRETIME', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('EXPIREAT', KEYS[1], ARGV[1])
end
"""
_NOTE_LOADED = f"redis.call('HSETNX', KEYS[1], '{_LOADED}', ARGV[2])\n{_UNTIL}"
_NOTE_REFUSED = f"redis.call('HINCRBY', KEYS[1], '{_REFUSED}', 1)\n{_UNTIL}"


class RedisReceipts:
    """Notes of loads and refusals; Redis drops each by itself when its time has come."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._note_loaded = client.register_script(_NOTE_LOADED)
        self._note_refused = client.register_script(_NOTE_REFUSED)
        self._keep = client.register_script(_UNTIL)
        self._remembered = LruSet()

    def loaded(self, name: bytes, now: int, drop_at: int) -> None:
        """Note a load; only the first one counts. Never fails a load."""
        if name in self._remembered:
            return
        with contextlib.suppress(RedisError):
            self._note_loaded([_key(name)], [drop_at, now])
            self._remembered.add(name)

    def refused(self, name: bytes, drop_at: int) -> None:
        """Note a refused try. Never fails a load."""
        with contextlib.suppress(RedisError):
            self._note_refused([_key(name)], [drop_at])

    def keep(self, name: bytes, drop_at: int) -> None:
        """Keep what is noted so long, if it would go earlier. Never fails an extension."""
        with contextlib.suppress(RedisError):
            self._keep([_key(name)], [drop_at])

    def of(self, name: bytes) -> Receipt:
        """What is known. Raises ReceiptsError."""
        try:
            # The library's types know neither keys of bytes nor that this client does not wait.
            found = self._client.hmget(_key(name), [_LOADED, _REFUSED])  # type: ignore[arg-type]
            loaded, refused = cast(list[bytes | None], found)
        except RedisError as error:
            raise ReceiptsError(type(error).__name__) from None
        return Receipt(None if loaded is None else int(loaded), int(refused or 0))

    def purge(self, now: int) -> None:
        """Nothing: every note has an expiry."""


def _key(name: bytes) -> bytes:
    return _PREFIX + name.hex().encode()
