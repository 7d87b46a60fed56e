"""What stands in a page that no browser has read."""

from __future__ import annotations

import re


def attribute(document: str, tag: str) -> str:
    """The content or address of the element whose tag begins so."""
    found = re.search(rf'<{tag} (?:content|href)="(.*?)"', document)
    assert found, tag
    return found[1]
