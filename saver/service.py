"""The operations on texts and all their rules. Knows neither HTTP nor SQL."""

from __future__ import annotations

from dataclasses import replace

from saver import seal
from saver.codes import Code
from saver.ratelimit.lookups import Lookup
from saver.ratelimit.rules import RateLimits
from saver.seal import BadSealError
from saver.settings import Settings
from saver.store import LoadedText, NoTextError, Quota, Status, StoredText, TextStore
from saver.texts import InvalidTextError, LifetimePolicy, NewText, TextTooLargeError


class TextService:
    """Writes, loads and ends texts under the settings and the rate limits of their callers.

    ``address`` is the IP address of a caller. A caller is charged before its request is parsed: a write
    by the limits of its route, every other operation by ``lookup``, whose result the operation takes.
    """

    def __init__(self, store: TextStore, rate_limits: RateLimits, settings: Settings) -> None:
        self._store = store
        self._rate_limits = rate_limits
        self._settings = settings
        self.lifetimes = LifetimePolicy(
            settings.min_expires_in,
            settings.default_expires_in,
            settings.max_expires_in,
            settings.max_expires_in_sealed,
        )

    def lookup(self, address: str) -> Lookup:
        """Charge a look-up, which its ``with`` block refunds if no operation used it.

        Raises RateLimitExceededError and CountersError.
        """
        return self._rate_limits.limit_lookup(address)

    def write(self, new: NewText, address: str) -> StoredText:
        """Store a text.

        Raises InvalidTextError, TextTooLargeError, InvalidLifetimeError, InFlightError, and the errors of
        ``TextStore.save``.
        """
        self._check_text(new)
        lifetime = self.lifetimes.lifetime(new.lifetime, sealed=new.is_sealed)
        new, quota = replace(new, lifetime=lifetime), self._quota(address)
        if new.idempotency is None:
            return self._store.save(new, quota)
        with self._rate_limits.in_flight(new.idempotency.key):
            return self._store.save(new, quota)

    def load(
        self,
        lookup: Lookup,
        code: Code,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        claim: str | None = None,
    ) -> LoadedText:
        """Find a text. Raises NoTextError, which counts as a miss, and RateLimitExceededError."""
        with_password = password is not None or proof is not None
        with lookup.for_code(code, NoTextError, with_password=with_password) as only_sealed:
            return self._store.load(code, password, proof=proof, claim=claim, only_sealed=only_sealed)

    def ack(self, lookup: Lookup, code: Code, claim: str) -> None:
        """Acknowledge that a one-time text has arrived. Raises the errors of ``load``."""
        with lookup.for_token(NoTextError):
            self._store.ack(code, claim)

    def status(self, lookup: Lookup, code: Code, owner_token: str) -> Status:
        """Return the receipt of a text. Raises the errors of ``load``."""
        with lookup.for_token(NoTextError):
            return self._store.status(code, owner_token)

    def extend(self, lookup: Lookup, code: Code, owner_token: str, lifetime: int) -> int:
        """Extend the lifetime of a text to ``lifetime`` seconds from now; return when it expires.

        Raises InvalidLifetimeError and the errors of ``load``.
        """
        with lookup.for_token(NoTextError):
            return self._store.extend(code, owner_token, lifetime, self.lifetimes)

    def delete(self, lookup: Lookup, code: Code, owner_token: str) -> None:
        """Delete a text. Raises the errors of ``load``."""
        with lookup.for_token(NoTextError):
            self._store.delete(code, owner_token)

    def _quota(self, address: str) -> Quota | None:
        settings = self._settings
        networks = self._rate_limits.network_quota_keys(address)
        of_network = Quota(networks, settings.live_texts_per_network, settings.live_bytes_per_network)
        network = of_network if networks and of_network.limits else None
        sources = self._rate_limits.quota_keys(address)
        quota = Quota(sources, settings.live_texts, settings.live_bytes, network)
        return quota if network or quota.limits else None

    def _check_text(self, new: NewText) -> None:
        text, max_bytes = new.text, self._settings.max_text_bytes
        if new.proof is not None:
            _check_sealed(new)
            size = seal.size(text)
        else:
            size = len(text) if text.isascii() else len(text.encode())
        if size > max_bytes:
            raise TextTooLargeError(max_bytes)


def _check_sealed(new: NewText) -> None:
    try:
        is_live = seal.check_live(new.text)
        if not is_live:
            seal.check(new.text)
    except BadSealError as error:
        raise InvalidTextError(f"is no sealed text: {error}") from None
    if is_live and not new.once:
        raise InvalidTextError("must be true for a text of a live transfer", "once")
