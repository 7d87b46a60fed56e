"""Receipts: what the sender may learn of a text, noted beside the budgets.

First loaded at, and how often it was refused: in a file (``file``) or in the Redis
that counts the budgets (``redis``). Nobody waits for a disk: a power cut may lose a
note, and nothing makes one wrong. A note is kept under a name that only the lease knows.
"""

from saver.receipts.base import Receipt, Receipts, ReceiptsError

__all__ = ["Receipt", "Receipts", "ReceiptsError"]
