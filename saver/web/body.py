"""Bodies that are sent compressed to whoever takes that: the page and its files, which are everybody's.

An answer of the API never is. It holds what a stranger sent beside what is secret, and the length of the
two compressed together tells whether they have something in common (BREACH).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Self

from flask import Response, request


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes, and the same compressed where that is shorter."""

    plain: bytes
    gzipped: bytes | None

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Compress, once for all who will ask."""
        gzipped = gzip.compress(content, mtime=0)
        return cls(content, gzipped if len(gzipped) < len(content) else None)

    def response(self, content_type: str, cache_control: str) -> Response:
        """Answer the request with what its client takes."""
        headers = {"Cache-Control": cache_control}
        if self.gzipped is None:
            return Response(self.plain, headers=headers, content_type=content_type)
        headers["Vary"] = "Accept-Encoding"
        if not request.accept_encodings.quality("gzip"):
            return Response(self.plain, headers=headers, content_type=content_type)
        headers["Content-Encoding"] = "gzip"
        return Response(self.gzipped, headers=headers, content_type=content_type)
