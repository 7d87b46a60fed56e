"""The program ``saver`` for people. It imports nothing of the server's packages, so it starts at once."""
