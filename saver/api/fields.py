"""Parses a JSON body: one flat object with known fields, each of them once.

A body may contain hundreds of thousands of faults, or as many values in one field. So the fields are parsed
one by one, and parsing stops after a few faults: parsing and listing all of them would take seconds of
processor time and hundreds of megabytes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from saver.api.body import UTF_16_HINT, looks_like_utf_16
from saver.api.problems import Fault, Problem, faults_of, invalid, pointer

MAX_FAULTS = 5
# Extension 1.x may send some unknown fields.
MAX_FIELDS = 32
_MAX_DIGITS = 4_000
_BLANKS = re.compile("[ \t\n\r]*")
# Stands for an array or an object, which is not parsed.
_NESTED = object()

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: bytes) -> Model:
    """Parse the body as a model. Raises Problem: 400 for no JSON, 422 with at most MAX_FAULTS faults."""
    try:
        fields, faults = _known(model, body.decode("utf-8-sig"))
    except ValueError:
        raise _not_json(body) from None
    try:
        found = model.model_validate(fields)
    except ValidationError as error:
        raise _refusal([*faults, *faults_of(error)]) from None
    if faults:
        raise _refusal(faults)
    return found


def _known(model: type[BaseModel], text: str) -> tuple[dict[str, Any], list[Fault]]:
    """Return the known fields and the faults of names. Raises Problem and ValueError."""
    ignores = model.model_config.get("extra") != "forbid"
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for count, (name, value) in enumerate(_pairs(text), 1):
        if count > MAX_FIELDS:
            raise _refusal([*faults, ("", f"must have at most {MAX_FIELDS} fields")])
        if value is _NESTED:
            raise _refusal([*faults, (pointer([name]), "must not be an array or an object")])
        if name in fields:
            faults.append((pointer([name]), "must be given only once"))
        elif name in model.model_fields:
            fields[name] = value
        elif not ignores:
            faults.append((pointer([name]), "is not a field of this request"))
        if len(faults) == MAX_FAULTS:
            raise _refusal(faults)
    return fields, faults


def _pairs(text: str) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the object up to the first nested value. Raises ValueError and Problem."""
    place = _blanks(text, 0)
    if text[place : place + 1] != "{":
        _refuse_other(text, place)
    place = _blanks(text, place + 1)
    ends = text[place : place + 1] == "}"
    while not ends:
        # Checked first: an array or an object instead of a name may be as deep as the body is long.
        if text[place : place + 1] != '"':
            raise ValueError("a name must be a string")
        name, place = _decoder.raw_decode(text, place)
        place = _after(text, place, ":")
        if text[place : place + 1] in ("[", "{"):
            yield name, _NESTED
        value, place = _decoder.raw_decode(text, place)
        yield name, value
        place = _blanks(text, place)
        ends = text[place : place + 1] == "}"
        if not ends:
            place = _after(text, place, ",")
    if _blanks(text, place + 1) != len(text):
        raise ValueError("something follows the object")


def _refuse_other(text: str, place: int) -> NoReturn:
    if text[place : place + 1] != "[":
        _decoder.raw_decode(text, place)
    raise invalid(("", "must be a JSON object"))


def _after(text: str, place: int, sign: str) -> int:
    place = _blanks(text, place)
    if text[place : place + 1] != sign:
        raise ValueError("a sign is missing")
    return _blanks(text, place + 1)


def _blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _parse_int(digits: str) -> int:
    # Python cannot parse more digits, and no field allows such a number.
    return int(digits) if len(digits) <= _MAX_DIGITS else sys.maxsize


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity, which Python takes, are not JSON")


_decoder = json.JSONDecoder(parse_int=_parse_int, parse_constant=_refuse_constant)


def _refusal(faults: Iterable[Fault]) -> Problem:
    return invalid(*list(dict.fromkeys(faults))[:MAX_FAULTS])


def _not_json(body: bytes) -> Problem:
    hint = UTF_16_HINT if looks_like_utf_16(body) else "Send one JSON object in UTF-8."
    return Problem(400, "not-json", "The body is not JSON.", detail=hint)
