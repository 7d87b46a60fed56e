"""Save and load in the real browsers, against the real service: one suite, two thin drivers.

``driver`` says what a test can do at a browser; ``chromium`` and ``firefox`` do it. ``user`` uses a
browser as a user does, ``relay`` is a network that can fail. Nothing sleeps: every expectation is
checked again until a deadline.
"""
