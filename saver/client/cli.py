"""The commands of the program ``saver``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import IO

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from saver.client import inputs, phrases, texts
from saver.client.commands import command
from saver.client.errors import RefusedError, UsageError
from saver.client.session import Session
from saver.client.terminal import ask_line, ask_password, local_time, note
from saver.codes import Code
from saver.live_transfer.client import TRIES, Joiner, Maker
from saver.version import __version__

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_LIVE_CODE = "Live code"
_password_fd = click.option(
    "--password-fd", type=int, metavar="N", help="Read the password from a file descriptor."
)
_for = partial(click.option, "--for", "lifetime", metavar="TIME", callback=inputs.duration)


@click.group(epilog="`man saver` and docs/command-line.md have the exit codes and examples.")
@click.version_option(__version__, prog_name="saver")
def main() -> None:
    """Save and load texts under codes of four letters."""


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--paste", is_flag=True, help="Send what is in the clipboard.")
@click.option("--password", "asks", is_flag=True, help="Encrypt with a password, which is asked for.")
@_password_fd
@click.option("--phrase", "draws", is_flag=True, help="Encrypt with five easy words, and show them.")
@click.option("--once", is_flag=True, help="The text can be read only once.")
@_for(help="How long the text lives: 10m, 1h, 1h30m, 7d.")
@click.option("--live", is_flag=True, help="Show a live code, and hand over to whoever types it.")
@click.option("--join", is_flag=True, help="Ask for a live code, and hand over to whoever shows it.")
@command
def send(session: Session, file: IO[bytes], paste: bool, live: bool, join: bool, **options: object) -> None:
    """Save FILE or stdin, and print its code.

    Everything else that is shown goes to stderr.
    """
    if paste and not inputs.is_stdin(file):
        raise UsageError("Either a file or --paste.")
    if (live or join) and any(value is not None and value is not False for value in options.values()):
        raise UsageError("--live and --join have no password, no --once and no --for.")
    if live and join:
        raise UsageError("Either --live or --join.")
    source = BytesIO(inputs.paste()) if paste else file
    if inputs.is_stdin(source) and sys.stdin.isatty():
        session.note("Type the text; Ctrl-D at the beginning of a line ends it.")
    if live or join:
        text = inputs.read_text(source, session.api.max_text_bytes)
        _hand_over(session, text) if live else _join_and_hand_over(session, text, source)
    else:
        _save(session, source, **options)  # type: ignore[arg-type]


def _save(  # noqa: PLR0913, PLR0917 - the options of a command
    session: Session,
    source: IO[bytes],
    asks: bool,
    password_fd: int | None,
    draws: bool,
    once: bool,
    lifetime: int | None,
) -> None:
    if asks + draws + (password_fd is not None) > 1:
        raise UsageError("Only one of --password, --password-fd and --phrase.")
    if password_fd == 0 and inputs.is_stdin(source):
        raise UsageError("The text is read from stdin, so --password-fd must be another one.")
    # Before a text is typed, or a file read.
    _ = session.service
    phrase = phrases.make_phrase(session.random) if draws else None
    password = phrase or _password(asks, password_fd, confirm=True)
    draft = texts.Draft(inputs.read_text(source, session.api.max_text_bytes), password, once, lifetime)
    try:
        written = texts.send(session.api, draft, session.random)
    except RefusedError:
        allowed = session.api.max_text_bytes()
        if len(draft.text.encode()) > allowed:
            raise inputs.too_long(allowed) from None
        raise
    session.store_token(written.code, written.owner_token, written.expires_at)
    if phrase:
        session.note(f"Password: {phrase}")
    session.note(f"Until {local_time(written.expires_at)}{', for one reader only' if once else ''}.")
    session.result(
        written.code,
        code=written.code,
        expires_at=written.expires_at,
        sealed=password is not None,
        once=once,
        phrase=phrase,
    )


@main.command()
@click.argument("code", nargs=-1)
@click.option("--password", "asks", is_flag=True, help="Ask for the password.")
@_password_fd
@command
def get(session: Session, code: tuple[str, ...], asks: bool, password_fd: int | None) -> None:
    """Load the text of CODE, and write it to stdout, the same bytes.

    Without CODE it is asked for, or read from stdin. There it may also be a live code, such as 7 wUrp. As an
    argument it would be shown to other users and stored by the shell, so it is refused there.
    """
    given = " ".join(code)
    if inputs.is_live(given):
        raise UsageError(
            "Others can see arguments: type a live code when you are asked, or send it to stdin."
        )
    if password_fd == 0 and not given:
        raise UsageError("The code is read from stdin, so --password-fd must be another one.")
    _ = session.service
    given = given or ask_line("Code")
    if inputs.is_live(given):
        if asks or password_fd is not None:
            raise UsageError("A live transfer has no password.")
        session.text(session.live.join(given, _ask_again(), Joiner.receive))
    else:
        _load(session, inputs.code_of(given), _password(asks, password_fd, confirm=False))


def _load(session: Session, code: Code, password: str | None) -> None:
    reader = session.reader(code)
    found = reader.load(password, phrases.normalize)
    session.text(found.text, expires_at=found.expires_at, once=found.once, sealed=password is not None)
    # Not before: if stdout is full or closed, the text can be asked for again.
    if found.once:
        reader.acknowledge()
    session.forget_reader(code)


@main.command()
@command
def receive(session: Session) -> None:
    """Show a live code, and write what is sent to it to stdout."""
    maker = session.live.open("receiver")
    session.text(maker.receive(_shown(session, maker)))


def _hand_over(session: Session, text: str) -> None:
    maker = session.live.open("sender")
    maker.hand_over(text, _shown(session, maker))
    session.done("Handed over.", handed_over=True)


def _join_and_hand_over(session: Session, text: str, source: IO[bytes]) -> None:
    given = ask_line(_LIVE_CODE, stdin_is_free=not inputs.is_stdin(source))
    session.live.join(given, _ask_again(), lambda joiner: joiner.hand_over(text))
    session.done("Handed over.", handed_over=True)


def _shown(session: Session, maker: Maker) -> Callable[[int], None]:
    """Show the live code when a joiner can come, then wrong letters; on stderr, also with ``--json``."""

    def show(tries_left: int) -> None:
        if tries_left == TRIES:
            note(str(maker.live_code))
            session.note("Type this on the other computer. Waiting for ten minutes at most; Ctrl-C ends it.")
        else:
            session.note(f"Other letters were typed. Tries left: {tries_left}.")

    return show


@main.command()
@click.argument("code")
@command
def status(session: Session, code: str) -> None:
    """Show what has become of a text that was saved here."""
    own = inputs.code_of(code)
    found = session.api.status(own, session.owner_token(own))
    state, until = str(found["state"]), local_time(str(found["expires_at"]))
    tries = f", wrong passwords: {found['refused']}" if found.get("refused") else ""
    session.result(f"{state}, until {until}{tries}" if state in {"waiting", "loaded"} else state, **found)


@main.command()
@click.argument("code")
@_for(required=True, help="How long the text lives from now: 10m, 1h, 1h30m, 7d.")
@command
def extend(session: Session, code: str, lifetime: int) -> None:
    """Let a text that was saved here live longer."""
    own = inputs.code_of(code)
    token = session.owner_token(own)
    expires_at = session.api.extend(own, token, lifetime)
    session.store_token(own, token, expires_at)
    session.result(f"until {local_time(expires_at)}", expires_at=expires_at)


@main.command()
@click.argument("code")
@command
def delete(session: Session, code: str) -> None:
    """Delete a text that was saved here."""
    own = inputs.code_of(code)
    session.api.delete(own, session.owner_token(own))
    session.result("deleted", deleted=True)


@main.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(shell: str) -> None:
    """Print the completion for a shell: eval "$(saver completion bash)"."""
    script = _SHELLS[shell](main, {}, "saver", "_SAVER_COMPLETE").source()
    # Click's script for fish splits a description at its commas too, and shows only its beginning.
    click.echo(script.replace('string split "," ', 'string split --max 1 "," '))


def _password(asks: bool, descriptor: int | None, *, confirm: bool) -> str | None:
    if asks and descriptor is not None:
        raise UsageError("Either --password or --password-fd.")
    if descriptor is not None:
        return inputs.password_from(descriptor)
    return inputs.checked_password(ask_password(confirm=confirm)) if asks else None


def _ask_again() -> Callable[[str], str] | None:
    """Ask for the live code again after an error, where a user can be asked."""
    if not sys.stdin.isatty():
        return None

    def ask(error: str) -> str:
        note(error)
        return ask_line(_LIVE_CODE)

    return ask
