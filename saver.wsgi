"""What Apache's mod_wsgi loads; gunicorn loads `saver:create_app()`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from saver import create_app  # noqa: E402

application = create_app()
