"""Rules of the code base that import-linter's contracts in pyproject.toml cannot state.

They are read from the source with ``ast``, so that a rule also holds for code that no test runs.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import saver

PACKAGE = Path(__file__).resolve().parents[2] / "saver"
ENTRY_POINTS = {"worker", "serve"}
MAX_LINES = 250
# `environ` of a request is not the environment of the process.
PROCESS_ENVIRONMENT = re.compile(r"(?<!request\.)\b(environb?|getenv|putenv)\b")


def files() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 20
    return found


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import, also of those inside a function."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} has a relative import"
            yield from ((node.module or "", alias.name) for alias in node.names)


def simple_statements(path: Path) -> Iterator[str]:
    """The text of each statement that contains no other statement, without comments."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield ast.unparse(node)
        elif isinstance(node, ast.FunctionDef):
            values = [*node.args.defaults, *node.args.kw_defaults, *node.decorator_list]
            yield from (ast.unparse(value) for value in values if value)


def strings(path: Path) -> Iterator[str]:
    """Every string literal except docstrings."""
    tree = tree_of(path)
    expressions = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in expressions:
            yield node.value


def test_the_list_of_layers_names_every_module() -> None:
    named = set(re.findall(r"``(\w+)(?:\.wsgi)?``", saver.__doc__ or ""))
    assert {module_of(path) for path in files()} - {"__init__"} <= named


def test_only_the_store_knows_the_tables_of_codes_and_texts() -> None:
    # `app` needs the metadata, and `ops.health` the table of heartbeats.
    for path in files():
        if module_of(path) != "store":
            names = {name for module, name in imports(path) if module == "saver.database.tables"}
            assert not names & {"code", "text", "*"}, name_of(path)


def test_only_settings_reads_the_environment() -> None:
    for path in files():
        # The client starts without the packages that the settings need.
        if name_of(path) in {"settings/environment.py", "client/config.py"}:
            continue
        found = [line for line in simple_statements(path) if PROCESS_ENVIRONMENT.search(line)]
        if module_of(path) in ENTRY_POINTS:
            found = [line for line in found if not line.startswith("os.environ['TZ'] = ")]
        assert found == [], name_of(path)


def test_only_the_database_package_names_a_database() -> None:
    for path in files():
        found = [text for text in strings(path) if re.search("sqlite|postgres", text)]
        # A setting may say what its values look like.
        assert found == [] or module_of(path) in ("database", "settings"), name_of(path)
        keywords = {
            node.arg for node in ast.walk(tree_of(path)) if isinstance(node, ast.keyword) and node.arg
        }
        arguments = {word for word in keywords if word.startswith(("sqlite", "postgresql"))}
        assert not arguments or name_of(path) == "database/tables.py"


def test_time_comes_from_the_clock_that_was_passed_in() -> None:
    clocks = (
        r"\btime\.time(_ns)?\b|\b(datetime|date)\.(now|utcnow|today)\b|\bfunc\.(now|current_)|CURRENT_TIME"
    )
    for path in files():
        tree = tree_of(path)
        uses = re.findall(clocks, ast.unparse(tree))
        assert len(uses) == (1 if name_of(path) in {"app.py", "client/session.py"} else 0), name_of(path)
        assert not [name for module, name in imports(path) if (module, name) == ("time", "time")]


def errors_of(modules: set[str]) -> list[type[Exception]]:
    found = []
    for path in files():
        if modules & {module_of(path), name_of(path)}:
            module = importlib.import_module("saver." + name_of(path).removesuffix(".py").replace("/", "."))
            classes = [node.name for node in tree_of(path).body if isinstance(node, ast.ClassDef)]
            found_here = [getattr(module, name) for name in classes if "__init__" not in name_of(path)]
            found += [one for one in found_here if issubclass(one, Exception)]
    assert len(found) >= 8
    return found


@pytest.mark.parametrize(
    "error",
    errors_of(
        {"store", "texts", "seal", "key_deriver", "database/writer.py", "ratelimit", "receipts", "codes"}
    ),
    ids=lambda error: str(error.__name__),
)
def test_every_error_of_the_layers_below_has_an_answer(app: Flask, error: type[Exception]) -> None:
    handlers = app.error_handler_spec[None][None]
    assert [known for known in error.__mro__ if known in handlers and known is not Exception], (
        f"{error.__name__} would be a 500"
    )


def test_no_file_is_too_long() -> None:
    texts = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".html", ".css", ".js"}]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in texts}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
