"""The pool, the texts and the sweeper's heartbeat

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("code", CODE, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "text",
        sa.Column("code", CODE, nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("seal", sa.Text()),
        sa.Column("proof_hash", sa.LargeBinary(32)),
        sa.Column("owner_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("free_at >= expires_at", name=op.f("ck_text_rest")),
        sa.CheckConstraint("(seal IS NULL) = (proof_hash IS NULL)", name=op.f("ck_text_sealed")),
        sa.PrimaryKeyConstraint("code", name="pk_text"),
    )
    held, wiped = sa.text("body IS NOT NULL"), sa.text("body IS NULL")
    op.create_index("ix_text_expires_at", "text", ["expires_at"], sqlite_where=held, postgresql_where=held)
    op.create_index("ix_text_free_at", "text", ["free_at"], sqlite_where=wiped, postgresql_where=wiped)
    op.create_table(
        "sweeper",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweeper"),
    )


def downgrade() -> None:
    op.drop_table("sweeper")
    op.drop_index("ix_text_free_at", "text")
    op.drop_index("ix_text_expires_at", "text")
    op.drop_table("text")
    op.drop_table("code")
