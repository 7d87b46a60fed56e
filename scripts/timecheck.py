#!/usr/bin/env python3
"""Run the worker: expire texts and give codes back. The same as `python -m saver.worker`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from saver.worker import main

if __name__ == "__main__":
    main()
