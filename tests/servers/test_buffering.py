"""The app gets a request only with its complete body, and only a limited number at once."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from saver import create_app
from saver.buffering import buffer_requests
from saver.codes import Code
from tests.conftest import settings_in
from tests.support.process import wait_until
from tests.support.snapshot import put_codes

LONGEST_TEXT = 100_000
MAX_BODY = 6 * LONGEST_TEXT + 65_536
WRITE = "/api/v1/write"
# A body that is read although it is too long for a text.
TOO_LONG = (413, 422)


class Stream(BytesIO):
    """A body as mod_wsgi passes it: it can end early with an error, or let its reader wait."""

    def __init__(
        self, body: bytes, *, cut_off: bool = False, wait: Callable[[], object] | None = None
    ) -> None:
        super().__init__(body)
        self._cut_off = cut_off
        self._wait = wait
        self.begun = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.begun.set()
        part = super().read(size)
        if not part and self._wait:
            self._wait()
        if not part and self._cut_off:
            raise OSError
        return part


@pytest.fixture
def app(migrated: Path, tmp_path: Path) -> Flask:
    """The service with space for one request at a time, and with bodies of MAX_BODY bytes."""
    shutil.copy(migrated, tmp_path / "saver.db")
    put_codes(tmp_path / "saver.db", [Code.nth(number) for number in range(50)])
    app = create_app(settings_in(tmp_path, max_text_bytes=LONGEST_TEXT))
    buffer_requests(app, workers=1, max_body_bytes=MAX_BODY)
    return app


def send(app: Flask, stream: BytesIO, *, length: int | None, source: str = "127.0.0.1") -> TestResponse:
    """A write as plain text; without a length it is chunked."""
    environ = {"wsgi.input_terminated": True, "REMOTE_ADDR": source}
    length_of_body = (
        {"CONTENT_LENGTH": str(length)} if length is not None else {"HTTP_TRANSFER_ENCODING": "chunked"}
    )
    return app.test_client().post(
        WRITE, input_stream=stream, content_type="text/plain", environ_overrides={**environ, **length_of_body}
    )


@pytest.mark.parametrize("length", [70_000, None], ids=["with its length", "in chunks"])
def test_a_body_goes_in_whole(app: Flask, length: int | None) -> None:
    assert send(app, Stream(b"a" * 70_000), length=length).status_code == 201


@pytest.mark.parametrize("length", [80_000, None], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("size", [0, 50, 65_536, 70_000])
def test_a_body_that_is_cut_off_is_refused(app: Flask, length: int | None, size: int) -> None:
    assert send(app, Stream(b"a" * size, cut_off=True), length=length).status_code == 400


@pytest.mark.parametrize("length", [MAX_BODY + 1, None], ids=["with its length", "in chunks"])
def test_a_body_that_is_too_long_is_refused(app: Flask, length: int | None) -> None:
    stream = Stream(b"a" * (MAX_BODY + 70_000))
    assert send(app, stream, length=length).status_code == 413
    assert stream.tell() <= MAX_BODY + 1


def test_waiting_for_a_body_does_not_block_others(app: Flask) -> None:
    come = threading.Event()
    streams = [Stream(b"a" * 50_000, wait=lambda: come.wait(60)) for _ in range(8)]
    threads = [
        threading.Thread(target=send, args=(app, stream), kwargs={"length": 60_000}) for stream in streams
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(stream.begun.is_set() for stream in streams), "they do not begin")
    assert send(app, Stream(b"normal"), length=6).status_code == 201
    come.set()
    for thread in threads:
        thread.join()


def test_only_a_limited_number_work_at_once(app: Flask) -> None:
    inside, highest, lock = 0, 0, threading.Lock()

    @app.before_request
    def enter() -> None:
        nonlocal inside, highest
        with lock:
            inside += 1
            highest = max(highest, inside)

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        nonlocal inside
        with lock:
            inside -= 1

    threads = [
        threading.Thread(target=send, args=(app, Stream(b"text")), kwargs={"length": 4}) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, highest) == (0, 1)


@contextlib.contextmanager
def held(app: Flask, sources: list[str]) -> Iterator[None]:
    """Send an incomplete long body from each source; there is no space for the last one."""
    come = threading.Event()
    answers: list[int] = []

    def hold(source: str) -> None:
        stream = Stream(b"a" * 600_000, wait=lambda: come.wait(60))
        answers.append(send(app, stream, length=MAX_BODY, source=source).status_code)

    threads = [threading.Thread(target=hold, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: answers == [503], "nobody is refused")
        yield
    finally:
        come.set()
        for thread in threads:
            thread.join()


def long_body(app: Flask, source: str) -> TestResponse:
    return send(app, Stream(b"a" * 600_000), length=600_000, source=source)


def test_one_source_has_a_part_of_the_memory_for_long_bodies(app: Flask) -> None:
    # One source may use the space of five of the longest bodies, so there is no space for a sixth.
    with held(app, ["192.0.2.1"] * 6):
        refused = long_body(app, "192.0.2.1")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert send(app, Stream(b"short"), length=5, source="192.0.2.1").status_code == 201
        assert long_body(app, "192.0.2.2").status_code in TOO_LONG
    # The space of the others is free again.
    assert long_body(app, "192.0.2.1").status_code in TOO_LONG


def test_all_sources_share_the_memory_for_long_bodies(app: Flask) -> None:
    # Twenty-two of these need the space of twenty of the longest.
    with held(app, [f"192.0.2.{number}" for number in range(23)]):
        assert long_body(app, "192.0.2.200").status_code == 503
        assert send(app, Stream(b"short"), length=5, source="192.0.2.200").status_code == 201
    assert long_body(app, "192.0.2.200").status_code in TOO_LONG
