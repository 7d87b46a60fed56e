"""Many exchanges between Python and JavaScript, in one process of Node.

Half of them have the maker in Python and half in JavaScript. In every fifth one the joiner knows
something else, and in these the two must never agree; in all others they must, and the text arrives.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from saver import seal
from saver.live_transfer import exchange
from saver.live_transfer.codes import draw_letters
from saver.live_transfer.exchange import BadTagError, Secret
from tests.support.node import NODE
from tests.support.server import ROOT

TEXT = "금고는 그림 뒤에 있습니다.\r\n"


class NodeSide:
    """A process of Node that calculates with the JavaScript of the extension."""

    def __init__(self) -> None:
        script = str(ROOT / "tests" / "support" / "live_node.mjs")
        self._process = subprocess.Popen(
            [NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, command: str, **given: object) -> dict[str, Any]:
        """One request; bytes are encoded."""
        assert self._process.stdin
        assert self._process.stdout
        encoded = {name: seal.encode(v) if isinstance(v, bytes) else v for name, v in given.items()}
        self._process.stdin.write(json.dumps({"command": command, **encoded}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


def secret_for_node(secret: Secret) -> dict[str, object]:
    """The same secret as JavaScript has it."""
    return {
        "letters": secret.letters,
        "service": secret.service,
        "number": secret.number,
        "makerRole": secret.maker_role,
    }


def is_same(agreement: exchange.Agreement, tag: str) -> bool:
    try:
        agreement.check(seal.decode(tag))
    except BadTagError:
        return False
    return True


def python_makes(node: NodeSide, maker_secret: Secret, joiner_secret: Secret, random: Random) -> bool:
    """One exchange whose maker is Python; whether the two agree. Raises AssertionError if only one does."""
    session, scalar, other = (random.randbytes(size) for size in (16, 32, 32))
    maker = exchange.Maker(maker_secret, session, scalar)
    secret = secret_for_node(joiner_secret)
    answer = node.ask("answer", id=0, secret=secret, session=session, share=maker.share, scalar=other)
    agreement = maker.agree(seal.decode(answer["share"]))
    agrees = is_same(agreement, answer["tag"])
    assert node.ask("check", id=0, tag=agreement.tag)["isSame"] is agrees
    same_keys = (seal.encode(agreement.keys.key), seal.encode(agreement.keys.proof)) == (
        answer["key"],
        answer["proof"],
    )
    assert same_keys is agrees
    if agrees:
        jwe = seal.encrypt_under(seal.LIVE_HEADER, TEXT, agreement.keys.key, random.randbytes(12))
        assert node.ask("open", jwe=jwe, key=answer["key"])["text"] == TEXT
    return agrees


def node_makes(node: NodeSide, maker_secret: Secret, joiner_secret: Secret, random: Random) -> bool:
    """The same with the maker in JavaScript."""
    session, scalar, other = (random.randbytes(size) for size in (16, 32, 32))
    share = node.ask("offer", id=0, secret=secret_for_node(maker_secret), session=session, scalar=scalar)[
        "share"
    ]
    joiner = exchange.Joiner.answer(joiner_secret, session, seal.decode(share), other)
    agreed = node.ask("agree", id=0, share=joiner.share, tag=joiner.agreement.tag)
    agrees: bool = agreed["isSame"]
    assert is_same(joiner.agreement, agreed["tag"]) is agrees
    keys = joiner.agreement.keys
    assert ((seal.encode(keys.key), seal.encode(keys.proof)) == (agreed["key"], agreed["proof"])) is agrees
    if agrees:
        jwe = node.ask("seal", text=TEXT, key=agreed["key"])["jwe"]
        assert seal.decrypt(jwe, keys.key, live=True) == TEXT
    return agrees


def changed(secret: Secret, random: Random) -> Secret:
    """A secret that differs in one thing, and of the letters in one or in all."""
    others: list[Secret] = [
        replace(secret, letters=secret.letters[:-1] + secret.letters[-1].swapcase()),
        replace(secret, letters=secret.letters.swapcase()),
        replace(secret, number=secret.number % 9999 + 1),
        replace(secret, service=f"{secret.service}x"),
        replace(secret, maker_role=exchange.other_role(secret.maker_role)),
    ]
    return random.choice(others)


def run(number: int, random: Random) -> Counter[str]:
    """Run so many exchanges. Raises AssertionError for the first one that is not as it must be."""
    node = NodeSide()
    counts: Counter[str] = Counter()
    try:
        for at in range(number):
            secret = Secret(
                draw_letters(random),
                f"https://example.org/{at % 7 * 'saver'}",
                random.randint(1, 9999),
                random.choice(["sender", "receiver"]),
            )
            is_right = at % 5 != 4
            work = python_makes if at % 2 else node_makes
            agrees = work(node, secret, secret if is_right else changed(secret, random), random)
            assert agrees is is_right, secret
            counts[f"{work.__name__}, {'agree' if agrees else 'never agree'}"] += 1
    finally:
        node.close()
    return counts
