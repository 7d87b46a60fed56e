"""The states of a row of ``text`` as conditions, shared by load, quota, sweep and audit.

The parameter ``now`` is in UTC seconds.
"""

from __future__ import annotations

from sqlalchemy import bindparam, case, false, true

from saver.database.tables import text

has_body = text.c.body.is_not(None)
is_expired = text.c.expires_at <= bindparam("now")
# Whether a text may be served.
is_live = has_body & ~is_expired
# ``is_live`` as a column of a result. SQLite would read a whole body to return whether there is one, but
# not to decide by it: a look-up must not take longer the larger a text is.
live_column = case((is_live, true()), else_=false()).label("live")
