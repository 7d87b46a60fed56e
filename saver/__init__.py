"""saver: paste text on one computer, get a code of four letters, load it on another.

The rooms, and who may import whom (a test reads the imports and keeps this true):

- ``settings``, ``codes``, ``seal``, ``dialect`` import nothing of ours.
- ``models`` -> dialect; ``writer`` -> dialect.
- ``leases`` -> models, codes, seal, dialect, writer: the only writer of code and text.
- ``readiness`` -> models, dialect, writer, leases; ``budgets`` -> settings.
- ``api`` -> leases, codes, seal, writer (its error), budgets, readiness, settings: knows no SQLAlchemy.
- ``web`` imports nothing of ours.
- ``app`` wires them all; only entry points (``worker``, ``cli``, ``saver.wsgi``, ``scripts``) use it.
"""

from saver.app import create_app

__all__ = ["create_app"]
