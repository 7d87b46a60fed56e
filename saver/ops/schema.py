"""The version of a database's schema."""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, String, Table, select

from saver.ops.files import OperationError

_alembic = Table("alembic_version", MetaData(), Column("version_num", String))
_version = select(_alembic.c.version_num)


def schema_version(connection: Connection) -> str | None:
    """Return the revision of the last migration, or None. Raises DBAPIError if none ever ran."""
    return connection.scalar(_version)


def require_schema(connection: Connection, head: str, subject: str, advice: str) -> None:
    """Raise OperationError about ``subject``, with ``advice``, unless the revision is ``head``."""
    require_head(schema_version(connection), head, subject, advice)


def require_head(version: str | None, head: str, subject: str, advice: str) -> None:
    """See ``require_schema``."""
    if version != head:
        raise OperationError(f"{subject} has schema {version}, this saver needs {head}: {advice}")
