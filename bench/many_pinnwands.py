"""pinnwand as its own command runs it, but with several processes on one port.

Run by bench/peers with the Python of the competitors' environment: configuration, port, processes.
"""

import sys
import tomllib
from pathlib import Path

from tornado import httpserver, ioloop, netutil, process


def main() -> None:
    """Serve until SIGTERM."""
    config, port, processes = sys.argv[1:]
    sockets = netutil.bind_sockets(int(port), "127.0.0.1")
    # All else after the fork, so that no connection crosses it.
    process.fork_processes(int(processes), max_restarts=0)
    from pinnwand import configuration  # noqa: PLC0415

    for name, value in tomllib.loads(Path(config).read_text()).items():
        setattr(configuration, name, value)
    from pinnwand import utility  # noqa: PLC0415
    from pinnwand.http import make_application  # noqa: PLC0415

    ioloop.PeriodicCallback(utility.async_reap, 1_800_000).start()
    httpserver.HTTPServer(make_application(), xheaders=True).add_sockets(sockets)
    ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main()
