"""``/api/v1/openapi.json``: OpenAPI 3.1, generated from the models that validate and from the settings."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from saver import seal
from saver.api.live_operations import LIVE_OPERATIONS
from saver.api.operations import OPERATIONS, PROBLEMS, TAGS, Operation
from saver.api.request_schemas import CODE_SCHEMA, UUID_PATTERN
from saver.api.response_schemas import ProblemDocument
from saver.api.responses import json_document
from saver.settings import Settings
from saver.version import __version__

_OPERATIONS = (*OPERATIONS, *LIVE_OPERATIONS)
_PROBLEM_TYPE = "application/problem+json"
_INFO = {
    "title": "saver",
    "version": __version__,
    "summary": "Keep a text under a code of four letters; load it elsewhere.",
    "description": (
        "Bodies are JSON in UTF-8; unknown fields are refused. Whatever is no success is a problem"
        " (RFC 9457), which never repeats what was sent. Below `/api/v1` fields and routes are only ever"
        " added: ignore what you do not know. There are no accounts: a code, and the password if there is"
        " one, is all that a reader needs. A slash at the end of a path may be there or not."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a UUID; the same key and request get the same answer and one lease",
    # Without `format`: generators would make it an object, which no HTTP library takes for a header.
    "schema": {"type": "string", "pattern": UUID_PATTERN},
}
_HEADERS = {
    "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}},
    "Allow": {"description": "the methods of this path", "schema": {"type": "string"}},
    "Accept-Post": {"description": "the media types that this path takes", "schema": {"type": "string"}},
}


class _PlainSchemas(GenerateJsonSchema):
    """What may be left out has its plain type and no default.

    Requests may also say null, as ever, which answers never do for a field that they leave out.
    Generators make a field with a default one that is always there.
    """

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = self.generate_inner(schema["schema"])
        if schema.get("default", ...) is None:
            [described] = [member for member in described["anyOf"] if member != {"type": "null"}]
        return described


def blueprint(settings: Settings) -> Blueprint:
    """The route, to be registered with the app."""
    routes = Blueprint("openapi", __name__, url_prefix="/api/v1")
    described = description(settings)
    routes.get("/openapi.json", endpoint="openapi")(lambda: json_document(described))
    return routes


def description(settings: Settings) -> dict[str, object]:
    """The API under these settings, as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": _info(settings),
        # Relative to where the document was loaded from, so that it also holds below a path.
        "servers": [{"url": "../..", "description": "the service that this document is from"}],
        "security": [],
        "tags": TAGS,
        "paths": {
            f"/api/v1/{operation.name}": {operation.method: _operation(operation, settings)}
            for operation in _OPERATIONS
        },
        "components": {
            "schemas": _schemas(settings),
            "responses": {_problem_name(status): _problem(status) for status in PROBLEMS},
            "headers": _HEADERS,
        },
    }


def _info(settings: Settings) -> dict[str, object]:
    contact = {"contact": {"name": settings.contact or "the operator of this service"}}
    return {**_INFO, **contact, **({"termsOfService": settings.terms_url} if settings.terms_url else {})}


def _schemas(settings: Settings) -> dict[str, Any]:
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ProblemDocument, "serialization")]
    modes += [(operation.request, "validation") for operation in _OPERATIONS if operation.request]
    modes += [(operation.response, "serialization") for operation in _OPERATIONS if operation.response]
    _, definitions = models_json_schema(
        modes,
        ref_template=_ref_to("schemas", "{model}")["$ref"],
        schema_generator=_PlainSchemas,
    )
    schemas: dict[str, Any] = definitions["$defs"]
    schemas["WriteRequest"]["properties"]["text"] |= {
        "description": f"at most {settings.max_text_bytes} bytes of UTF-8, NUL and lone surrogates refused;"
        " comes back exactly",
        # Of a sealed text, which is the longest that there is.
        "maxLength": seal.max_characters(settings.max_text_bytes),
    }
    for model in ("WriteRequest", "ExtendRequest"):
        schemas[model]["properties"]["expires_in"] |= _lifetime(
            settings.max_expires_in_sealed,
            settings,
            f"more than {settings.max_expires_in} with a password or a proof only",
        )
    return schemas


def _lifetime(max_seconds: int, settings: Settings, limit: str) -> dict[str, object]:
    summary = f"life in whole seconds; {limit}; {settings.default_expires_in} if a write leaves it out"
    return {"description": summary, "minimum": settings.min_expires_in, "maximum": max_seconds}


def _operation(operation: Operation, settings: Settings) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name.replace("/", "_"),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
    }
    if operation.name == "write":
        described["parameters"] = [_expires_in(settings), _IDEMPOTENCY_KEY]
    if operation.request:
        content = _content(operation.request, _plain_bodies(settings).get(operation.name))
        described["requestBody"] = {"required": True, "content": content}
    problems = {str(status): _ref_to("responses", _problem_name(status)) for status in operation.problems}
    return {**described, "responses": {str(operation.status): _success(operation, settings), **problems}}


def _expires_in(settings: Settings) -> dict[str, object]:
    life = _lifetime(settings.max_expires_in, settings, "only with a body of text/plain")
    return {
        "name": "expires_in",
        "in": "query",
        "required": False,
        "description": life.pop("description"),
        "schema": {"type": "integer", **life},
    }


def _plain_bodies(settings: Settings) -> dict[str, dict[str, Any]]:
    text = {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.max_text_bytes,
        "pattern": "^[^\\u0000]*$",
    }
    return {"write": text, "load": CODE_SCHEMA}


def _success(operation: Operation, settings: Settings) -> dict[str, Any]:
    response: dict[str, Any] = {"description": operation.success}
    if operation.response:
        plain = {"type": "string"} if operation.name in ("write", "load") else None
        response["content"] = _content(operation.response, plain)
    if operation.links:
        response["links"] = {name: _link(name, *link, settings) for name, link in operation.links.items()}
    return response


def _link(name: str, description: str, body: dict[str, object], settings: Settings) -> dict[str, object]:
    if name == "extend":
        body = {**body, "expires_in": settings.default_expires_in}
    # Not as `requestBody`: openapi-generator refuses a document where that is no string.
    return {"operationId": name, "description": description, "x-requestBody": body}


def _content(model: type[BaseModel], plain: dict[str, Any] | None) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref_to("schemas", model.__name__)}}
    return content | ({"text/plain": {"schema": plain}} if plain else {})


def _problem(status: int) -> dict[str, Any]:
    description, header = PROBLEMS[status]
    schema = _ref_to("schemas", ProblemDocument.__name__)
    described = {"description": description, "content": {_PROBLEM_TYPE: {"schema": schema}}}
    return described | ({"headers": {header: _ref_to("headers", header)}} if header else {})


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _ref_to(part: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{part}/{name}"}
