"""Settings: read once from ``SAVER_*`` and ``.env``, typed and checked."""

from saver.settings.environment import SettingsError, environment_of_others, notify_socket, read_settings
from saver.settings.fields import PREFIX, Settings

__all__ = [
    "PREFIX",
    "Settings",
    "SettingsError",
    "environment_of_others",
    "notify_socket",
    "read_settings",
]
