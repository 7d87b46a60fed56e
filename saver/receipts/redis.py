"""Receipts in the Redis that also counts for the rate limits, for all machines that use it."""

from __future__ import annotations

import contextlib
from typing import cast

from redis import Redis, RedisError

from saver.receipts.base import LruSet, Receipt, ReceiptsError

_PREFIX = b"saver/receipt/"
_FIRST_LOADED_AT, _REFUSED = "first_loaded_at", "refused"
# Each script is atomic and one round trip. The later expiry wins; a missing key gets none.
_POSTPONE_DROP = """
if redis.call('EXPIRETIME', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('EXPIREAT', KEYS[1], ARGV[1])
end
"""
_RECORD_LOAD = f"redis.call('HSETNX', KEYS[1], '{_FIRST_LOADED_AT}', ARGV[2])\n{_POSTPONE_DROP}"
_RECORD_REFUSAL = f"redis.call('HINCRBY', KEYS[1], '{_REFUSED}', 1)\n{_POSTPONE_DROP}"


class RedisReceipts:
    """Implements ``Receipts`` for all machines that use the same Redis, which deletes each at its expiry."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._record_load = client.register_script(_RECORD_LOAD)
        self._record_refusal = client.register_script(_RECORD_REFUSAL)
        self._postpone_drop = client.register_script(_POSTPONE_DROP)
        self._recorded = LruSet()

    def record_load(self, key: bytes, now: int, drop_at: int) -> None:
        """Store the time of the first load; later loads change nothing. Never raises."""
        if key in self._recorded:
            return
        with contextlib.suppress(RedisError):
            self._record_load([_redis_key(key)], [drop_at, now])
            self._recorded.add(key)

    def record_refusal(self, key: bytes, drop_at: int) -> None:
        """Count a try with a wrong password. Never raises."""
        with contextlib.suppress(RedisError):
            self._record_refusal([_redis_key(key)], [drop_at])

    def postpone_drop(self, key: bytes, drop_at: int) -> None:
        """Delete an existing receipt not before ``drop_at``. Never raises."""
        with contextlib.suppress(RedisError):
            self._postpone_drop([_redis_key(key)], [drop_at])

    def get(self, key: bytes) -> Receipt:
        """The receipt, an empty one if nothing is stored. Raises ReceiptsError."""
        try:
            # The library's types lack keys of bytes, and allow for its asynchronous client.
            found = self._client.hmget(_redis_key(key), [_FIRST_LOADED_AT, _REFUSED])  # type: ignore[arg-type]
            loaded, refused = cast(list[bytes | None], found)
        except RedisError as error:
            raise ReceiptsError(type(error).__name__) from None
        return Receipt(None if loaded is None else int(loaded), int(refused or 0))

    def purge(self, now: int) -> None:
        """Do nothing: every key has an expiry."""


def _redis_key(key: bytes) -> bytes:
    return _PREFIX + key.hex().encode()
