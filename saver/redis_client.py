"""The pool of connections to Redis: bounded, with short timeouts and without retries."""

from __future__ import annotations

from typing import Any

from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from saver.blocking import about_to_block

# Seconds to wait for a connection and for a reply: a Redis that hangs blocks a thread no longer.
_TIMEOUT = 1.0


class _Pool(BlockingConnectionPool):
    """Says that the thread is about to wait, since each command and each script begins with a connection."""

    def get_connection(self, *args: Any, **options: Any) -> Any:
        about_to_block()
        return super().get_connection(*args, **options)  # type: ignore[no-untyped-call]


def make_pool(url: str, connections: int) -> BlockingConnectionPool:
    """A pool of at most ``connections`` connections to the Redis of a URL; none is opened yet.

    Raises TypeError or ValueError for an unknown or malformed option in the URL.
    """
    pool = _Pool.from_url(
        url.replace("redis+unix:", "unix:", 1),
        max_connections=connections,
        timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        socket_timeout=_TIMEOUT,
        # A command whose reply is lost may have been executed: a refund that is sent again would allow one
        # guess too many. A connection that Redis has closed is noticed before it is used.
        retry=Retry(NoBackoff(), 0),
        # RESP2: with RESP3 the pool does not check a connection for replies that were left unread.
        protocol=2,
    )
    # Otherwise a mistyped option is an error only at the first load.
    pool.connection_class(**pool.connection_kwargs)
    return pool
