"""The house keeps its plan: who imports whom, and what may be done in one room only.

Read from the source with ``ast``, so that a rule also holds where no test runs.
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

HOUSE = Path(__file__).resolve().parents[2] / "saver"
ENTRY_POINTS = {"worker", "serve"}
ROOMS = {
    *(
        "settings",
        "secret",
        "codes",
        "seal",
        "key_deriver",
        "database",
        "store",
        "buffering",
        "redis_client",
        "receipts",
    ),
    *("ratelimit", "api", "web", "ops", "cli", "app", "service", "texts"),
}
MAY_IMPORT: dict[str, set[str]] = {
    "settings": set(),
    "secret": {"settings"},
    "codes": set(),
    "seal": set(),
    "key_deriver": {"seal"},
    "texts": set(),
    "service": {"settings", "codes", "seal", "texts", "store", "ratelimit"},
    "database": set(),
    "web": set(),
    "buffering": {"ratelimit"},
    "receipts": set(),
    "redis_client": set(),
    "store": {"texts", "codes", "seal", "key_deriver", "database", "receipts"},
    "ratelimit": {"settings"},
    "api": {
        "service",
        "texts",
        "ratelimit",
        "store",
        "codes",
        "seal",
        "key_deriver",
        "database",
        "ops",
        "receipts",
        "settings",
    },
    "ops": {"ratelimit", "database", "store", "codes"},
    "cli": {"codes", "store", "ops", "database"},
    "app": ROOMS - {"app"},
    "__init__": {"app"},
    "server": {"api", "ratelimit", "settings"},
    "worker": ROOMS,
    "serve": {*ROOMS, "server"},
}
# What a room must not know, by the beginning of a package's name.
FOREIGN = {
    "store": ("flask",),
    "database": ("flask",),
    "ops": ("flask",),
    "codes": ("flask", "sqlalchemy"),
    "seal": ("flask", "sqlalchemy"),
    "ratelimit": ("flask", "sqlalchemy"),
    "service": ("flask", "sqlalchemy", "werkzeug"),
    "settings": ("flask", "sqlalchemy"),
    "api": ("sqlalchemy", "flask_sqlalchemy", "sqlite3"),
    "web": ("sqlalchemy", "flask_sqlalchemy", "sqlite3"),
}
MOST_LINES = 300
# A request has an environment too, of its own.
OF_THE_PROCESS = re.compile(r"(?<!request\.)\b(environb?|getenv|putenv)\b")


def files() -> list[Path]:
    found = sorted(HOUSE.rglob("*.py"))
    assert len(found) > 20
    return found


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


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


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for module, name in imports(path):
        package, _, rest = module.partition(".")
        if package == "saver":
            found.add(rest.partition(".")[0] or name)
    return found - {room_of(path)}


def small_statements(path: Path) -> Iterator[str]:
    """Each statement that holds no other one, as text without its comments."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield ast.unparse(node)
        elif isinstance(node, ast.FunctionDef):
            given = [*node.args.defaults, *node.args.kw_defaults, *node.decorator_list]
            yield from (ast.unparse(value) for value in given if value)


def strings(path: Path) -> Iterator[str]:
    """Every string but the docstrings and those that stand alone."""
    tree = tree_of(path)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, "a new room: say in the plan whom it may import"
    assert rooms_imported(path) <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_a_room_knows_no_package_that_it_should_not(path: Path) -> None:
    banned = FOREIGN.get(room_of(path), ())
    known = {module.partition(".")[0] for module, _ in imports(path)}
    assert not [package for package in known if package.startswith(banned)] or not banned


def test_the_map_names_every_room() -> None:
    named = set(re.findall(r"``(\w+)(?:\.wsgi)?``", saver.__doc__ or ""))
    assert {room_of(path) for path in files()} - {"__init__"} <= named


def test_only_entry_points_use_the_composition_root() -> None:
    users = {room_of(path) for path in files() if "app" in rooms_imported(path)}
    assert users <= ENTRY_POINTS | {"__init__"}


def test_only_the_store_knows_the_tables_of_codes_and_texts() -> None:
    # The composition root needs the metadata, and readiness has a table of its own.
    for path in files():
        if room_of(path) != "store":
            names = {name for module, name in imports(path) if module == "saver.database.tables"}
            assert not names & {"code", "text", "*"}, name_of(path)


def test_only_settings_reads_the_environment() -> None:
    for path in files():
        if name_of(path) == "settings/environment.py":
            continue
        found = [line for line in small_statements(path) if OF_THE_PROCESS.search(line)]
        if room_of(path) in ENTRY_POINTS:
            found = [line for line in found if not line.startswith("os.environ['TZ'] = ")]
        assert found == [], name_of(path)


def test_only_the_database_package_names_a_database() -> None:
    for path in files():
        found = [text for text in strings(path) if re.search("sqlite|postgres", text)]
        # A setting may say what its values look like.
        assert found == [] or room_of(path) in ("database", "settings"), name_of(path)
        keywords = {
            node.arg for node in ast.walk(tree_of(path)) if isinstance(node, ast.keyword) and node.arg
        }
        spoken = {word for word in keywords if word.startswith(("sqlite", "postgresql"))}
        assert not spoken or name_of(path) == "database/tables.py"


def test_time_comes_from_the_clock_that_was_handed_in() -> None:
    # What `limits` asks of a storage has no room for a clock.
    of_limits = {"incr", "get", "get_expiry", "clear"}
    clocks = (
        r"\btime\.time(_ns)?\b|\b(datetime|date)\.(now|utcnow|today)\b|\bfunc\.(now|current_)|CURRENT_TIME"
    )
    for path in files():
        tree = tree_of(path)
        if name_of(path) == "ratelimit/mapped_file.py":
            excepted = [node for node in ast.walk(tree) if getattr(node, "name", "") in of_limits]
            for node in excepted:
                node.body = [ast.Pass()]
        uses = re.findall(clocks, ast.unparse(tree))
        assert len(uses) == (1 if name_of(path) == "app.py" else 0), name_of(path)
        assert not [name for module, name in imports(path) if (module, name) == ("time", "time")]


def errors_of(services: set[str]) -> list[type[Exception]]:
    found = []
    for path in files():
        if services & {room_of(path), name_of(path)}:
            module = importlib.import_module("saver." + name_of(path).removesuffix(".py").replace("/", "."))
            classes = [node.name for node in tree_of(path).body if isinstance(node, ast.ClassDef)]
            made = [getattr(module, name) for name in classes if "__init__" not in name_of(path)]
            found += [one for one in made if issubclass(one, Exception)]
    assert len(found) >= 8
    return found


@pytest.mark.parametrize(
    "error",
    errors_of({"store", "texts.py", "seal", "database/writer.py", "ratelimit", "receipts", "codes"}),
    ids=lambda error: str(error.__name__),
)
def test_every_error_of_the_rooms_has_an_answer(app: Flask, error: type[Exception]) -> None:
    handlers = app.error_handler_spec[None][None]
    assert [known for known in error.__mro__ if known in handlers and known is not Exception], (
        f"{error.__name__} would be a 500"
    )


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    texts = [path for path in HOUSE.rglob("*") if path.suffix in {".py", ".html", ".css", ".js"}]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in texts}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
