"""The tables: columns, keys, indexes and checks. They have no behaviour.

``code`` holds the free codes and ``text`` the leased ones, so every code is in
exactly one of them. All times are whole UTC seconds since 1970: they compare
the same in every database, and there is no time zone to lose.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from saver.dialect import code_type

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _code_column() -> Column[str]:
    kind: TypeEngine[str] = code_type()
    return Column("code", kind, primary_key=True)


# Keyed by the letters themselves and without a rowid: 75 MB for the full pool
# instead of 210 MB, and a lease touches one page of it.
code = Table("code", metadata, _code_column(), sqlite_with_rowid=False)

text = Table(
    "text",
    metadata,
    _code_column(),
    # The text, or its JWE where it is sealed; NULL once it is wiped.
    Column("body", Text),
    # Sealed texts only: the protected header of the JWE, so that its public part
    # is read without the rest, and SHA-256 of the proof.
    Column("seal", Text),
    Column("proof_hash", LargeBinary(32)),
    # SHA-256 of the owner token.
    Column("owner_hash", LargeBinary(32), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("free_at", BigInteger, nullable=False),
    CheckConstraint("free_at >= expires_at", name="rest"),
    CheckConstraint("(seal IS NULL) = (proof_hash IS NULL)", name="sealed"),
)

# Two partial indexes: a row is in the one that names its next step and in no
# other, so a lease pays for one entry.
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

# When the worker last finished a sweep; one row.
sweeper = Table(
    "sweeper",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("beat_at", BigInteger, nullable=False),
)
