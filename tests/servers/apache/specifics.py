"""The errors that Apache answers itself, and the form of its access log."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.servers.client import request
from tests.servers.problems import HEAD, POST

ERRORS: Mapping[str, tuple[bytes, int]] = {
    "a path with a broken escape": (request("GET", "/a%zz", HEAD), 400),
    "a path that leaves the root": (request("GET", "/../etc/passwd", HEAD), 400),
    "no host": (request("GET", "/", {}), 400),
    "two hosts": (request("GET", "/", HEAD)[:-2] + b"Host: evil.test\r\n\r\n", 400),
    "a header without a colon": (request("GET", "/", HEAD)[:-2] + b"CANARY\r\n\r\n", 400),
    "a header of 9,000 bytes": (request("GET", "/", {**HEAD, "X-Long": "a" * 9_000}), 400),
    "80 headers": (request("GET", "/", {**HEAD, **{f"X-{number}": "a" for number in range(80)}}), 400),
    "bytes that are no HTTP": (b"\x00\x01\x02\r\n\r\n", 400),
    "a negative length": (request("POST", "/api/v1/write", {**POST, "Content-Length": "-5"}), 400),
    "two lengths": (request("POST", "/api/v1/write", {**POST, "Content-Length": "5, 6"}), 400),
    "an error's own file": (request("GET", "/_error/404.json", HEAD), 403),
    "an escaped slash": (request("GET", "/a%2Fb", HEAD), 404),
    "an escaped NUL": (request("GET", "/a%00b", HEAD), 404),
    "TRACE": (request("TRACE", "/", HEAD), 405),
    "a method that is none": (request("PURGE", "/healthz", HEAD), 501),
    "a path of 3,000 bytes": (request("GET", "/" + "a" * 3_000, HEAD), 414),
    "an odd Expect": (request("GET", "/healthz", {**HEAD, "Expect": "CANARY"}), 417),
    "an odd Transfer-Encoding": (request("POST", "/", {**POST, "Transfer-Encoding": "CANARY"}), 400),
    "a header's name with a blank": (request("GET", "/", {**HEAD, "CAN ARY": "a"}), 400),
    "a host that is none": (request("GET", "/", {"Host": "CANARY<b>", "Connection": "close"}), 400),
}
LINE = re.compile(
    r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] (?P<network>[0-9a-f.:]+|-) [\w.]+"
    r' "(?P<method>[A-Z]+|-) (?P<route>\S+|-)" (?P<status>\d{3}) \d+ \d+'
)
