"""gunicorn's HTTP/1.1 parser, with quicker ways to the same results."""

from __future__ import annotations

import re
from typing import Any

from gunicorn.asgi.parser import PythonProtocol

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_INVALID_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")


class Parser(PythonProtocol):  # type: ignore[misc]
    """It checks with regular expressions what gunicorn checks byte by byte."""

    _header_count: int

    def _parse_headers(self) -> Any:
        """Take all fields at once if they are there and valid; else gunicorn decides, line by line."""
        end = -1 if self._header_count else self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return super()._parse_headers()
        block = bytes(self._buffer[: end + 2])
        fields = _FIELD.findall(block)
        sizes = [len(name) + len(value) + 3 for name, value in fields]
        # Where something is left over, a line is invalid.
        if (
            sum(sizes) < len(block)
            or max(sizes) > self._limit_request_field_size
            or len(fields) > self._limit_request_fields
        ):
            return super()._parse_headers()
        del self._buffer[: end + 4]
        self._scan_from = 0
        self._header_count = len(fields)
        self._headers_list = [(name.lower(), value.strip(b" \t")) for name, value in fields]
        self._finalize_headers()
        return True

    def _is_valid_token(self, data: bytes) -> bool:
        return _TOKEN.fullmatch(data) is not None

    def _has_invalid_header_chars(self, value: bytes) -> bool:
        return _INVALID_IN_VALUE.search(value) is not None
