"""Upgrades from an earlier version of saver, tried with its real program and its data."""
