"""Bodies that are sent compressed if the client accepts that: the page and its files, which are public.

Responses of the API are never compressed: they contain input of a stranger next to secrets, and the length
of the compressed body would reveal whether the two have something in common (BREACH).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Self

from flask import Response, request


@dataclass(frozen=True, slots=True)
class CompressedBody:
    """Bytes, and the same bytes compressed if that is shorter."""

    plain: bytes
    gzipped: bytes | None

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Compress the content once, for all requests."""
        gzipped = gzip.compress(content, mtime=0)
        return cls(content, gzipped if len(gzipped) < len(content) else None)

    def response(self, content_type: str, cache_control: str) -> Response:
        """Respond with the encoding that the client accepts."""
        headers = {"Cache-Control": cache_control}
        if self.gzipped is None:
            return Response(self.plain, headers=headers, content_type=content_type)
        headers["Vary"] = "Accept-Encoding"
        if not request.accept_encodings.quality("gzip"):
            return Response(self.plain, headers=headers, content_type=content_type)
        headers["Content-Encoding"] = "gzip"
        return Response(self.gzipped, headers=headers, content_type=content_type)
