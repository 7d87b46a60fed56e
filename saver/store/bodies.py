"""Opens what ``saver.at_rest`` has encrypted.

A text whose key is unknown, or whose row was changed, is as good as none for its reader: the log and
``flask --app saver check`` say so to the operator.
"""

from __future__ import annotations

import hmac
import logging
from typing import Protocol

from saver import seal
from saver.at_rest import CannotDecryptError, Keyring, StorageKey, lease_of
from saver.clock import Clock
from saver.installation import PROGRAM

_log = logging.getLogger(__name__)
# In seconds: how often the log says that a text cannot be decrypted.
_LOG_EVERY = 60


class StoredRow(Protocol):
    """What a row says of its body."""

    @property
    def key_id(self) -> bytes | None:
        """The id of its key."""

    @property
    def owner_hash(self) -> bytes:
        """Its lease."""

    @property
    def proof_mac(self) -> bytes | None:
        """The keyed hash of its proof; None if it is not sealed."""


class StoredBodies:
    """Decrypts bodies and recognizes proofs with the keys of a keyring."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._logged_at = float("-inf")

    def opens(self, row: StoredRow, proof: bytes | None) -> bool:
        """Whether a row needs no proof, or this is its proof."""
        if row.proof_mac is None:
            return True
        key = self._key_of(row)
        if key is None or proof is None:
            return False
        return hmac.compare_digest(key.proof_mac(seal.hash_proof(proof)), row.proof_mac)

    def decrypt(self, code: str, row: StoredRow, body: bytes, proof: bytes | None = None) -> str | None:
        """Return the text or the JWE in a body, or None if it cannot be decrypted or has another proof."""
        key = self._key_of(row)
        if key is None:
            return None
        proof_hash = seal.hash_proof(proof) if row.proof_mac is not None and proof is not None else b""
        try:
            content = key.decrypt(body, lease_of(code, row.owner_hash))
            if content.startswith(proof_hash):
                return content[len(proof_hash) :].decode()
        # UnicodeDecodeError: somebody removed the proof from the row of a sealed text.
        except (CannotDecryptError, UnicodeDecodeError):
            pass
        self._log_failure()
        return None

    def _key_of(self, row: StoredRow) -> StorageKey | None:
        key = self._keyring.find(row.key_id)
        if key is None:
            self._log_failure()
        return key

    def _log_failure(self) -> None:
        now = self._clock()
        # abs: also if the clock was set back.
        if abs(now - self._logged_at) >= _LOG_EVERY:
            self._logged_at = now
            _log.warning(
                "a text cannot be decrypted: its secret key is not known here, or its row was changed;"
                f" {PROGRAM} check counts such texts"
            )
