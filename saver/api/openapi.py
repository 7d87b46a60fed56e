"""``/api/v1/openapi.json``: OpenAPI 3.1, generated from the models that validate."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from saver.api import door
from saver.api.schemas import (
    UUID_PATTERN,
    AckRequest,
    Extended,
    ExtendRequest,
    Limits,
    LoadRequest,
    OwnerRequest,
    ProblemDocument,
    StatusAnswer,
    TextAnswer,
    WriteRequest,
    Written,
)

_REF = "#/components/schemas/{model}"
_PROBLEM = "application/problem+json"
_REQUESTS = (WriteRequest, LoadRequest, AckRequest, OwnerRequest, ExtendRequest)
_ANSWERS = (Written, TextAnswer, StatusAnswer, Extended, Limits, ProblemDocument)

_TEXT_PLAIN = {"text/plain": {"schema": {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]*$"}}}
_EXPIRES_IN = {
    "name": "expires_in",
    "in": "query",
    "required": False,
    "description": "for text/plain: life in whole seconds",
    "schema": {"type": "integer", "minimum": 1},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a UUID; the same key and request get the same answer and one lease",
    "schema": {"type": "string", "format": "uuid", "pattern": UUID_PATTERN},
}
_DEEDS: dict[str, tuple[str, type[BaseModel], int, type[BaseModel] | None]] = {
    "load": ("Give a text", LoadRequest, 200, TextAnswer),
    "ack": ("A one-time text has arrived", AckRequest, 204, None),
    "status": ("The sender's receipt", OwnerRequest, 200, StatusAnswer),
    "extend": ("Let a text live longer", ExtendRequest, 200, Extended),
    "delete": ("End a text", OwnerRequest, 204, None),
}
_REASONS = {
    400: "not JSON or not UTF-8",
    404: "no text under this code, or the password is missing or wrong",
    409: "the same write is under way",
    411: "the length is missing",
    413: "too large",
    415: "unsupported media type",
    422: "against a rule",
    429: "a budget is spent; Retry-After says for how long",
    503: "not now; Retry-After says when",
}


def blueprint() -> Blueprint:
    """The route, to be registered with the app."""
    routes = Blueprint("openapi", __name__, url_prefix="/api/v1")
    described = description()
    routes.get("/openapi.json", endpoint="openapi")(lambda: _answer(described))
    return routes


def _answer(described: dict[str, object]) -> Response:
    return door.json_answer(described)


def description() -> dict[str, object]:
    """The API, as OpenAPI 3.1."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in _REQUESTS] + [(model, "serialization") for model in _ANSWERS],
        ref_template=_REF,
    )
    write = _post("Keep a text", WriteRequest, {201: Written}, plain_request=True, problems=_POST_PROBLEMS)
    write["parameters"] = [_EXPIRES_IN, _IDEMPOTENCY_KEY]
    write["responses"]["409"] = _problem(409)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "saver",
            "version": "1",
            "description": "Keep a text under a code of four letters; load it elsewhere.",
        },
        "paths": {
            "/api/v1/write": {"post": write},
            **{
                f"/api/v1/{deed}": {
                    "post": _post(summary, asked, {status: answer}, problems=(404, *_POST_PROBLEMS))
                }
                for deed, (summary, asked, status, answer) in _DEEDS.items()
            },
            "/api/v1/limits": {
                "get": {"summary": "Sizes and lifetimes", "responses": {"200": _json("the limits", Limits)}}
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }


_POST_PROBLEMS = (400, 411, 413, 415, 422, 429, 503)


def _post(
    summary: str,
    request: type[BaseModel],
    answers: dict[int, type[BaseModel] | None],
    *,
    problems: tuple[int, ...],
    plain_request: bool = False,
) -> dict[str, Any]:
    body = {"application/json": {"schema": _ref(request)}, **(_TEXT_PLAIN if plain_request else {})}
    responses: dict[str, Any] = {str(status): _json("done", model) for status, model in answers.items()}
    responses |= {str(status): _problem(status) for status in problems}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": responses,
    }


def _json(description: str, model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {"description": description}
    plain = _TEXT_PLAIN if model in (Written, TextAnswer) else {}
    return {"description": description, "content": {"application/json": {"schema": _ref(model)}, **plain}}


def _problem(status: int) -> dict[str, Any]:
    return {"description": _REASONS[status], "content": {_PROBLEM: {"schema": _ref(ProblemDocument)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
