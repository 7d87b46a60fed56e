"""Live transfer: two computers that are awake at the same time hand over a text with four letters.

docs/live-transfer.md specifies it. This package is for clients: it knows nothing of the server.
"""
