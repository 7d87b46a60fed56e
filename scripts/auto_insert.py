#!/usr/bin/env python3
"""Fill the pool with every code that is nowhere yet.

The same as `flask --app saver pool fill`: it may be stopped, even by kill -9, and run again.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flask.cli import FlaskGroup

from saver import create_app

if __name__ == "__main__":
    FlaskGroup(create_app=create_app, load_dotenv=False).main(["pool", "fill"])
