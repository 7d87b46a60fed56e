"""The HTTP server under the app: a gunicorn worker that collects a request before a thread is taken.

Request line, headers and body of every connection are collected by one event loop, bounded in time
and in memory. The app runs in a thread only for requests that have arrived whole.
"""

from saver.server.worker import Worker as Worker
