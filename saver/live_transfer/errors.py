"""What can go wrong in a live transfer. Each message is a sentence for the user, without any secret."""

from __future__ import annotations


class LiveTransferError(Exception):
    """A live transfer has failed. Nothing of the text was sent, unless the other side knew the letters."""


class NoAnswerError(LiveTransferError):
    """The service did not answer, also when it was asked again. A transport raises it for each request."""

    def __init__(self) -> None:
        super().__init__("The service does not answer.")


class RefusedError(LiveTransferError):
    """The service refuses a request for now, or does not take it at all.

    ``status``: of HTTP. ``retry_after``: in seconds, None if the service does not say.
    """

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"The service refuses the request (HTTP status {status}).")
        self.status = status
        self.retry_after = retry_after


class BadServiceError(LiveTransferError):
    """An answer of the service is not as docs/live-transfer.md describes."""

    def __init__(self) -> None:
        super().__init__("The service gave an answer that does not fit. The transfer was ended.")


class MeetingEndedError(LiveTransferError):
    """There is no such meeting, or it has ended."""

    def __init__(self) -> None:
        super().__init__("There is no live transfer under this number, or it has ended.")


class WrongLettersError(LiveTransferError):
    """The letters of the two sides differ. ``tries_left``: for the same meeting, by the service's word."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"The letters were not the same. Tries left: {tries_left}.")
        self.tries_left = tries_left


class SameLettersError(LiveTransferError):
    """These letters were tried for this number already; they are sent once."""

    def __init__(self) -> None:
        super().__init__("These letters were tried already. Read them again from the other computer.")


class OtherRoleError(LiveTransferError):
    """Both sides want to send, or both to receive."""

    def __init__(self) -> None:
        super().__init__("Both computers want to do the same: one has to send, the other one to receive.")
