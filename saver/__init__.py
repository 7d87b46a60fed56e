"""saver: paste text on one computer, get a code of four letters, load it on another.

The rooms, and who may import whom (a test reads the imports and keeps this true):

- ``settings``, ``codes``, ``seal``, ``dialect``, ``addresses``, ``counts``, ``receipts``,
  ``redis_client``, ``notify`` import nothing of ours.
- ``secret`` -> settings; ``models`` -> dialect; ``writer`` -> dialect; ``statements`` -> dialect, writer.
- ``leases`` -> models, codes, seal, dialect, writer, statements, receipts: the only writer of code and text.
- ``readiness`` -> models, dialect, statements, writer, leases; ``budgets`` -> addresses, counts,
  lookups, settings; ``lookups`` -> counts.
- ``metrics`` -> leases, budgets, readiness, codes.
- ``api`` -> leases, codes, seal, addresses, budgets, lookups, readiness, metrics, settings, and the errors of
  writer, counts and receipts: knows no SQLAlchemy.
- ``upkeep`` -> budgets, counts (its error), dialect, leases, readiness, writer: backup, restore, move
  and check.
- ``web`` imports nothing of ours; ``cli`` -> leases, codes, upkeep, writer.
- ``server`` -> api, budgets, counts, settings: the gunicorn worker that serves the app.
- ``buffering`` -> addresses; only ``saver.wsgi`` uses it.
- ``app`` wires them all; only entry points (``worker``, ``serve``, ``saver.wsgi``, ``scripts``) use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saver.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # Not before it is asked for: gunicorn's master has the worker class imported, and the app must be
    # new in each worker that it starts.
    if name == "create_app":
        from saver.app import create_app  # noqa: PLC0415

        return create_app
    raise AttributeError(name)
