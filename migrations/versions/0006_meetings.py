"""The meetings of live transfers

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meeting",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("maker_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("session", sa.LargeBinary(16)),
        sa.Column("share", sa.LargeBinary(32)),
        sa.Column("joiner_hash", sa.LargeBinary(32)),
        sa.Column("answer_share", sa.LargeBinary(32)),
        sa.Column("answer_tag", sa.LargeBinary(64)),
        sa.Column("confirm_tag", sa.LargeBinary(64)),
        sa.Column("code", sa.Text()),
        sa.CheckConstraint("number BETWEEN 1 AND 9999", name=op.f("ck_meeting_number")),
        sa.PrimaryKeyConstraint("number", name="pk_meeting"),
    )
    op.create_index("ix_meeting_maker_hash", "meeting", ["maker_hash"], unique=True)


def downgrade() -> None:
    op.drop_table("meeting")
