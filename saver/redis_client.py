"""The way to Redis: few connections, little patience, and nothing is said twice."""

from __future__ import annotations

from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

# Seconds to wait for a connection, and for an answer: a Redis that hangs costs a thread no more.
_PATIENCE = 1.0


def make_pool(url: str, connections: int) -> BlockingConnectionPool:
    """At most so many connections to the Redis of a URL; none is opened yet.

    Raises TypeError or ValueError for an option in the URL that is none.
    """
    pool = BlockingConnectionPool.from_url(
        url.replace("redis+unix:", "unix:", 1),
        max_connections=connections,
        timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        socket_timeout=_PATIENCE,
        # What was sent may have been done, though its answer is lost: a refund that is sent again
        # would be a guess too many. A connection that Redis has closed is seen before it is used.
        retry=Retry(NoBackoff(), 0),
        # The older protocol: with the newer one the pool does not look for answers that nobody read.
        protocol=2,
    )
    # Otherwise a mistyped option shows at the first load.
    pool.connection_class(**pool.connection_kwargs)
    return pool
