"""Apache's own errors look like the API's: problems, with the same headers."""

from __future__ import annotations

import json
import re

from tests.servers.client import Client
from tests.servers.names import BARE
from tests.servers.problems import HSTS, check, expected
from tests.support.server import ROOT

FILES = {int(path.stem): path for path in (ROOT / "apache" / "errors").glob("*.json")}


def test_a_long_path_is_a_problem_also_without_tls(https: Client) -> None:
    check(https.get("/" + "a" * 3_000, tls=False), 414, {})


def test_a_condition_or_a_range_changes_no_error(https: Client) -> None:
    asked = {"If-None-Match": "*", "If-Modified-Since": "Sat, 21 Nov 2099 00:00:00 GMT", "Range": "bytes=0-1"}
    check(https.get("/a%2Fb", headers=asked), 404, HSTS)


def test_every_file_is_the_problem_that_the_service_would_send() -> None:
    assert {status: json.loads(path.read_text()) for status, path in FILES.items()} == {
        status: expected(status) for status in FILES
    }


def test_every_file_is_used_and_every_error_has_one() -> None:
    conf = (ROOT / "apache" / "conf" / "errors.conf").read_text()
    named = {
        int(status) for status in re.findall(r"^ErrorDocument (\d+) /_error/\1\.json$", conf, re.MULTILINE)
    }
    assert named == set(FILES)
    assert {400, 403, 404, 405, 408, 411, 413, 414, 431, 500, 502, 503, 504} <= named


def test_a_redirect_has_only_its_target(https: Client) -> None:
    for tls, status in ((False, 301), (True, 308)):
        answer = https.get("/CANARY<b>", tls=tls, host=BARE)
        assert (answer.status, answer.body, answer.headers["server"]) == (status, b"Moved.\n", "Apache")
