"""The tables: columns, keys, indexes and checks, without behaviour.

``code`` holds the free codes and ``text`` the leased ones, so every code is in
exactly one of them; ``meeting`` holds the live transfers. All times are whole UTC
seconds since 1970: they compare the same in every database, and there is no time
zone to lose.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _code_column() -> Column[str]:
    # Compared byte by byte, because case matters.
    kind: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
    return Column("code", kind, primary_key=True)


# Keyed by the letters themselves and without a rowid: 75 MB for the full pool
# instead of 210 MB, and a lease touches one page of it.
code = Table("code", metadata, _code_column(), sqlite_with_rowid=False)

text = Table(
    "text",
    metadata,
    _code_column(),
    # Sealed texts only: the protected header of the JWE, so that its public part
    # is read without the rest, and a keyed hash of the proof (``saver.at_rest``).
    Column("seal", Text),
    Column("proof_mac", LargeBinary(32)),
    # SHA-256 of the owner token.
    Column("owner_hash", LargeBinary(32), nullable=False),
    # One-time text; SHA-256 of the claim of its reader.
    Column("once", Boolean, nullable=False, server_default=false()),
    Column("claim_hash", LargeBinary(32)),
    Column("saved_at", BigInteger, nullable=False, server_default="0"),
    Column("expires_at", BigInteger, nullable=False),
    Column("free_at", BigInteger, nullable=False),
    # Why it ended before its time (``EndReason``); NULL while it is live and if it expired.
    Column("ended", Text),
    # For the quota of its source: a keyed hash of the source, with another key every
    # day, and the size in bytes.
    Column("source", LargeBinary(16)),
    Column("size", BigInteger, nullable=False, server_default="0"),
    # For an idempotent write: SHA-256 of its idempotency key, and a hash of the request under that key.
    Column("key_hash", LargeBinary(32)),
    Column("request_hash", LargeBinary(32)),
    # For the quota of the source's IPv6 network; hashed like ``source``.
    Column("network", LargeBinary(16)),
    # Whose key ``proof_mac`` and ``body`` need: ``StorageKey.id``.
    Column("key_id", LargeBinary(8)),
    # The text, or its JWE if it is sealed, encrypted by ``saver.at_rest``; NULL once it is wiped. Last,
    # because SQLite reaches a column behind a long value by reading all of its pages, and the time would
    # reveal that there is one.
    Column("body", LargeBinary),
    CheckConstraint("free_at >= expires_at", name="rest"),
    CheckConstraint("(seal IS NULL) = (proof_mac IS NULL)", name="sealed"),
)

# Partial indexes: a row is in only one of the first two, that of its next step, so a
# lease pays for one entry.
Index(
    "ix_text_expires_at",
    text.c.expires_at,
    sqlite_where=text.c.body.is_not(None),
    postgresql_where=text.c.body.is_not(None),
)
Index(
    "ix_text_free_at",
    text.c.free_at,
    sqlite_where=text.c.body.is_(None),
    postgresql_where=text.c.body.is_(None),
)
Index(
    "ix_text_source",
    text.c.source,
    text.c.expires_at,
    text.c.size,
    sqlite_where=text.c.source.is_not(None),
    postgresql_where=text.c.source.is_not(None),
)
Index(
    "ix_text_network",
    text.c.network,
    text.c.expires_at,
    text.c.size,
    sqlite_where=text.c.network.is_not(None),
    postgresql_where=text.c.network.is_not(None),
)
Index(
    "ix_text_key_hash",
    text.c.key_hash,
    unique=True,
    sqlite_where=text.c.key_hash.is_not(None),
    postgresql_where=text.c.key_hash.is_not(None),
)

# The fields of ``saver.meetings.Meeting``, in its order.
meeting = Table(
    "meeting",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    # SHA-256 of the tokens of the two clients.
    Column("maker_hash", LargeBinary(32), nullable=False, index=True, unique=True),
    Column("expires_at", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("ended", Boolean, nullable=False),
    # The offer of the maker, the answer of the joiner, and the confirmation: they do not reveal the letters.
    Column("session", LargeBinary(16)),
    Column("share", LargeBinary(32)),
    Column("joiner_hash", LargeBinary(32)),
    Column("answer_share", LargeBinary(32)),
    Column("answer_tag", LargeBinary(64)),
    Column("confirm_tag", LargeBinary(64)),
    # Of the text that the sender has written.
    Column("code", Text),
    CheckConstraint("number BETWEEN 1 AND 9999", name="number"),
)

# When the worker last finished a sweep; one row.
sweeper = Table(
    "sweeper",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("beat_at", BigInteger, nullable=False),
)
