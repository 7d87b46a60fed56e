"""A notification when a saved text is opened, although no popup is open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.extension.conftest import BROWSERS, Browsers
from tests.e2e.extension.driver import EXTENSION
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.user import User
from tests.support.process import wait_until

TEXT, PASSWORD = "a text to wait for", "open sesame"
ALARM = "ask-whether-opened"
_ALARMS = (
    "async () => (await chrome.alarms.getAll()).map(({ name, periodInMinutes }) => [name, periodInMinutes])"
)
# After a minute.
_RING = "(name) => chrome.alarms.create(name, { when: Date.now() })"
# Headless Firefox closes each one at once.
_SHOWN = "async () => [...new Set([...window.gone, ...Object.keys(await chrome.notifications.getAll())])]"
_CLOSE_ALL = """async () => {
    for (const id of Object.keys(await chrome.notifications.getAll())) await chrome.notifications.clear(id);
    if (!window.gone) chrome.notifications.onClosed.addListener((id) => window.gone.push(id));
    window.gone = [];
}"""
_ANSWER = "(answer) => { browser.permissions.request = async () => answer; }"


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension with the permission: a browser would ask its user for it in another window."""
    folder = tmp_path_factory.mktemp("allowed") / "extension"
    shutil.copytree(EXTENSION, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["optional_permissions"].remove("notifications")
    manifest["permissions"].append("notifications")
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


@pytest.fixture(params=BROWSERS)
def sender(request: pytest.FixtureRequest, browsers: Browsers, allowed: Path, network: Relay) -> User:
    """A user who wants notifications, in a browser that allows them."""
    driver = browsers(request.param, "en-US", allowed)
    driver.clean()
    driver.inside(_CLOSE_ALL)
    return User(driver, "popup", network).set(notify=True).open()


def test_one_notification_while_the_popup_is_closed(sender: User) -> None:
    code, driver = sender.save(TEXT, PASSWORD), sender.driver
    wait_until(lambda: driver.inside(_ALARMS) == [[ALARM, 1]], "it is asked each minute")
    sender.close()
    driver.kill_background()
    sender.network.forget()
    driver.inside(_RING, ALARM)
    wait_until(lambda: sender.network.asked("status"), "it is asked")
    assert driver.inside(_SHOWN) == []
    reader = User(driver, "page", sender.network).open()
    reader.unlock(code, PASSWORD)
    reader.reads(TEXT)
    driver.close()
    driver.inside(_RING, ALARM)
    wait_until(lambda: driver.inside(_SHOWN) == [f"opened-{code}"], "the notification is shown")
    wait_until(lambda: driver.inside(_ALARMS) == [], "it is not asked any more")
    sent = json.dumps([each.json for each in sender.network.asked("status")])
    assert PASSWORD not in sent
    assert TEXT not in sent


def test_what_the_popup_has_shown_needs_no_notification(sender: User) -> None:
    code = sender.save(TEXT)
    wait_until(lambda: sender.driver.inside(_ALARMS) != [], "it is asked each minute")
    body = json.dumps({"code": code}).encode()
    sender.network.answer("POST", "/api/v1/load", {"Content-Type": "application/json"}, body)
    sender.driver.find(".receipt.opened").appears()
    wait_until(lambda: sender.driver.inside(_ALARMS) == [], "it is not asked any more")
    assert sender.driver.inside(_SHOWN) == []


def test_nothing_is_asked_on_a_shared_computer(sender: User) -> None:
    sender.set(notify=True, sharedComputer=True).open()
    sender.save(TEXT)
    assert sender.driver.inside(_ALARMS) == []


@pytest.mark.parametrize("is_given", [True, False], ids=["given", "refused"])
def test_the_setting_follows_the_permission(popup_user: User, en: dict[str, str], is_given: bool) -> None:
    popup_user.open_settings()
    popup_user.part("notify").is_checked(False)
    popup_user.driver.evaluate(_ANSWER, is_given)
    popup_user.part("notify").click()
    popup_user.part("notify-status").says(en["settings_saved"])
    popup_user.part("notify").is_checked(is_given)
    assert popup_user.driver.stored()["settings"]["notify"] is is_given
    # Only this test gives the permission: the page shows the browser's state.
    popup_user.open_settings()
    popup_user.part("notify").is_checked(False)
