"""Bodies that are too long or have no length, and clients that take their time."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from saver.api.problems import MEDIA_TYPE
from tests.servers.apache.client import Answer, Client, receive, request
from tests.servers.apache.crowd import OF_EACH_KIND, crowd, stays_quick
from tests.servers.apache.instance import Apache
from tests.servers.apache.names import WWW
from tests.servers.apache.shipped import WSGI, shipped_defines
from tests.servers.apache.test_errors import HSTS, POST, check
from tests.support.server import ROOT

MOST = int(shipped_defines()["SAVER_MAX_BODY"])
COMMON = ROOT / "apache" / "conf" / "common.conf"
PLAIN = {**POST, "Content-Type": "text/plain"}
CHUNKED = {**PLAIN, "Transfer-Encoding": "chunked"}


def test_a_longer_body_is_refused_before_it_comes(https: Client) -> None:
    for expect in ({}, {"Expect": "100-continue"}):
        head = request("POST", "/api/v1/write", {**POST, "Content-Length": str(MOST + 1), **expect})
        check(https.send(head), 413, HSTS)


def test_the_longest_body_reaches_the_service(https: Client) -> None:
    body = b'{"text":"a","unknown":"' + b"a" * (MOST - 25) + b'"}'
    assert len(body) == MOST
    answer = https.send(request("POST", "/api/v1/write", {**POST, "Content-Length": str(MOST)}) + body)
    assert (answer.status, answer.document["type"]) == (422, "urn:saver:problem:invalid")


def test_the_longest_text_goes_in(https: Client) -> None:
    assert https.post("/api/v1/write", {"text": "\x01" * 1_048_576}).status == 201


def test_a_body_in_chunks_goes_in(https: Client) -> None:
    taken_in_chunks(https)


def taken_in_chunks(https: Client) -> None:
    """A body in two chunks is a text, one that is too long is refused, and so is one that is broken."""
    text = "\ufeffa" + "b" * 70_000
    body = text.encode()
    written = https.send(request("POST", "/api/v1/write", CHUNKED) + in_chunks(body[:9], body[9:]))
    assert written.status == 201, written
    code = written.body.decode().strip()
    assert https.post("/api/v1/load", {"code": code}).document["text"] == text
    for raw, status in (
        (in_chunks(*[b"a" * 65_536] * (MOST // 65_536 + 1)), 413),
        (b"5\r\nhello\r\nCANARY\r\n", 400),
    ):
        answer = https.send(request("POST", "/api/v1/write", CHUNKED) + raw)
        assert answer.status == status
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert b"CANARY" not in answer.body


def in_chunks(*parts: bytes) -> bytes:
    """A body as it goes over the line."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_body_that_is_cut_off_is_no_text(apache: Apache, https: Client) -> None:
    before = texts(apache.root)
    answers = [cut_off(https, head, sent) for head, sent in CUT_OFF]
    # mod_wsgi knows no other word for a client that has stopped: apache/README.md.
    status = 500 if apache.variant == WSGI else 400
    assert [answer and answer.status for answer in answers] == [status] * len(CUT_OFF)
    written = https.send(request("POST", "/api/v1/write", {**PLAIN, "Content-Length": "5"}) + b"whole")
    assert written.status == 201
    assert texts(apache.root) == before + 1
    assert "Traceback" not in apache.said()


CUT_OFF = (
    ({**PLAIN, "Content-Length": "100"}, b"b" * 50),
    ({**PLAIN, "Content-Length": "100000"}, b"b" * 70_000),
    (CHUNKED, b"5\r\nhello\r\n"),
)


def cut_off(https: Client, head: dict[str, str], sent: bytes) -> Answer | None:
    """What a client is told whose body ends before its end; None where nothing is told."""
    with https.connect() as connection:
        connection.sendall(request("POST", "/api/v1/write", head) + sent)
        socket.socket.shutdown(connection, socket.SHUT_WR)
        try:
            return receive(connection, "POST")
        except ConnectionError:
            return None


def texts(root: Path) -> int:
    """How many texts are kept."""
    with closing(sqlite3.connect(root / "data" / "saver.db")) as database:
        count: int = database.execute("SELECT count(*) FROM text").fetchone()[0]
        return count


def test_a_body_without_a_length_is_the_service_s_to_refuse(https: Client) -> None:
    answer = https.send(request("POST", "/api/v1/write", POST))
    assert (answer.status, answer.document["type"]) == (411, "urn:saver:problem:length")


def test_beside_slow_clients_others_notice_nothing(https: Client) -> None:
    """1,500 of them from one address: half heads, half bodies, and connections that were used once."""
    with crowd(https) as seen:
        stays_quick(seen)
        assert (len(seen.heads), len(seen.bodies)) == (OF_EACH_KIND, OF_EACH_KIND)
        for connection in (seen.bodies[0], seen.heads[-1]):
            check(receive(connection), 408, HSTS)


def test_a_megabyte_comes_in_at_100_kbit_a_second() -> None:
    found = re.search(
        r"^RequestReadTimeout .* body=10-(\d+),MinRate=(\d+)$", COMMON.read_text(), re.MULTILINE
    )
    assert found
    longest, rate = map(int, found.groups())
    assert rate <= 12_500 / 2
    assert longest >= 2 * 1_000_000 / 12_500


def test_many_at_once_are_all_answered(https: Client) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(https.get("/healthz", host=WWW).status for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 200
