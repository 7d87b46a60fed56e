"""Parses a JSON body: one flat object with known fields, each of them once.

A body may break a rule hundreds of thousands of times, or contain as many values in one field. So the fields
are parsed one by one, and parsing stops after a few violations: parsing and listing all of them would take
seconds of processor time and hundreds of megabytes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from saver.api.body import UTF_16_HINT, looks_like_utf_16
from saver.api.problems import Problem, Violation, invalid, pointer, violations_of

MAX_VIOLATIONS = 5
# Extension 1.x may send some unknown fields.
MAX_FIELDS = 32
_MAX_DIGITS = 4_000
_BLANKS = " \t\n\r"
_BEGIN, _COLON, _COMMA, _END = (re.compile(f"[{_BLANKS}]*{token}[{_BLANKS}]*") for token in "{:,}")
# Stands for an array or an object, which is not parsed.
_NESTED = object()

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: bytes) -> Model:
    """Parse the body as a model. Raises Problem: 400 for no JSON, 422 with at most MAX_VIOLATIONS."""
    try:
        fields, violations = _known_fields(model, body.decode().removeprefix("\ufeff"))
    except ValueError:
        raise _not_json(body) from None
    try:
        instance = model.model_validate(fields)
    except ValidationError as error:
        raise _invalid_fields([*violations, *violations_of(error)]) from None
    if violations:
        raise _invalid_fields(violations)
    return instance


def _known_fields(model: type[BaseModel], text: str) -> tuple[dict[str, Any], list[Violation]]:
    """Return the known fields and the violations of names. Raises Problem and ValueError."""
    ignores_unknown = model.model_config.get("extra") != "forbid"
    fields: dict[str, Any] = {}
    violations: list[Violation] = []
    for count, (name, value) in enumerate(_pairs(text), 1):
        if count > MAX_FIELDS:
            raise _invalid_fields([*violations, ("", f"must have at most {MAX_FIELDS} fields")])
        if value is _NESTED:
            raise _invalid_fields([*violations, (pointer([name]), "must not be an array or an object")])
        if name in fields:
            violations.append((pointer([name]), "must be given only once"))
        elif name in model.model_fields:
            fields[name] = value
        elif not ignores_unknown:
            violations.append((pointer([name]), "is not a field of this request"))
        if len(violations) == MAX_VIOLATIONS:
            raise _invalid_fields(violations)
    return fields, violations


def _pairs(text: str) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the object up to the first nested value. Raises ValueError and Problem."""
    begin = _BEGIN.match(text)
    if not begin:
        _refuse_non_object(text)
    position = begin.end()
    end = _END.match(text, position)
    while not end:
        # Checked first: an array or an object instead of a name may be as deep as the body is long.
        if text[position : position + 1] != '"':
            raise ValueError("a name must be a string")
        name, position = _decoder.raw_decode(text, position)
        position = _skip(_COLON, text, position)
        if text[position : position + 1] in ("[", "{"):
            yield name, _NESTED
        value, position = _decoder.raw_decode(text, position)
        yield name, value
        end = _END.match(text, position)
        if not end:
            position = _skip(_COMMA, text, position)
    if end.end() != len(text):
        raise ValueError("something follows the object")


def _refuse_non_object(text: str) -> NoReturn:
    value = text.lstrip(_BLANKS)
    if not value.startswith("["):
        _decoder.decode(value)
    raise invalid(("", "must be a JSON object"))


def _skip(token: re.Pattern[str], text: str, position: int) -> int:
    match = token.match(text, position)
    if not match:
        raise ValueError("a token is missing")
    return match.end()


def _parse_int(digits: str) -> int:
    # Python cannot parse more digits, and no field allows such a number.
    return int(digits) if len(digits) <= _MAX_DIGITS else sys.maxsize


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity, which Python takes, are not JSON")


_decoder = json.JSONDecoder(parse_int=_parse_int, parse_constant=_refuse_constant)


def _invalid_fields(violations: Iterable[Violation]) -> Problem:
    return invalid(*list(dict.fromkeys(violations))[:MAX_VIOLATIONS])


def _not_json(body: bytes) -> Problem:
    hint = UTF_16_HINT if looks_like_utf_16(body) else "Send one JSON object in UTF-8."
    return Problem(400, "not-json", "The body is not JSON.", detail=hint)
