"""The HTTP server under the app: a gunicorn worker that collects a request before a thread is taken.

One event loop collects the request line, headers and body of every connection, within limits of time and
memory. A thread runs the app only for a request that has arrived whole.
"""

from saver.server.worker import Worker as Worker
