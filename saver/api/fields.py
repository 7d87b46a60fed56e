"""The fields of a JSON body: one object, known fields only, each of them once.

A body may hold hundreds of thousands of faults. Only the first few are looked for:
a list of all of them costs seconds of processor time and hundreds of megabytes.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from saver.api.body import UTF_16_HINT, looks_like_utf_16
from saver.api.problems import Fault, Problem, faults_of, invalid, pointer

MAX_FAULTS = 5
# Requests have no objects inside; a few are read so that the field they stand in can be named.
_MAX_OBJECTS = 8
_MAX_DIGITS = 4_000

Model = TypeVar("Model", bound=BaseModel)
Pairs = list[tuple[str, Any]]


class _Object(list[tuple[str, Any]]):
    """A JSON object as its (name, value) pairs, so that a name that comes twice is seen."""


def parse(model: type[Model], body: bytes) -> Model:
    """The body as a model. Raises Problem: 400 if it is not JSON, 422 with at most MAX_FAULTS faults."""
    given = _read(body)
    if not isinstance(given, _Object):
        raise invalid(("", "must be a JSON object"))
    fields, faults = _known(model, given)
    if len(faults) < MAX_FAULTS:
        try:
            found = model.model_validate(fields)
        except ValidationError as error:
            faults += faults_of(error)
        else:
            if not faults:
                return found
    raise invalid(*list(dict.fromkeys(faults))[:MAX_FAULTS])


def _known(model: type[BaseModel], given: Pairs) -> tuple[dict[str, Any], list[Fault]]:
    """The fields that the model has, and what is wrong with the names."""
    ignores = model.model_config.get("extra") != "forbid"
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in given:
        if name in fields:
            faults.append((pointer([name]), "must be given only once"))
        elif name in model.model_fields:
            fields[name] = value
        elif not ignores:
            faults.append((pointer([name]), "is not a field of this request"))
        if len(faults) == MAX_FAULTS:
            break
    return fields, faults


def _read(body: bytes) -> object:
    try:
        text = body.decode("utf-8-sig")
        return _decoder().decode(text)
    except (ValueError, RecursionError):
        raise _not_json(body) from None


def _decoder() -> json.JSONDecoder:
    objects = 0

    def make_object(pairs: Pairs) -> _Object:
        nonlocal objects
        objects += 1
        if objects > _MAX_OBJECTS:
            raise invalid(("", "must not have objects inside"))
        return _Object(pairs)

    return json.JSONDecoder(
        object_pairs_hook=make_object, parse_int=_parse_int, parse_constant=_refuse_constant
    )


def _parse_int(digits: str) -> int:
    # Python refuses to read more, and no field takes a number as large as this one.
    return int(digits) if len(digits) <= _MAX_DIGITS else sys.maxsize


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity, which Python takes, are not JSON")


def _not_json(body: bytes) -> Problem:
    hint = UTF_16_HINT if looks_like_utf_16(body) else "Send one JSON object in UTF-8."
    return Problem(400, "not-json", "The body is not JSON.", detail=hint)
