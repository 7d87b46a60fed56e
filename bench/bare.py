"""The bare routes: what the server and Flask cost by themselves, with the settings of scripts/serve.

`python -m bench.bare` prints its address and serves until SIGTERM.
"""

from __future__ import annotations

import socket
from typing import Any

from flask import Flask, request

from bench.common import TEXT
from saver.serve import _BACKLOG, _Server
from saver.settings import Settings


def bare_app() -> Flask:
    """Two routes that parse JSON and answer JSON of the app's sizes, and do nothing else."""
    app = Flask("bare", static_folder=None)

    @app.post("/api/v1/write")
    def write() -> tuple[dict[str, Any], int]:
        given = request.get_json()
        assert given["text"]
        return {"code": "wUrp", "expires_at": "2030-01-01T00:00:00Z", "owner_token": "a" * 22}, 201

    @app.post("/api/v1/load")
    def load() -> dict[str, Any]:
        given = request.get_json()
        assert given["code"]
        return {"text": TEXT, "expires_at": "2030-01-01T00:00:00Z"}

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}

    return app


class _Bare(_Server):
    def load(self) -> Flask:
        return bare_app()


def main() -> None:
    """Serve."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    descriptor = listener.detach()
    _Bare(Settings(_env_file=None), descriptor).run()


if __name__ == "__main__":
    main()
