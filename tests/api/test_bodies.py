"""Request bodies: they are read completely or refused, limited before they are read, and cheap to refuse."""

from __future__ import annotations

import json
import socket
import uuid
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from saver.api import fields
from saver.api.body import SMALL_BODY_BYTES
from saver.settings import Settings
from tests.conftest import ALL_DATABASES
from tests.support.server import Server

DATABASES = ALL_DATABASES

JSON = "application/json"
PLAIN = "text/plain"
OPERATIONS = ["load", "ack", "status", "extend", "delete"]
PATHS = [*(f"/api/v1/{operation}" for operation in OPERATIONS), "/load/"]
LONGEST = Settings.model_fields["max_text_bytes"].default * 6 + 65_536


class Input:
    """The body as a server passes it to the app; counts how many bytes were read."""

    def __init__(self, body: bytes) -> None:
        self.length = len(body)
        self.read_bytes = 0
        self._stream = BytesIO(body)

    def read(self, size: int) -> bytes:
        part = self._stream.read(size)
        self.read_bytes += len(part)
        return part


def send(
    client: FlaskClient, path: str, body: bytes | Input, kind: str = JSON, *, chunked: bool = False
) -> TestResponse:
    """As a server passes it that knows where a body ends."""
    given = Input(body) if isinstance(body, bytes) else body
    how = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(given.length)}
    environ = {"wsgi.input_terminated": True, "wsgi.input": given, **how}
    return client.post(path, content_type=kind, environ_overrides=environ)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("chunked", [False, True])
def test_only_a_write_may_be_large(client: FlaskClient, path: str, chunked: bool) -> None:
    body = Input(b'{"code": "aaaa", "ldcode": "aaaa"' + b" " * 5_000_000 + b"}")
    answer = send(client, path, body, chunked=chunked)
    assert (answer.status_code, answer.json["type"]) == (413, "urn:saver:problem:too-large")
    assert str(SMALL_BODY_BYTES) in answer.json["detail"]
    assert body.read_bytes <= (SMALL_BODY_BYTES + 1 if chunked else 0)


@pytest.mark.parametrize("kind", [JSON, PLAIN])
@pytest.mark.parametrize("chunked", [False, True])
def test_no_more_of_a_write_is_read_than_may_come(client: FlaskClient, kind: str, chunked: bool) -> None:
    body = Input(b" " * (LONGEST + 5_000_000))
    answer = send(client, "/api/v1/write", body, kind, chunked=chunked)
    assert (answer.status_code, answer.json["type"]) == (413, "urn:saver:problem:too-large")
    assert body.read_bytes <= (LONGEST + 1 if chunked else 0)


def test_the_longest_password_fits_however_it_is_written(client: FlaskClient) -> None:
    password = "\U0001f511" * 1_024
    code = send(client, "/api/v1/write", json.dumps({"text": "x", "password": password}).encode()).json[
        "code"
    ]
    asked = {"code": code, "password": password, "claim": str(uuid.uuid4())}
    assert send(client, "/api/v1/load", json.dumps(asked, indent=4).encode()).json["text"] == "x"


@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load", "/api/v1/status"])
@pytest.mark.parametrize("name", ["k{}", "name_{}", 'k"{}'])
def test_of_many_unknown_fields_a_handful_is_looked_at(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    named: list[object] = []

    def pointer(location: list[object]) -> str:
        named.append(location)
        return str(len(named))

    monkeypatch.setattr(fields, "pointer", pointer)
    # Pydantic would make an error for each of them, with the value that was sent.
    monkeypatch.setattr(fields, "violations_of", None)
    unknown = {name.format(number): number for number in range(100_000 if path.endswith("write") else 800)}
    answer = send(client, path, json.dumps({"text": "x", **unknown}).encode())
    assert answer.status_code == 422
    assert [error["detail"] for error in answer.json["errors"]] == ["is not a field of this request"] * 5
    assert len(named) == fields.MAX_VIOLATIONS == 5
    assert len(answer.data) < 1_000


def test_faults_of_names_and_of_values_are_a_handful_together(client: FlaskClient) -> None:
    body = {"text": 1, "expires_in": "x", "password": 2, "proof": 3, "once": 4, "a": 1, "b": 1}
    answer = send(client, "/api/v1/write", json.dumps(body).encode())
    assert [error["pointer"] for error in answer.json["errors"]] == [
        "/a",
        "/b",
        "/password",
        "/proof",
        "/text",
    ]


@pytest.mark.parametrize("value", [b"[" + b"[]," * 1_000_000, b'{"k": 1, ' + b'"k": 1, ' * 600_000])
@pytest.mark.parametrize("path", ["/api/v1/write", "/write/"])
def test_what_is_inside_a_field_is_not_read(client: FlaskClient, path: str, value: bytes) -> None:
    # It has no end: if it were read that far, the answer would be 400.
    answer = send(client, path, b'{"text": ' + value)
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": "/text", "detail": "must not be an array or an object"}]


@pytest.mark.parametrize(
    "name", [b"[" * 1_000_000, b'{"k":' * 1_000_000, b"[" + b"[]," * 1_000_000 + b"1]:1}"]
)
@pytest.mark.parametrize("before", [b"{", b'{"text": "x", '])
@pytest.mark.parametrize("path", ["/api/v1/write", "/write/"])
def test_a_value_in_place_of_a_field_name_is_not_parsed(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str, before: bytes, name: bytes
) -> None:
    read: list[str] = []

    class Decoder(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[object, int]:
            read.append(s[idx])
            return super().raw_decode(s, idx)

    monkeypatch.setattr(fields, "_decoder", Decoder())
    answer = send(client, path, before + name)
    assert (answer.status_code, answer.json["type"]) == (400, "urn:saver:problem:not-json")
    assert set(read) <= {'"'}


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(st.dictionaries(st.text(), SCALARS), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_fields_are_read_as_json_has_them(
    given_: dict[str, object], indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(given_, indent=indent, ensure_ascii=ascii_only)
    assert dict(fields._pairs(f" {text}\n")) == given_


@given(st.text(alphabet='{}[]":, 1atrue\\\n', max_size=12))
def test_only_json_is_read_as_json(inside: str) -> None:
    """The same bodies are accepted here and by Python's JSON parser."""
    text = "{" + inside
    try:
        read = [*fields._pairs(text)]
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it is called
            json.loads(text)
        return
    if not read or read[-1][1] is not fields._NESTED:
        assert dict(read) == json.loads(text)


@pytest.mark.parametrize("kind", [JSON, PLAIN])
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load"])
def test_a_body_may_come_chunked(client: FlaskClient, path: str, kind: str) -> None:
    code = send(client, "/api/v1/write", b"there", PLAIN).data.strip().decode()
    bodies = {
        ("/api/v1/write", JSON): b'{"text": "x"}',
        ("/api/v1/write", PLAIN): b"x",
        ("/api/v1/load", JSON): json.dumps({"code": code}).encode(),
        ("/api/v1/load", PLAIN): code.encode(),
    }
    assert send(client, path, bodies[path, kind], kind, chunked=True).status_code // 100 == 2


def test_the_longest_text_may_come_chunked(client: FlaskClient) -> None:
    text = b"x" * 1_048_576
    code = send(client, "/api/v1/write", text, PLAIN, chunked=True).data
    assert send(client, "/api/v1/load", code, PLAIN).data == text
    assert send(client, "/api/v1/write", text + b"x", PLAIN, chunked=True).status_code == 413


def exchange(server: Server, sent: bytes) -> tuple[int, dict[str, object]]:
    """Send it, close the sending side and read the answer, as a client whose connection breaks."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body) if b"json" in head else {"text": body.decode()}
    return int(head.split()[1]), document


def request(key: str, kind: str, length: str, body: str) -> bytes:
    head = ["POST /api/v1/write HTTP/1.1", "Host: x", "Connection: close", f"Content-Type: {kind}", length]
    return "\r\n".join([*head, f"Idempotency-Key: {key}", "", body]).encode()


CUT_OFF = {
    "text": (PLAIN, "Content-Length: 100", "x" * 50),
    "all but one byte": (PLAIN, "Content-Length: 100", "x" * 99),
    "nothing at all": (PLAIN, "Content-Length: 100", ""),
    "JSON": (JSON, "Content-Length: 100", '{"text": "x"}'),
    "within a chunk": (PLAIN, "Transfer-Encoding: chunked", "5\r\nhel"),
    "between chunks": (PLAIN, "Transfer-Encoding: chunked", "5\r\nhello\r\n"),
    "no length where one belongs": (PLAIN, "Transfer-Encoding: chunked", "5\r\nhello\r\nCANARY\r\n"),
}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("kind", "length", "body"), CUT_OFF.values(), ids=CUT_OFF.keys())
def test_what_was_cut_off_is_refused_and_leaves_nothing_behind(
    live_server: Server, kind: str, length: str, body: str
) -> None:
    key = str(uuid.uuid4())
    status, refused = exchange(live_server, request(key, kind, length, body))
    assert (status, refused["type"]) == (400, "urn:saver:problem:incomplete")
    assert "CANARY" not in str(refused)
    # The same key with the complete body: nothing of the broken request was stored under it.
    status, written = exchange(live_server, request(key, PLAIN, "Content-Length: 100", "x" * 100))
    assert status == 201
    assert live_server.post("/api/v1/load", {"code": str(written["text"]).strip()})[1]["text"] == "x" * 100


@pytest.mark.parametrize("terminated", [True, False])
@pytest.mark.parametrize("sent", [0, 50, 99])
def test_an_incomplete_text_is_refused_with_every_server(
    client: FlaskClient, sent: int, terminated: bool
) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    cut_off = {"wsgi.input": Input(b"x" * sent), "wsgi.input_terminated": terminated, "CONTENT_LENGTH": "100"}
    refused = client.post("/api/v1/write", content_type=PLAIN, headers=headers, environ_overrides=cut_off)
    assert (refused.status_code, refused.json["type"]) == (400, "urn:saver:problem:incomplete")
    whole = client.post("/api/v1/write", data=b"x" * 100, content_type=PLAIN, headers=headers)
    assert whole.status_code == 201


@pytest.mark.databases("sqlite")
def test_a_chunked_write_is_repeatable(live_server: Server) -> None:
    sent = request(str(uuid.uuid4()), PLAIN, "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")
    first, again = exchange(live_server, sent), exchange(live_server, sent)
    assert first[0] == 201
    assert first == again


REFUSED = {
    "not JSON": (400, JSON, b"{"),
    "too large": (413, PLAIN, b"x" * 1_048_577),
    "far too large": (413, PLAIN, b"x" * 8_000_000),
    "another media type": (415, "text/html", b"x"),
    "no text": (422, JSON, b"{}"),
    "no life": (422, JSON, b'{"text": "x", "expires_in": 1}'),
}


@pytest.mark.parametrize(("status", "kind", "body"), REFUSED.values(), ids=REFUSED.keys())
def test_a_write_that_was_refused_does_not_keep_its_key(
    client: FlaskClient, status: int, kind: str, body: bytes
) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        refused = client.post("/api/v1/write", data=body, content_type=kind, headers=headers)
        assert refused.status_code == status
    assert client.post("/api/v1/write", json={"text": "x"}, headers=headers).status_code == 201
