"""One-time texts, receipts, quotas and idempotency keys

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def columns() -> list[sa.Column]:
    return [
        sa.Column("once", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("claim_hash", sa.LargeBinary(32)),
        sa.Column("saved_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ended", sa.Text()),
        sa.Column("source", sa.LargeBinary(16)),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("key_hash", sa.LargeBinary(32)),
        sa.Column("request_hash", sa.LargeBinary(32)),
    ]


def upgrade() -> None:
    for column in columns():
        op.add_column("text", column)
    sourced, keyed = sa.text("source IS NOT NULL"), sa.text("key_hash IS NOT NULL")
    op.create_index(
        "ix_text_source",
        "text",
        ["source", "expires_at", "size"],
        sqlite_where=sourced,
        postgresql_where=sourced,
    )
    op.create_index(
        "ix_text_key_hash", "text", ["key_hash"], unique=True, sqlite_where=keyed, postgresql_where=keyed
    )


def downgrade() -> None:
    op.drop_index("ix_text_key_hash", "text")
    op.drop_index("ix_text_source", "text")
    for column in reversed(columns()):
        op.drop_column("text", column.name)
