"""The page at ``/``."""

from flask import Blueprint


def blueprint() -> Blueprint:
    return Blueprint("web", __name__)
