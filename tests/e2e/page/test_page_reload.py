"""A reload: what the page still knows after it, and what it must not know."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting


def test_a_draft_and_a_code_survive_a_reload_and_a_password_does_not(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.part("text").fill("my draft")
    sender.part("password").fill("secret")
    sender.page.reload()
    expect(sender.part("text")).to_have_value("my draft")
    expect(sender.part("password")).to_have_value("")
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["password_again"])
    sender.part("save-open").click()
    expect(sender.part("copy-code")).to_be_focused()
    code = sender.part("code").inner_text()
    sender.page.reload()
    expect(sender.part("code")).to_have_text(code)
    expect(sender.part("saved-before")).to_contain_text("Saved at")
    sender.part("edit").click()
    expect(sender.part("text")).to_have_value("my draft")
    expect(sender.part("save-notice")).to_have_text(EN["edit_hint"].format(code=code))
    assert "secret" not in sender.page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_an_encrypted_text_is_not_kept_in_the_clear(visit: Visiting) -> None:
    sender = visit().open()
    code = sender.save("a private text", password="secret")
    sender.page.reload()
    expect(sender.part("code")).to_have_text(code)
    expect(sender.part("edit")).to_be_hidden()
    assert "private" not in sender.page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_on_a_shared_computer_nothing_is_stored(visit: Visiting) -> None:
    sender = visit().open()
    sender.part("text").fill("before")
    sender.part("not-my-computer").check()
    expect(sender.part("page-status")).to_have_text(EN["not_my_computer_on"])
    sender.save("after")
    assert sender.page.evaluate("Object.keys(sessionStorage)") == ["not-my-computer"]
    sender.page.reload()
    expect(sender.part("not-my-computer")).to_be_checked()
    expect(sender.part("text")).to_have_value("")
    expect(sender.part("code")).to_be_hidden()
    sender.part("not-my-computer").uncheck()
