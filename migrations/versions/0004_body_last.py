"""The body behind every other column, and the network of a writer

On SQLite a long body lies on pages of its own, and what stands behind it in its row is found by walking
all of them: a look-up would take longer the larger a text is, and so tell that there is one. There the
table is copied; it is one transaction. PostgreSQL keeps long values elsewhere.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HELD, WIPED = sa.text("body IS NOT NULL"), sa.text("body IS NULL")
SOURCED, KEYED = sa.text("source IS NOT NULL"), sa.text("key_hash IS NOT NULL")
NETWORKED = sa.text("network IS NOT NULL")


def network() -> sa.Column:
    return sa.Column("network", sa.LargeBinary(16))


def body() -> sa.Column:
    return sa.Column("body", sa.Text())


def small_columns() -> list[sa.Column]:
    return [
        sa.Column("seal", sa.Text()),
        sa.Column("proof_hash", sa.LargeBinary(32)),
        sa.Column("owner_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.Column("once", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("claim_hash", sa.LargeBinary(32)),
        sa.Column("saved_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ended", sa.Text()),
        sa.Column("source", sa.LargeBinary(16)),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("key_hash", sa.LargeBinary(32)),
        sa.Column("request_hash", sa.LargeBinary(32)),
    ]


def index(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, "text", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        copy_table([*small_columns(), network(), body()])
    else:
        op.add_column("text", network())
    index("ix_text_network", ["network", "expires_at", "size"], NETWORKED)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        copy_table([body(), *small_columns()])
    else:
        op.drop_index("ix_text_network", "text")
        op.drop_column("text", "network")


def copy_table(columns: list[sa.Column]) -> None:
    """Put the table anew with these columns, and its indexes."""
    # A database that is being moved, or was moved away, has triggers: they go with the table.
    triggers = op.get_bind().exec_driver_sql(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'text'"
    )
    kept = [sql for (sql,) in triggers.fetchall()]
    op.create_table(
        "text_anew",
        sa.Column("code", sa.Text(), nullable=False),
        *columns,
        sa.CheckConstraint("free_at >= expires_at", name=op.f("ck_text_rest")),
        sa.CheckConstraint("(seal IS NULL) = (proof_hash IS NULL)", name=op.f("ck_text_sealed")),
        sa.PrimaryKeyConstraint("code", name="pk_text"),
    )
    names = ", ".join(["code", *(column.name for column in columns if column.name != "network")])
    op.execute(f"INSERT INTO text_anew ({names}) SELECT {names} FROM text")  # noqa: S608 - names of columns
    op.drop_table("text")
    op.rename_table("text_anew", "text")
    index("ix_text_expires_at", ["expires_at"], HELD)
    index("ix_text_free_at", ["free_at"], WIPED)
    index("ix_text_source", ["source", "expires_at", "size"], SOURCED)
    index("ix_text_key_hash", ["key_hash"], KEYED, unique=True)
    for sql in kept:
        op.execute(sql)
