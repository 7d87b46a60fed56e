"""Save and load in the real browsers, against the real service: one suite, two thin drivers.

``driver`` says what a test can do at a browser; ``chromium`` and ``firefox`` do it. ``user`` uses a
browser as people do, ``relay`` is a network that can fail. Nothing here sleeps: what is to come is
waited for until a deadline.
"""
