"""What a caller may do, whichever wire it speaks: budget, then the rules, then the lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from flask import Response, g

from saver import seal
from saver.api.client_address import counted_caller
from saver.api.problems import Problem, invalid
from saver.api.schemas import CodeLimits, Lifetimes, Limits
from saver.codes import ALPHABET, LENGTH, Code
from saver.ratelimit.lookups import Lookup
from saver.ratelimit.rules import RateLimits
from saver.seal import BadSealError
from saver.settings import Settings
from saver.store import IdempotentRequest, LoadedText, NoTextError, Quota, Status, StoredText, TextStore


@dataclass(frozen=True, slots=True)
class Locks:
    """How a text is locked: by a password for the server to seal with, or it came sealed with a proof."""

    password: str | None = None
    proof: bytes | None = None
    once: bool = False


class Deeds:
    """The deeds of a caller, held to the settings and counted against its source."""

    def __init__(self, store: TextStore, rate_limits: RateLimits, settings: Settings) -> None:
        self._store = store
        self._rate_limits = rate_limits
        self._settings = settings
        self._limits = _limits_of(settings).model_dump()

    def admit_write(self) -> None:
        """Count a write before its body is read. Raises RateLimitExceededError."""
        self._rate_limits.write(self._address())

    def charged(self, view: Callable[[], Response]) -> Callable[[], Response]:
        """A view that looks up: its caller is charged before its body is read, and only if it has a code."""

        @wraps(view)
        def charged() -> Response:
            with self._rate_limits.look_up(self._address()) as g.look_up:
                return view()

        return charged

    def write(
        self,
        text: str,
        expires_in: int | None,
        locks: Locks = Locks(),
        idempotency: IdempotentRequest | None = None,
    ) -> StoredText:
        """Keep a text. Raises Problem where it is against a rule."""
        self._check_text(text, locks)
        sealed = locks.password is not None or locks.proof is not None
        lifetime = self._lifetime(expires_in, sealed=sealed)

        def save() -> StoredText:
            return self._store.save(
                text,
                lifetime,
                locks.password,
                proof=locks.proof,
                once=locks.once,
                quota=self._quota(),
                idempotency=idempotency,
            )

        if idempotency is None:
            return save()
        with self._rate_limits.in_flight(idempotency.key):
            return save()

    def load(
        self,
        code: Code,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        claim: str | None = None,
    ) -> LoadedText:
        """Find a text. Raises NoTextError, which counts as a miss, and RateLimitExceededError."""
        tried = password is not None or proof is not None
        with _look_up().ask(code, NoTextError, tried=tried) as only_sealed:
            return self._store.load(code, password, proof=proof, claim=claim, only_sealed=only_sealed)

    def ack(self, code: Code, claim: str) -> None:
        """A one-time text has arrived. Raises as load does."""
        with _look_up().own(NoTextError):
            self._store.ack(code, claim)

    def status(self, code: Code, owner_token: str) -> Status:
        """The receipt. Raises as load does."""
        with _look_up().own(NoTextError):
            return self._store.status(code, owner_token)

    def extend(self, code: Code, owner_token: str, expires_in: int) -> int:
        """Let a text live longer. Raises as load does, and Problem where it is against a rule."""
        with _look_up().own(NoTextError):
            return self._store.extend(
                code, owner_token, lambda sealed: self._lifetime(expires_in, sealed=sealed)
            )

    def delete(self, code: Code, owner_token: str) -> None:
        """End a text. Raises as load does."""
        with _look_up().own(NoTextError):
            self._store.delete(code, owner_token)

    def limits(self) -> dict[str, object]:
        """Sizes, lifetimes and the look of a code."""
        return self._limits

    def _quota(self) -> Quota | None:
        settings, address = self._settings, self._address()
        networks = self._rate_limits.network_quota_keys(address)
        of_network = Quota(networks, settings.live_texts_per_network, settings.live_bytes_per_network)
        network = of_network if networks and of_network.limits else None
        quota = Quota(
            self._rate_limits.quota_keys(address), settings.live_texts, settings.live_bytes, network
        )
        return quota if network or quota.limits else None

    def _address(self) -> str:
        return counted_caller(self._settings.trusted_proxies)

    def _check_text(self, text: str, locks: Locks) -> None:
        if not text:
            raise invalid(("/text", "must not be empty"))
        if "\0" in text:
            raise invalid(("/text", "must not contain NUL"))
        if locks.proof is not None:
            self._check_sealed(text)
        else:
            self._check_size(len(text) if text.isascii() else len(text.encode()))

    def _check_sealed(self, jwe: str) -> None:
        try:
            seal.check(jwe)
        except BadSealError as error:
            raise invalid(("/text", f"is no sealed text: {error}")) from None
        self._check_size(seal.size(jwe))

    def _check_size(self, size: int) -> None:
        most = self._settings.max_text_bytes
        if size > most:
            rule = f"must be at most {most} bytes of UTF-8"
            raise Problem(413, "too-large", "The text is too large.", errors=[("/text", rule)])

    def _lifetime(self, expires_in: int | None, *, sealed: bool) -> int:
        settings = self._settings
        if expires_in is None:
            return settings.default_expires_in
        least, most = settings.min_expires_in, settings.max_expires_in
        if least <= expires_in <= (settings.max_expires_in_sealed if sealed else most):
            return expires_in
        rule = f"must be {least} to {most} seconds, with a password to {settings.max_expires_in_sealed}"
        raise invalid(("/expires_in", rule))


def _look_up() -> Lookup:
    """That of this request, which is charged already."""
    found: Lookup = g.look_up
    return found


def _limits_of(settings: Settings) -> Limits:
    return Limits(
        max_text_bytes=settings.max_text_bytes,
        expires_in=Lifetimes(
            min=settings.min_expires_in,
            default=settings.default_expires_in,
            max=settings.max_expires_in,
            max_sealed=settings.max_expires_in_sealed,
        ),
        code=CodeLimits(length=LENGTH, alphabet=ALPHABET),
        cool_down=settings.code_cooldown,
        contact=settings.contact,
        terms_url=settings.terms_url,
    )
