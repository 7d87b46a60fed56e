"""Node for the tests: the same one that ``scripts/test`` uses."""

from __future__ import annotations

import sys
from pathlib import Path

from _node import node_of

NODE = node_of(Path(sys.executable))
