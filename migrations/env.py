"""Run migrations on the app's own engine, or on that of a move's target, each in a transaction."""

from alembic import context
from flask import current_app

from saver.database import NO_STATEMENT_TIMEOUT, WRITE, database_for
from saver.secret import load_old_secrets, load_secret

db = current_app.extensions["migrate"].db


def run() -> None:
    """Upgrade or downgrade; SQLite's schema changes are rolled back like any other."""
    engine = context.config.attributes.get("engine", db.engine).execution_options(
        **WRITE, **NO_STATEMENT_TIMEOUT
    )
    database = database_for(engine)
    settings = current_app.extensions["saver"].settings
    context.config.attributes["secrets"] = [load_secret(settings), *load_old_secrets(settings)]
    database.create_file()
    database.refuse_incompatible()
    # Of several servers that are started at once, one migrates and the others find it done.
    with database.advisory_lock("migrate"), engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            transactional_ddl=True,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
    # Nothing of a table that was copied stays in SQLite's write-ahead log, unless somebody reads it just now.
    database.shrink_log()


if context.is_offline_mode():
    raise SystemExit("saver's migrations run on a database, not offline")
run()
