"""The operator's commands: ``flask --app saver COMMAND``."""

# The modules add their commands to the blueprint when they are imported.
from saver.cli import backup as backup
from saver.cli import copy as copy
from saver.cli.common import blueprint as blueprint
from saver.cli.pool import fill_with_progress as fill_with_progress
