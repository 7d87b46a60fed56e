"""The texts for the extension stores agree with the extension, and fit into the stores' fields."""

from __future__ import annotations

import json
import re
import struct
from typing import Any

import pytest
from _scenes import HEADLINES, SHOTS

from saver.web.languages import LANGUAGES
from tests.support.server import ROOT

EXTENSION = ROOT / "extension"
STORES = ROOT / "docs" / "stores"
# The browsers' names, where they differ from ours.
FOLDERS = {"pt-BR": "pt_BR", "zh-Hans": "zh_CN", "zh-Hant": "zh_TW"}
MANIFEST: dict[str, Any] = json.loads((EXTENSION / "manifest.json").read_text("utf-8"))
PERMISSIONS = {*MANIFEST["permissions"], *MANIFEST["optional_permissions"]}
# Limits in characters, of the Chrome Web Store, and of AMO for the last two.
MAX_TITLE, MAX_DESCRIPTION, MAX_LISTING, MAX_AMO_TITLE, MAX_AMO_SUMMARY = 75, 132, 16_000, 50, 250
MAX_PICTURES = 2_500_000


def messages(language: str) -> dict[str, str]:
    """The name and description in the manifest, in a language."""
    found = json.loads(
        (EXTENSION / "_locales" / FOLDERS.get(language, language) / "messages.json").read_text("utf-8")
    )
    return {name: entry["message"] for name, entry in found.items()}


def sections(name: str, mark: str = "##") -> dict[str, str]:
    """The parts of a page, by their headings of one level."""
    _, *parts = re.split(rf"^{mark} ", (STORES / name).read_text("utf-8"), flags=re.MULTILINE)
    return {heading.strip(): body.strip() for heading, _, body in (part.partition("\n") for part in parts)}


def size_of(image: bytes) -> tuple[int, ...]:
    """Width and height of a PNG."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", image[16:24])


def test_every_language_of_the_manifest_is_listed() -> None:
    folders = {FOLDERS.get(language, language) for language in LANGUAGES}
    assert {path.name for path in (EXTENSION / "_locales").iterdir()} == folders
    listings = {path.name for path in STORES.glob("listing.*.md")}
    assert listings == {f"listing.{language}.md" for language in LANGUAGES}
    assert all(messages(language)["lang"] == language for language in LANGUAGES)
    page = (ROOT / "docs" / "translations.md").read_text("utf-8")
    assert re.findall(r"`([\w-]+)\.json` \|", page)[:2] == ["en", "ko"]
    assert set(re.findall(r"`([\w-]+)\.json` \|", page)) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_listing_says_what_the_manifest_says(language: str) -> None:
    listing, said = sections(f"listing.{language}.md"), messages(language)
    assert listing["Title"] == said["name"]
    # The store reads it from the manifest.
    assert listing["Summary, Chrome Web Store"] == said["description"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_listed_fits(language: str) -> None:
    listing, said = sections(f"listing.{language}.md"), messages(language)
    assert 0 < len(said["name"]) <= min(MAX_TITLE, MAX_AMO_TITLE)
    assert 0 < len(said["description"]) <= MAX_DESCRIPTION
    assert 0 < len(listing["Summary, AMO"]) <= MAX_AMO_SUMMARY
    assert 0 < len(listing["Description"]) <= MAX_LISTING


def test_every_permission_has_its_reason_and_no_reason_is_left_over() -> None:
    reasons = sections("disclosure.md", "###")
    of_none = {"Host permissions", "Remote code"}
    assert set(reasons) == PERMISSIONS | of_none
    assert all(len(reasons[name]) > 50 for name in PERMISSIONS)
    assert not {"host_permissions", "optional_host_permissions", "content_scripts"} & set(MANIFEST)


def test_every_permission_is_in_the_page_about_the_extension() -> None:
    page = (ROOT / "docs" / "extension.md").read_text("utf-8").partition("## Permissions")[2]
    table = page.partition("\n\n**")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == PERMISSIONS


def test_the_data_that_is_declared_is_disclosed() -> None:
    declared = MANIFEST["browser_specific_settings"]["gecko"]["data_collection_permissions"]
    amo = sections("disclosure.md")["Data: AMO"].partition("is not declared")[0]
    for name in declared["required"]:
        assert f"`{name}`" in amo
    assert set(declared) == {"required"}


def test_the_operator_has_a_place_in_the_policy() -> None:
    assert len(re.findall(r"\*\[OPERATOR: ", (STORES / "privacy.md").read_text("utf-8"))) >= 4


def test_the_pictures_are_those_that_are_made_and_have_their_size() -> None:
    found = {path.name: path.read_bytes() for path in (STORES / "screenshots").iterdir()}
    assert set(found) == {shot.name for shot in SHOTS}
    assert {size_of(image) for image in found.values()} == {(1280, 800)}
    assert sum(map(len, found.values())) < MAX_PICTURES
    # The Chrome Web Store accepts five for each language.
    assert {sum(shot.language == language for shot in SHOTS) for language in HEADLINES} == {5}


def test_the_icons_have_their_sizes() -> None:
    for size, name in MANIFEST["icons"].items():
        assert size_of((EXTENSION / name).read_bytes()) == (int(size), int(size))


@pytest.mark.parametrize("page", ["extension.md", "stores/README.md", "stores/disclosure.md"])
def test_every_file_that_is_linked_is_there(page: str) -> None:
    place = ROOT / "docs" / page
    for name in re.findall(r"\]\(([^)#:]+)[)#]", place.read_text("utf-8")):
        assert (place.parent / name).exists(), name


def test_every_file_that_reviewers_are_led_to_is_there() -> None:
    files = r"`((?:core|browser|ui|vendor)/[\w.-]+|(?:background|clipboard)\.js|service\.json)`"
    found = re.findall(files, (STORES / "reviewers.md").read_text("utf-8"))
    assert len(found) > 10
    for name in found:
        assert (EXTENSION / name).exists(), name
