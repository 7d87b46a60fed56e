"""saver: paste text on one computer, get a code of four letters, load it on another.

The layers, each of which imports only from those below it, as the contracts in pyproject.toml check:

- entry points: ``client`` is the program ``saver`` and ``operator_cli`` the program ``saver-server``;
  ``worker``, ``serve`` with its ``supervisor``, ``saver.wsgi`` and ``scripts``; ``server`` is the gunicorn
  worker and ``buffering`` the middleware for mod_wsgi.
- ``app`` wires everything together.
- ``api`` (HTTP), ``cli`` (commands), ``web`` (the page).
- ``service`` and ``meeting_service``: the operations on texts and on meetings, and their rules.
- ``ops``: backup, restore, check, health, metrics.
- ``ratelimit``, ``receipts`` and ``store``, which is the only writer of codes, texts and meetings.
- ``database``: what differs between SQLite and PostgreSQL, tables, transactions.
- ``settings``, ``secret``, ``clock``, ``codes``, ``seal``, ``at_rest``, ``key_deriver``, ``texts``,
  ``meetings``, ``live_transfer``, ``redis_client``, ``logs``, ``installation`` (in a clone or from a wheel),
  ``listener``, ``version``, ``blocking`` (a thread says that it is about to wait).
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
