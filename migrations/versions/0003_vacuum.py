"""On PostgreSQL: clear away dead rows early

The pool loses and gains a row for every text, and a wiped text is a dead row until it is
vacuumed. By default that is when a fifth of a table is dead: 1.5 million codes.

Revision: 0003, after 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPTIONS = {
    "code": {"autovacuum_vacuum_scale_factor": 0.01},
    "text": {
        "autovacuum_vacuum_scale_factor": 0.02,
        "toast.autovacuum_vacuum_scale_factor": 0.02,
    },
    # Room in its page for every heartbeat until the next vacuum.
    "sweeper": {"fillfactor": 10},
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, options in OPTIONS.items():
            chosen = ", ".join(f"{name} = {value}" for name, value in options.items())
            op.execute(f"ALTER TABLE {table} SET ({chosen})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, options in OPTIONS.items():
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(options)})")
