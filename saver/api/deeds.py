"""What a caller may do, whichever wire it speaks: budget, then the rules, then the lease."""

from __future__ import annotations

from flask import request

from saver.api.problems import Problem, invalid
from saver.api.schemas import CodeLimits, Lifetimes, Limits
from saver.budgets import Budgets, client_address
from saver.codes import ALPHABET, LENGTH, Code
from saver.leases import Lease, Leases, Loaded, NoTextError
from saver.settings import Settings


class Deeds:
    """The deeds of a caller, held to the settings and counted against its source."""

    def __init__(self, leases: Leases, budgets: Budgets, settings: Settings) -> None:
        self._leases = leases
        self._budgets = budgets
        self._settings = settings
        self._limits = _limits_of(settings).model_dump()

    def admit_write(self) -> None:
        """Count a write before its body is read. Raises SpentError."""
        self._budgets.write(self._address())

    def write(self, text: str, expires_in: int | None, password: str | None = None) -> Lease:
        """Keep a text. Raises Problem where it is against a rule."""
        self._check_text(text)
        return self._leases.save(text, self._lifetime(expires_in, sealed=password is not None), password)

    def load(self, code: Code, password: str | None = None) -> Loaded:
        """Find a text. Raises NoTextError, which counts as a miss, and SpentError."""
        with self._budgets.guess(self._address(), miss=NoTextError):
            return self._leases.load(code, password)

    def delete(self, code: Code, owner_token: str) -> None:
        """End a text. Raises NoTextError, which counts as a miss, and SpentError."""
        with self._budgets.guess(self._address(), miss=NoTextError):
            self._leases.delete(code, owner_token)

    def limits(self) -> dict[str, object]:
        """Sizes, lifetimes and the look of a code."""
        return self._limits

    def _address(self) -> str:
        hops = [
            hop.strip() for value in request.headers.getlist("X-Forwarded-For") for hop in value.split(",")
        ]
        return client_address(request.remote_addr or "", hops, self._settings.trusted_proxies)

    def _check_text(self, text: str) -> None:
        if not text:
            raise invalid(("/text", "must not be empty"))
        if "\0" in text:
            raise invalid(("/text", "must not contain NUL"))
        most = self._settings.max_text_bytes
        if len(text) > most or len(text.encode()) > most:
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
    )
