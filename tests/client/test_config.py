"""Which service the program uses, and which addresses it accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from saver.client.config import parse_service
from saver.client.errors import UsageError
from saver.settings import Settings, read_settings
from tests.support.process import free_port
from tests.support.saver_program import Program

GOOD = {
    "https://Example.org/": "https://example.org",
    "https://example.org:443/saver/": "https://example.org/saver",
    "example.org:8443": "https://example.org:8443",
    " https://example.org ": "https://example.org",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "http://localhost:80/": "http://localhost",
    "http://127.0.0.1:8000": "http://127.0.0.1:8000",
    "http://[::1]:8000/": "http://[::1]:8000",
}


@pytest.mark.parametrize(("given", "address"), GOOD.items())
def test_an_address_is_written_as_the_exchange_of_a_live_transfer_needs_it(given: str, address: str) -> None:
    assert parse_service(given) == address


@pytest.mark.parametrize(
    "given",
    [
        "http://example.org",
        "http://localhost.example.org",
        "ftp://localhost",
        "https://user:secret@example.org",
        "https://example.org/?a",
        "https://example.org/#wUrp",
        "https://",
        "https://exa mple.org",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(given: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_service(given)
    assert given not in refused.value.message


def test_the_option_wins_over_the_environment_and_this_over_the_file(program: Program) -> None:
    right, wrong = program.environ.pop("SAVER_SERVICE"), f"http://localhost:{free_port()}"
    none = program.run("send", stdin=b"text")
    assert none.code == 2
    assert str(program.config) in none.stderr
    configure(program.config, f'service = "{right}"')
    assert program.run("send", stdin=b"text").code == 0
    program.environ["SAVER_SERVICE"] = wrong
    assert program.run("send", stdin=b"text").code == 5
    assert program.run("send", "--service", right, stdin=b"text").code == 0


@pytest.mark.parametrize("content", ["service", 'servise = "https://example.org"', "service = 1", "\0"])
def test_a_wrong_file_is_named(program: Program, content: str) -> None:
    program.environ.pop("SAVER_SERVICE")
    configure(program.config, content)
    refused = program.run("send", stdin=b"text")
    assert refused.code == 2
    assert str(program.config) in refused.stderr


def configure(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def test_the_service_starts_where_a_user_has_set_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVER_SERVICE", "https://example.org")
    assert isinstance(read_settings(), Settings)
