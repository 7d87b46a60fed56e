"""The objects that the worker and the commands use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saver.ops.backup import Backups
from saver.ops.check import Check
from saver.ops.copy_to_server import CopyToServer
from saver.ops.health import Readiness
from saver.ops.operator_log import OperatorLog
from saver.ops.quarantine import Quarantine
from saver.ops.request_counts import RequestCounts
from saver.ops.restore import Restorer
from saver.ops.restore_dump import DumpRestorer
from saver.ratelimit.rules import RateLimits
from saver.settings import Settings
from saver.store import TextStore


@dataclass(frozen=True, slots=True)
class OperatorTools:
    """The operations of the commands; ``backup_folder`` is the default folder of backups."""

    backup: Backups
    restore: Restorer | DumpRestorer
    quarantine: Quarantine
    check: Check
    copy: CopyToServer
    operator_log: OperatorLog
    backup_folder: Path


@dataclass(frozen=True, slots=True)
class Services:
    """What the worker and the commands use; ``app.extensions["saver"]``."""

    settings: Settings
    store: TextStore
    readiness: Readiness
    rate_limits: RateLimits
    requests: RequestCounts
    tools: OperatorTools
