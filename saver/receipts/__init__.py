"""Receipts: when a text was first loaded, and how often a wrong password was tried.

They are stored where the rate limits are counted: in a file (``file``) or in Redis (``redis``). No request
waits for a disk: a power cut may lose a receipt, but makes none wrong. The key of a receipt is known only to
the text's row.
"""

from saver.receipts.base import Receipt, Receipts, ReceiptsError

__all__ = ["Receipt", "Receipts", "ReceiptsError"]
