"""Reads the body of a request: complete and with a limit, or refuses it."""

from __future__ import annotations

from flask import Request
from werkzeug.wsgi import get_content_length

from saver.api.problems import Problem

# Enough for the longest password with every letter escaped (12 bytes each) and the other fields.
SMALL_BODY_BYTES = 16_384
UTF_16_HINT = "It looks like UTF-16; save it as UTF-8."
_BYTES_LOOKED_AT = 64


def read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body with a Content-Length, or chunked. Raises Problem (400, 411, 413, 415)."""
    _refuse_encodings(request)
    # From the environment: making Werkzeug's view of the headers takes longer.
    length = get_content_length(request.environ)
    if length is None and not _is_chunked(request):
        raise Problem(411, "length", "The length is missing.", detail="Send a Content-Length, or chunks.")
    if length is not None and length > max_bytes:
        raise _too_large(max_bytes)
    try:
        # One byte more than allowed shows that a chunked body is too large.
        body: bytes = request.environ["wsgi.input"].read(max_bytes + 1 if length is None else length)
    except Exception:  # every server has its own error for an incomplete body
        raise incomplete() from None
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    # Servers end the input when the connection ends, so half a text looks complete.
    if length is not None and len(body) != length:
        raise incomplete()
    return body


def looks_like_utf_16(body: bytes) -> bool:
    """Return whether it starts with the byte order mark of UTF-16 or has NUL in every other byte."""
    start = body[:_BYTES_LOOKED_AT]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return len(start) > 1 and any(set(start[offset::2]) == {0} for offset in (0, 1))


def decode(body: bytes) -> str:
    """Decode UTF-8 without changing the text. Raises Problem if it is not UTF-8."""
    hint = UTF_16_HINT if looks_like_utf_16(body) else None
    try:
        if hint is None:
            return body.decode()
    except UnicodeDecodeError:
        pass
    raise Problem(400, "not-utf-8", "The text is not in UTF-8.", detail=hint)


def _is_chunked(request: Request) -> bool:
    # The input may be read to its end only if the server marks the end.
    return "HTTP_TRANSFER_ENCODING" in request.environ and bool(request.environ.get("wsgi.input_terminated"))


def _refuse_encodings(request: Request) -> None:
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise Problem(
            415,
            "content-encoding",
            "The body is encoded.",
            detail="Send it without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        413, "too-large", "The body is too large.", detail=f"Here it may have at most {max_bytes} bytes."
    )


def incomplete() -> Problem:
    """Make a 400: the body ended before its length, or its chunks are invalid."""
    return Problem(
        400,
        "incomplete",
        "The body is incomplete.",
        detail="It ended before its length was reached. Send the request again.",
    )
