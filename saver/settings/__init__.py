"""Settings: read once from ``SAVER_*`` and ``.env``, typed and checked."""

from saver.settings.environment import (
    SettingsError,
    environment_without_settings,
    notify_socket,
    read_settings,
)
from saver.settings.fields import PREFIX, Settings

__all__ = [
    "PREFIX",
    "Settings",
    "SettingsError",
    "environment_without_settings",
    "notify_socket",
    "read_settings",
]
