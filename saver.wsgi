"""What Apache's mod_wsgi loads; gunicorn loads `saver:create_app()`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from saver import create_app  # noqa: E402
from saver.buffering import buffer_requests  # noqa: E402

application = create_app()
_settings = application.extensions["saver"].settings
buffer_requests(application, workers=_settings.threads, max_body_bytes=_settings.max_body_bytes)
