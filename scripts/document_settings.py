"""Write docs/settings.md from ``saver.settings.Settings``.

Run it in the clone: ``.venv/bin/python -m scripts.document_settings``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from saver.settings.fields import Settings, variable_names
from saver.settings.types import Unit

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_HEAD = """\
# Settings

<!-- Made by scripts/document_settings.py from saver/settings; do not edit. -->

Settings are environment variables, or lines in the file `.env` of the clone.
The environment wins.
Without a clone, [package.md](package.md) says where `.env` is and where relative paths begin.
`SAVER_ENV_FILE` names another file; an empty `SAVER_ENV_FILE` means no file.
The service does not start with an unknown name or a wrong value: it names every fault.

| setting | default | unit | meaning |
|---|---|---|---|
"""
_FORMER = """
## Former names

These names still work.
Where both names of a setting are given they must have the same value.

| former name | setting |
|---|---|
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "".join([_HEAD, *_rows(), _FORMER, *_former_names()])


def _rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        default = _shown(field.default)
        unit = next((one.name for one in field.metadata if isinstance(one, Unit)), "")
        shown = f"`{default}`" if default else ""
        yield f"| `{variable_names(name)[0]}` | {shown} | {unit} | {field.description} |\n"


def _former_names() -> Iterator[str]:
    for field in Settings.model_fields:
        name, *former = variable_names(field)
        yield from (f"| `{old}` | `{name}` |\n" for old in former)


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return "" if default is None else str(getattr(default, "get_secret_value", lambda: default)())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
