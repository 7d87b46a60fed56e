"""The system software that Apache's tests need, and the message if it is missing."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

MODULES = Path("/usr/lib/apache2/modules")
_SYSTEM_PYTHON = Path("/usr/bin/python3")
_CAPABILITY = "dac_override"
_HINT = "./scripts/test installs what is missing, or says the command that does"


def apache2() -> str:
    """Apache's program."""
    found = shutil.which("apache2", path="/usr/sbin:/usr/bin")
    return found or pytest.fail(f"there is no apache2; {_HINT}")


def module(name: str) -> Path:
    """The file of one of Apache's modules."""
    file = MODULES / f"mod_{name}.so"
    return file if file.is_file() else pytest.fail(f"there is no {file}; {_HINT}")


def environment() -> Path:
    """The virtual environment for mod_wsgi: of the Python that the module is linked with.

    With another one it would run a mixture of two Pythons, which may even look well.
    """
    linked = subprocess.run(["ldd", module("wsgi")], capture_output=True, text=True, check=True).stdout
    wanted = re.search(r"libpython(\d+\.\d+)", linked)
    for folder in (Path(sys.prefix), ROOT / ".venv-apache"):
        python = folder / "bin" / "python"
        if python.exists() and python.samefile(_SYSTEM_PYTHON):
            assert wanted, f"mod_wsgi.so is linked with no libpython:\n{linked}"
            assert python.resolve().name == f"python{wanted[1]}", f"{python} is not {wanted[0]}"
            return folder
    return pytest.fail(f"no virtual environment is made from {_SYSTEM_PYTHON}; {_HINT}")


def user() -> tuple[str, str]:
    """The user and group of Apache: nobody if root runs the tests, because Apache refuses root."""
    if os.geteuid() == 0:
        return "nobody", "nogroup"
    return pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


def as_user(command: list[str]) -> list[str]:
    """A command as that user, who may read the checkout even in root's home."""
    if os.geteuid() != 0:
        return command
    name, group = user()
    capabilities = [f"--inh-caps=-all,+{_CAPABILITY}", f"--ambient-caps=-all,+{_CAPABILITY}"]
    # mod_wsgi looks for the environment with access(2), which ignores capabilities of a user other than root.
    capabilities.append("--securebits=+no_setuid_fixup")
    return ["setpriv", f"--reuid={name}", f"--regid={group}", "--clear-groups", *capabilities, *command]
