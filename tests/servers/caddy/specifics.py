"""The errors that Caddy answers itself, and the form of its access log."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.servers.bodies import CHUNKED, LONGEST, in_chunks
from tests.servers.client import request
from tests.servers.problems import HEAD, POST

_IN_CHUNKS = request("POST", "/api/v1/write", CHUNKED)
# Answered with a problem.
ERRORS: Mapping[str, tuple[bytes, int]] = {
    "chunks that are none": (_IN_CHUNKS + b"5\r\nhello\r\nCANARY\r\n", 502),
    "chunks that are too long": (_IN_CHUNKS + in_chunks(*[b"a" * 65_536] * (LONGEST // 65_536 + 1)), 413),
}
# Answered by Go's server, before the configuration is asked, and with few words.
PLAIN_ERRORS: Mapping[str, tuple[bytes, int]] = {
    "a path with a broken escape": (request("GET", "/CANARY%zz", HEAD), 400),
    "no host": (request("GET", "/CANARY", {}), 400),
    "two hosts": (request("GET", "/", HEAD)[:-2] + b"Host: CANARY\r\n\r\n", 400),
    "a host that is none": (request("GET", "/", {"Host": "CANARY<b>", "Connection": "close"}), 400),
    "headers of 36,000 bytes": (request("GET", "/", {**HEAD, **dict.fromkeys("abcdef", "a" * 6_000)}), 431),
    "a header's name with a blank": (request("GET", "/", {**HEAD, "CAN ARY": "a"}), 400),
    "bytes that are no HTTP": (b"CANARY\x01\x02\r\n\r\n", 400),
    "a negative length": (request("POST", "/api/v1/write", {**POST, "Content-Length": "-5"}), 400),
    "an odd Expect": (request("GET", "/healthz", {**HEAD, "Expect": "CANARY"}), 417),
    "an odd Transfer-Encoding": (request("POST", "/", {**POST, "Transfer-Encoding": "CANARY"}), 501),
    "another protocol": (request("GET", "/CANARY", HEAD, "2.0"), 505),
}
LINE = re.compile(
    r'\{"level":"(?:info|error)","ts":[\d.]+,"logger":"http\.log\.access\.\w+","msg":"handled request",'
    r'"request":\{"remote_ip":"(?P<network>[0-9a-f.:]+)","proto":"HTTP/[\d.]+","method":"(?P<method>[A-Z]*)",'
    r'"uri":"(?P<route>[^"]*)"\},"duration":[\d.e-]+,"size":\d+,"status":(?P<status>\d{1,3})\}'
)
