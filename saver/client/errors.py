"""What can go wrong, each with its exit code. A message is a sentence for the user, without any secret."""

from __future__ import annotations

import json
from typing import IO, Any

import click

from saver.live_transfer.errors import LiveTransferError, NoAnswerError
from saver.live_transfer.errors import RefusedError as LiveRefusedError


class SaverError(click.ClickException):
    """Ends the program. ``kind`` is its name in JSON, docs/command-line.md has all of them."""

    kind = "error"
    exit_code = 1
    as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message on stderr, with ``--json`` as an object."""
        if self.as_json:
            document = {"error": self.kind, "message": self.message, **self.details()}
            click.echo(json.dumps(document, ensure_ascii=False), file=file, err=True)
        else:
            click.echo(f"saver: {self.message}", file=file, err=True)

    def details(self) -> dict[str, object]:
        """Further members in JSON."""
        return {}


class UsageError(SaverError):
    """The program was called in a way that cannot be meant."""

    kind = "usage"
    exit_code = 2


class NoTextError(SaverError):
    """There is no text under the code. ``seal``: the parameters that the service names, not checked yet."""

    kind = "no-text"
    exit_code = 3

    def __init__(self, seal: object = None) -> None:
        super().__init__(
            "There is no text under this code, or its password is missing (--password) or wrong."
        )
        self.seal = seal


class NoTokenError(SaverError):
    """This computer has no owner token of the code."""

    kind = "no-token"
    exit_code = 3

    def __init__(self) -> None:
        super().__init__("No text was saved under this code from here, or it is long gone.")


class LaterError(SaverError):
    """The service asks to come back later. ``retry_after`` is in seconds, None if it does not say."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def details(self) -> dict[str, object]:
        """The time to wait."""
        return {} if self.retry_after is None else {"retry_after": self.retry_after}


class RateLimitError(LaterError):
    """A rate limit is reached."""

    kind = "rate-limit"
    exit_code = 4

    def __init__(self, retry_after: float | None) -> None:
        when = "later" if retry_after is None else f"in {retry_after:.0f} seconds"
        super().__init__(f"Too many requests; try again {when}, or let --wait do it.", retry_after)


class UnavailableError(LaterError):
    """The service answers that it cannot do it now."""

    kind = "unavailable"
    exit_code = 5

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("The service cannot do this now; try again later.", retry_after)


class UnreachableError(SaverError):
    """The service does not answer."""

    kind = "unreachable"
    exit_code = 5

    def __init__(self) -> None:
        super().__init__("The service does not answer. Is its address right, and this computer online?")


class RefusedError(SaverError):
    """The text, or a value for it, cannot be saved."""

    kind = "refused"
    exit_code = 6


class NotSealedError(SaverError):
    """An open text came although a password was given."""

    kind = "not-sealed"
    exit_code = 7

    def __init__(self) -> None:
        super().__init__(
            "The text under this code has no password, so it may not be the one that you expect."
            " Without --password it is shown."
        )


class LiveError(SaverError):
    """A live transfer has failed."""

    kind = "live"
    exit_code = 8


class UnexpectedAnswerError(SaverError):
    """An answer that the documentation of the API does not describe."""

    kind = "unexpected-answer"

    def __init__(self) -> None:
        super().__init__("The service gave an answer that does not fit. Is its address that of saver?")


def of_live_transfer(error: LiveTransferError) -> SaverError:
    """Return the error of this program for one of a live transfer."""
    if isinstance(error, NoAnswerError):
        return UnreachableError()
    if isinstance(error, LiveRefusedError):
        if error.status == 413:
            return RefusedError("The text is too long for this service.")
        if error.status == 422:
            return RefusedError("The service refuses this text.")
        later = RateLimitError if error.status == 429 else UnavailableError
        return later(error.retry_after)
    return LiveError(str(error))
