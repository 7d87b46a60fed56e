"""Requests that are sent again: lost answers, a busy service, rate limits."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from saver.client.api import Api
from saver.client.errors import (
    LaterError,
    NoTextError,
    NotSealedError,
    RateLimitError,
    SaverError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from saver.client.http import HttpTransport, Patient, Transport
from saver.client.texts import Draft, Reader, new_uuid, send
from saver.codes import Code
from saver.live_transfer.errors import NoAnswerError
from saver.live_transfer.messages import Response
from tests.conftest import NO_LIMITS
from tests.support.saver_program import ON_TERMINAL, Program
from tests.support.server import Server
from tests.support.snapshot import put_codes

WRITTEN = Response(201, {"code": "wUrp", "expires_at": "2030-01-01T00:00:00Z", "owner_token": "o"})
LOST = None
CODE = Code("wUrp")
SALT = "AAAAAAAAAAAAAAAAAAAAAA"
GOOD_SEAL = {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": SALT}


class Script:
    """A transport that gives these answers in turn, and the last one for ever; LOST for none."""

    def __init__(self, *answers: Response | None) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, object, Mapping[str, str]]] = []

    def post(self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Response:
        self.requests.append((path, body, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise NoAnswerError
        return answer


class Losing:
    """A real transport whose every answer is lost once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._seen: list[object] = []

    def post(self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Response:
        answer = self._transport.post(path, body, headers)
        if (path, body) not in self._seen:
            self._seen.append((path, body))
            raise NoAnswerError
        return answer


class Times:
    """What was waited for."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.countdowns: list[float] = []

    def around(self, transport: Transport, *, waits: bool = False) -> Api:
        return Api(Patient(transport, self.pauses.append, self.countdowns.append, waits=waits))


def written(script: Script, *, waits: bool = False) -> tuple[object, Times]:
    """The result or the error of a write, and what was waited for."""
    times = Times()
    try:
        return send(times.around(script, waits=waits), Draft("text"), Random(1)), times
    except SaverError as error:
        return error, times


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes() -> None:
    script = Script(LOST, Response(503), WRITTEN)
    result, times = written(script)
    assert getattr(result, "code", None) == "wUrp"
    assert times.pauses == [0.7, 2.5]
    assert script.requests[0] == script.requests[1] == script.requests[2]
    assert script.requests[0][2]["Idempotency-Key"]


def test_a_service_that_is_away_is_given_up() -> None:
    result, times = written(Script(LOST), waits=True)
    assert isinstance(result, UnreachableError)
    assert times.pauses == [0.7, 2.5]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(429, None, 40), RateLimitError),
        (Response(429), RateLimitError),
        (Response(503, None, 60), UnavailableError),
    ],
)
def test_only_the_user_can_decide_to_wait_for_long(answer: Response, kind: type[LaterError]) -> None:
    result, times = written(Script(answer, WRITTEN))
    assert isinstance(result, kind)
    assert (result.retry_after, times.pauses, times.countdowns) == (answer.retry_after, [], [])
    result, times = written(Script(answer, answer, WRITTEN), waits=True)
    assert getattr(result, "code", None) == "wUrp"
    assert times.countdowns == [answer.retry_after or 60] * 2


def test_a_short_wait_is_not_asked_about() -> None:
    result, times = written(Script(Response(503, None, 3), WRITTEN))
    assert getattr(result, "code", None) == "wUrp"
    assert times.pauses == [3]


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, WRITTEN.body),
        Response(201, None),
        Response(201, {**WRITTEN.body, "code": "7 wUrp"}),  # type: ignore[dict-item]
        Response(301),
        Response(302),
        Response(404),
        Response(500),
    ],
)
def test_an_answer_that_does_not_fit_is_an_error(answer: Response) -> None:
    script = Script(answer)
    assert isinstance(written(script)[0], UnexpectedAnswerError)
    assert len(script.requests) == 1


def no_text(seal: object) -> Response:
    return Response(404, {"type": "urn:saver:problem:no-text", "seal": seal})


@pytest.mark.parametrize(
    "seal",
    [
        None,
        {**GOOD_SEAL, "iterations": 599_999},
        {**GOOD_SEAL, "iterations": 10_000_001},
        {**GOOD_SEAL, "iterations": True},
        {**GOOD_SEAL, "name": "PBKDF2-SHA1"},
        {**GOOD_SEAL, "salt": "AAAA"},
        {**GOOD_SEAL, "salt": None},
    ],
)
def test_nothing_is_derived_with_parameters_that_are_not_allowed(seal: object) -> None:
    script = Script(no_text(seal))
    reader = Reader(Times().around(script), CODE, new_uuid(Random(1)))
    with pytest.raises(UnexpectedAnswerError):
        reader.load("password", str)
    assert len(script.requests) == 1


def test_a_sealed_text_is_not_shown_where_an_open_one_was_asked_for() -> None:
    loaded = {"text": "e30..a.b.c", "expires_at": "2030-01-01T00:00:00Z", "once": False, "sealed": True}
    reader = Reader(Times().around(Script(Response(200, loaded))), CODE, new_uuid(Random(1)))
    with pytest.raises(UnexpectedAnswerError):
        reader.load(None, str)


@pytest.mark.parametrize("opened", [True, False])
def test_after_a_proof_only_the_sealed_text_is_accepted(opened: bool) -> None:
    """Neither an open one, nor one that another key has sealed."""
    loaded = {"text": "x", "expires_at": "2030-01-01T00:00:00Z", "once": False, "sealed": not opened}
    reader = Reader(Times().around(Script(no_text(GOOD_SEAL), Response(200, loaded))), CODE, "claim")
    with pytest.raises(SaverError) as refused:
        reader.load("password", str)
    assert refused.value.kind == ("not-sealed" if opened else "unexpected-answer")


def test_no_proof_is_shown_for_an_open_text() -> None:
    loaded = {"text": "x", "expires_at": "2030-01-01T00:00:00Z", "once": False, "sealed": False}
    script = Script(Response(200, loaded))
    with pytest.raises(NotSealedError):
        Reader(Times().around(script), CODE, "claim").load("password", str)
    assert script.requests == [("load", {"code": CODE, "claim": "claim"}, {})]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(live_server: Server, status: int) -> None:
    class Redirecting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", live_server.url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with HttpTransport(f"http://127.0.0.1:{server.server_port}") as transport:
            assert transport.post("write", {"text": "text"}, {}).status == status


@pytest.mark.parametrize("password", [None, "secret"])
def test_a_text_for_one_reader_arrives_though_every_answer_is_lost_once(
    live_server: Server, password: str | None
) -> None:
    times = Times()
    random = Random()
    with HttpTransport(live_server.url) as transport:
        api = times.around(Losing(transport))
        code = send(api, Draft("once", password, once=True), random).code
        reader = Reader(api, code, new_uuid(random))
        assert reader.load(password, str).text == "once"
        reader.acknowledge()
        stranger = Reader(api, code, new_uuid(random))
        with pytest.raises(NoTextError):
            stranger.load(None, str)


def test_a_rate_limit_of_the_service(tmp_path: Path, migrated: Path) -> None:
    """The clock of the service is real, so that nothing waits for a minute here."""
    folder = tmp_path / "service"
    folder.mkdir()
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", ["aaaa", "bbbb"])
    with Server(folder, {**NO_LIMITS, "writes_a_minute": 1}) as server:
        program = Program(tmp_path, server.url)
        assert program.run("send", stdin=b"text").code == 0
        limited = program.run("send", "--json", stdin=b"text")
        assert limited.code == 4
        asked = json.loads(limited.stderr)["retry_after"]
        assert 0 < asked <= 60
        with program.started("send", "--wait", stdin=subprocess.DEVNULL) as empty:
            assert empty.wait() == 6
        waiting = program.started("send", "--wait", "text", before=ON_TERMINAL, stderr=None)
        (tmp_path / "text").write_text("text")
        with waiting as child:
            assert child.stdout is not None
            shown = b""
            while shown.count(b" s ") < 2:
                shown += os.read(child.stdout.fileno(), 1_000)
            first, second = re.findall(r"asks: (\d+) s", shown.decode())[:2]
            assert int(first) == int(second) + 1
