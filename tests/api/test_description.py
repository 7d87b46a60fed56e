"""What openapi.json says is what the service does."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver.version import __version__


def links(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every link, by the operation whose answer it is in."""
    for [operation] in (path.values() for path in described["paths"].values()):
        for answer in operation["responses"].values():
            yield from ((operation["operationId"], link) for link in answer.get("links", {}).values())


def body_of(link: dict[str, Any], request: dict[str, object], answer: dict[str, object]) -> dict[str, object]:
    """The body of the next request, made by the link's expressions."""
    places = {"$request.body#/": request, "$response.body#/": answer}

    def value(said: object) -> object:
        for start, place in places.items():
            if str(said).startswith(start):
                return place[str(said).removeprefix(start)]
        return said

    return {name: value(said) for name, said in link["x-requestBody"].items()}


def test_each_link_leads_on(client: FlaskClient) -> None:
    by_source: dict[str, list[dict[str, Any]]] = {}
    described = client.get("/api/v1/openapi.json").json
    assert described is not None
    for source, link in links(described):
        by_source.setdefault(source, []).append(link)
    assert [link["operationId"] for link in by_source["write"]] == ["load", "status", "extend", "delete"]
    [ack] = by_source["load"]
    asked: dict[str, object] = {"text": "x", "once": True}
    written = client.post("/api/v1/write", json=asked).json
    assert written is not None
    for link in by_source["write"][1:]:
        answer = client.post(f"/api/v1/{link['operationId']}", json=body_of(link, asked, written))
        assert answer.status_code in (200, 204), link
    written = client.post("/api/v1/write", json=asked).json
    assert written is not None
    asked = {**body_of(by_source["write"][0], asked, written), "claim": str(UUID(int=1))}
    loaded = client.post("/api/v1/load", json=asked)
    assert loaded.status_code == 200
    assert loaded.json is not None
    assert (
        client.post(f"/api/v1/{ack['operationId']}", json=body_of(ack, asked, loaded.json)).status_code == 204
    )


def test_the_description_is_openapi_3_1_and_complete(client: FlaskClient) -> None:
    described = client.get("/api/v1/openapi.json").json
    assert described["openapi"].startswith("3.1")
    assert described["info"]["version"] == __version__
    routes = {
        str(rule) for rule in client.application.url_map.iter_rules() if str(rule).startswith("/api/v1/")
    }
    assert set(described["paths"]) == routes - {"/api/v1/openapi.json"}
    names = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    texts = ["write", "load", "ack", "status", "extend", "delete", "limits"]
    messages = ["open", "offer", "join", "answer", "poll", "confirm", "deliver", "close"]
    assert names == [*texts, *(f"live_{message}" for message in messages)]
    fields = described["components"]["schemas"]["WriteRequest"]
    assert set(fields["properties"]) == {"text", "expires_in", "password", "proof", "once"}
    assert fields["additionalProperties"] is False


def test_what_may_be_left_out_has_its_plain_type_and_no_default(client: FlaskClient) -> None:
    schemas = client.get("/api/v1/openapi.json").json["components"]["schemas"]
    for name, schema in schemas.items():
        for field, described in schema["properties"].items():
            assert "default" not in described, (name, field)
            # These are the only fields that are null while their value is not known.
            is_null = (name, field) == ("StatusAnswer", "first_loaded_at")
            is_null |= name == "Polled" and field != "state"
            assert ("anyOf" in described) == is_null
    assert schemas["WriteRequest"]["required"] == ["text"]
    assert schemas["LoadRequest"]["required"] == ["code"]
    assert schemas["ProblemDocument"]["required"] == ["type", "title", "status"]


def test_null_is_taken_for_a_field_that_is_left_out(client: FlaskClient) -> None:
    nothing = {"expires_in": None, "password": None, "proof": None}
    written = client.post("/api/v1/write", json={"text": "x", **nothing})
    assert written.status_code == 201
    asked = {"code": written.json["code"], "password": None, "proof": None, "claim": None}
    assert client.post("/api/v1/load", json=asked).status_code == 200


def test_lives_and_sizes_are_those_of_the_settings(make_app: Callable[..., Flask]) -> None:
    changed = {
        "min_expires_in": 30,
        "default_expires_in": 40,
        "max_expires_in": 50,
        "max_expires_in_sealed": 90,
    }
    app = make_app(
        **changed, max_text_bytes=1_000, terms_url="https://example.org/terms", contact="abuse desk"
    )
    described = app.test_client().get("/api/v1/openapi.json").json
    for model in ("WriteRequest", "ExtendRequest"):
        life = described["components"]["schemas"][model]["properties"]["expires_in"]
        assert (life["minimum"], life["maximum"]) == (30, 90)
        assert "40" in life["description"]
        assert "50" in life["description"]
    write = described["paths"]["/api/v1/write"]["post"]
    life = next(one["schema"] for one in write["parameters"] if one["name"] == "expires_in")
    assert (life["minimum"], life["maximum"]) == (30, 50)
    assert write["requestBody"]["content"]["text/plain"]["schema"]["maxLength"] == 1_000
    assert described["info"]["contact"]["name"] == "abuse desk"
    assert described["info"]["termsOfService"] == "https://example.org/terms"


def test_the_longest_sealed_text_is_as_long_as_is_said(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_text_bytes=1_000).test_client()
    described = client.get("/api/v1/openapi.json").json
    longest = described["components"]["schemas"]["WriteRequest"]["properties"]["text"]["maxLength"]
    header = b'{"alg":"dir","enc":"A256GCM","kdf":{"name":"PBKDF2-SHA256","iterations":600000,"salt":"%s"}}'
    parts = [header % (b"A" * 22), b"", bytes(12), bytes(1_000), bytes(16)]
    jwe = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    asked = {"text": jwe, "proof": "A" * 43}
    assert client.post("/api/v1/write", json=asked).status_code == 201
    assert len(jwe) - len(jwe.partition(".")[0]) + 512 == longest


@pytest.mark.parametrize("said", ["3600.0", "36e2", "3600"])
def test_a_whole_number_is_one_in_every_way_that_json_writes_it(client: FlaskClient, said: str) -> None:
    answer = client.post(
        "/api/v1/write", data=f'{{"text": "x", "expires_in": {said}}}', content_type="application/json"
    )
    assert (answer.status_code, answer.json["expires_at"]) == (201, "2027-01-15T09:00:00Z")


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("3600.5", "must be a whole number"),
        ("1e400", "must be a whole number"),
        ("true", "must be a whole number"),
        ('"3600"', "must be a whole number"),
        ("1e300", "must be 60 to 86400 seconds, with a password to 2592000"),
    ],
)
def test_and_nothing_else_is_one(client: FlaskClient, said: str, rule: str) -> None:
    answer = client.post(
        "/api/v1/write", data=f'{{"text": "x", "expires_in": {said}}}', content_type="application/json"
    )
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": "/expires_in", "detail": rule}]


@pytest.mark.parametrize("last", "AEIMQUYcgkosw048BCDFabdxyz123579-_=+/")
def test_a_proof_is_what_its_pattern_says(client: FlaskClient, last: str) -> None:
    described = client.get("/api/v1/openapi.json").json
    pattern = described["components"]["schemas"]["LoadRequest"]["properties"]["proof"]["pattern"]
    proof = "A" * 42 + last
    answer = client.post("/api/v1/load", json={"code": "aaaa", "proof": proof})
    assert answer.status_code == (404 if re.search(pattern, proof) else 422)


def test_password_and_proof_exclude_each_other(client: FlaskClient) -> None:
    described = client.get("/api/v1/openapi.json").json
    for model in ("WriteRequest", "LoadRequest"):
        assert described["components"]["schemas"][model]["not"]["required"] == ["password", "proof"]


@pytest.mark.parametrize("place", ["https://example.org", "https://example.org/memo"])
def test_the_address_of_the_server_is_right_below_a_path_too(client: FlaskClient, place: str) -> None:
    [server] = client.get("/api/v1/openapi.json").json["servers"]
    assert urljoin(f"{place}/api/v1/openapi.json", f"{server['url']}/api/v1/write") == f"{place}/api/v1/write"


def test_limits_answers_other_methods_as_is_said(client: FlaskClient) -> None:
    described = client.get("/api/v1/openapi.json").json
    assert set(described["paths"]["/api/v1/limits"]["get"]["responses"]) == {"200", "405"}
    refused = client.post("/api/v1/limits", json={})
    assert (refused.status_code, "GET" in refused.headers["Allow"]) == (405, True)
    assert set(described["components"]["responses"]["Problem405"]["headers"]) == {"Allow"}
