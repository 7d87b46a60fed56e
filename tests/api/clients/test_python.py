"""Two generated Python clients: openapi-python-client's, and the one of openapi-generator."""

from __future__ import annotations

import compileall
import importlib
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.server import Server

TEXT = "한국어 text\r\n"
pytestmark = pytest.mark.usefixtures("packages")


@pytest.mark.parametrize("package", ["by_python", "by_java"])
def test_it_compiles(generated: Path, package: str) -> None:
    assert compileall.compile_dir(generated / package, quiet=1)


class ByPython:
    """What openapi-python-client makes: a module for each operation, a class for each model."""

    def __init__(self, url: str) -> None:
        client = importlib.import_module("by_python").Client(url)
        # One client for all calls: every new client opens new connections.
        self.client = client

    def call(self, name: str, model: str, **fields: object) -> Any:
        """The status and the JSON of the answer."""
        request = getattr(importlib.import_module("by_python.models"), model)(**fields)
        return self._module(name).sync_detailed(client=self.client, body=request)

    def write_again(self, key: str, **fields: object) -> Any:
        request = importlib.import_module("by_python.models").WriteRequest(**fields)
        return self._module("write").sync_detailed(client=self.client, body=request, idempotency_key=key)

    def limits(self) -> Any:
        return importlib.import_module("by_python.api.service.limits").sync(client=self.client)

    @staticmethod
    def _module(name: str) -> ModuleType:
        return importlib.import_module(f"by_python.api.texts.{name}")


def test_openapi_python_client(live_server: Server) -> None:
    client = ByPython(live_server.url)
    key = str(uuid.uuid4())
    first, second = (client.write_again(key, text=TEXT, expires_in=600) for _ in range(2))
    assert (first.status_code, first.parsed) == (201, second.parsed)
    owner = {"code": first.parsed.code, "owner_token": first.parsed.owner_token}
    assert client.call("load", "LoadRequest", code=owner["code"]).parsed.text == TEXT
    assert client.call("status", "OwnerRequest", **owner).parsed.state.value == "loaded"
    longer = client.call("extend", "ExtendRequest", **owner, expires_in=1_200).parsed
    assert longer.expires_at > first.parsed.expires_at
    assert client.call("delete", "OwnerRequest", **owner).status_code == 204
    gone = client.call("load", "LoadRequest", code=owner["code"]).parsed
    assert (gone.type_, gone.errors) == (
        "urn:saver:problem:no-text",
        importlib.import_module("by_python.types").UNSET,
    )
    once = client.call("write", "WriteRequest", text=TEXT, once=True).parsed
    reader = {"code": once.code, "claim": uuid.uuid4()}
    assert client.call("load", "LoadRequest", **reader).parsed.once is True
    assert client.call("ack", "AckRequest", **reader).status_code == 204
    assert client.limits().expires_in.min_ == 60


def test_openapi_generator(live_server: Server) -> None:
    made = importlib.import_module("by_java")
    configuration = made.Configuration()
    assert configuration.host == live_server.url, "what the document says of the server's address"
    with made.ApiClient(configuration) as connection:
        texts, service = made.TextsApi(connection), made.ServiceApi(connection)
        key, request = str(uuid.uuid4()), made.WriteRequest(text=TEXT, expires_in=600)
        first, second = (texts.write(request, idempotency_key=key) for _ in range(2))
        assert first == second
        owner = {"code": first.code, "owner_token": first.owner_token}
        assert texts.load(made.LoadRequest(code=first.code)).text == TEXT
        assert texts.status(made.OwnerRequest(**owner)).state == "loaded"
        longer = texts.extend(made.ExtendRequest(**owner, expires_in=1_200))
        assert longer.expires_at > first.expires_at
        texts.delete(made.OwnerRequest(**owner))
        with pytest.raises(made.exceptions.NotFoundException) as refused:
            texts.load(made.LoadRequest(code=first.code))
        assert refused.value.data.type == "urn:saver:problem:no-text"
        once = texts.write(made.WriteRequest(text=TEXT, once=True))
        reader = {"code": once.code, "claim": str(uuid.uuid4())}
        assert texts.load(made.LoadRequest(**reader)).once is True
        texts.ack(made.AckRequest(**reader))
        assert service.limits().expires_in.min == 60
