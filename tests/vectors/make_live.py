"""Make the test vectors of live transfers.

``python -m tests.vectors.make_live > tests/vectors/live-transfer.json``

An implementation of docs/live-transfer.md of its own, to be read next to it: nothing of saver is used,
and X25519 is the Montgomery ladder of RFC 7748, with plain integers. What is random elsewhere comes
from hashes of the vectors' names here, so the file is the same every time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator

from tests.vectors.make import b64, close, compact, hkdf
from tests.vectors.make import fixed as hashed

P = 2**255 - 19
A = 486662
HEADER = compact({"alg": "dir", "enc": "A256GCM", "kdf": {"name": "CPACE-X25519-SHA512"}})
SERVICE = "https://example.org/saver"
# u-coordinates of low order, in the draft's order (section "low order points").
LOW = [
    0,
    1,
    P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P,
    P + 1,
]

Json = dict[str, object]
Point = tuple[int, int]


# Curve25519


def x25519(scalar: bytes, point: bytes) -> bytes:
    """RFC 7748, section 5."""
    k = (int.from_bytes(scalar, "little") & ~7 & 2**255 - 1) | 2**254
    u = int.from_bytes(point, "little") & 2**255 - 1
    low, high = (1, 0), (u, 1)
    for bit in reversed(range(255)):
        if k >> bit & 1:
            high, low = double_and_add(high, low, u)
        else:
            low, high = double_and_add(low, high, u)
    return (low[0] * pow(low[1], P - 2, P) % P).to_bytes(32, "little")


def double_and_add(one: Point, other: Point, u: int) -> tuple[Point, Point]:
    """Twice the first, and the sum of both, whose difference is ``u``."""
    (x2, z2), (x3, z3) = one, other
    plus, minus = (x2 + z2) ** 2 % P, (x2 - z2) ** 2 % P
    across, back = (x3 - z3) * (x2 + z2), (x3 + z3) * (x2 - z2)
    twice = plus * minus % P, (plus - minus) * (plus + (A - 2) // 4 * (plus - minus)) % P
    return twice, ((across + back) ** 2 % P, u * (across - back) ** 2 % P)


def elligator2(number: int) -> int:
    """RFC 9380, section 6.7.1: a point of the curve from any number."""
    u = -A * pow(1 + 2 * number**2, P - 2, P) % P
    square = (u**3 + A * u**2 + u) % P
    return (-A - u) % P if pow(square, (P - 1) // 2, P) == P - 1 else u


# CPace


def lv_cat(*parts: bytes) -> bytes:
    """Each part after its length; those here are shorter than 128 bytes or need two octets."""
    return b"".join(
        (bytes([len(p)]) if len(p) < 128 else bytes([len(p) % 128 + 128, len(p) // 128])) + p for p in parts
    )


def generator(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """calculate_generator of the draft: the first block of SHA-512 has nothing but the password."""
    start = lv_cat(b"CPace255", prs)
    padding = max(0, 128 - 1 - len(start))
    digest = hashlib.sha512(start + lv_cat(bytes(padding), ci, sid)).digest()[:32]
    return elligator2(int.from_bytes(digest, "little") % 2**255).to_bytes(32, "little")


def isk_of(sid: bytes, k: bytes, ya: bytes, yb: bytes, ada: bytes = b"", adb: bytes = b"") -> bytes:
    """ISK in the initiator-responder setting."""
    return hashlib.sha512(lv_cat(b"CPace255_ISK", sid, k) + lv_cat(ya, ada) + lv_cat(yb, adb)).digest()


# Exchanges


def fixed(name: str, length: int) -> bytes:
    """Fixed bytes in place of random ones."""
    return hashed(f"live: {name}", length)


def exchanges() -> Iterator[Json]:
    """Exchanges in which both sides agree, with every value on the way."""
    yield exchange("the maker sends", "wUrp", 7, "sender", "The safe is behind the painting.")
    yield exchange("the maker receives", "wUrp", 7, "receiver", "The safe is behind the painting.")
    yield exchange("aaaa in the first meeting", "aaaa", 1, "sender", "x", service="https://saver.example.org")
    yield exchange(
        "the last letters in the last meeting", "ZZZZ", 9999, "receiver", "금고는 그림 뒤에 있습니다."
    )
    yield exchange("a port", "qJxT", 12, "sender", "\ufeffone\r\ntwo\n", service="http://localhost:5000")
    yield exchange(
        "a long address", "bbBB", 345, "receiver", "👩‍👩‍👧‍👦", service=f"https://example.org/{'a' * 120}"
    )


def exchange(name: str, letters: str, number: int, role: str, text: str, service: str = SERVICE) -> Json:
    """One exchange; ``role`` is that of the maker."""
    session, nonce = fixed(f"{name}: session", 16), fixed(f"{name}: nonce", 12)
    scalar_a, scalar_b = fixed(f"{name}: ya", 32), fixed(f"{name}: yb", 32)
    roles = {"sender": "sender receiver", "receiver": "receiver sender"}[role]
    ci = lv_cat(b"saver/live/1", service.encode(), str(number).encode(), roles.encode())
    g = generator(letters.encode(), ci, session)
    share_a, share_b = x25519(scalar_a, g), x25519(scalar_b, g)
    k = x25519(scalar_a, share_b)
    assert k == x25519(scalar_b, share_a)
    isk = isk_of(session, k, share_a, share_b)
    mac_key = hashlib.sha512(b"CPaceMac" + session + isk).digest()
    key, proof = hkdf(isk, b"saver/live/1/key"), hkdf(isk, b"saver/live/1/proof")
    values = {
        "session": session,
        "scalar_a": scalar_a,
        "scalar_b": scalar_b,
        "ci": ci,
        "generator": g,
        "share_a": share_a,
        "share_b": share_b,
        "k": k,
        "isk": isk,
        "mac_key": mac_key,
        "tag_a": hmac.digest(mac_key, lv_cat(share_a, b""), "sha512"),
        "tag_b": hmac.digest(mac_key, lv_cat(share_b, b""), "sha512"),
        "key": key,
        "proof": proof,
        "nonce": nonce,
    }
    return {
        "name": name,
        "letters": letters,
        "number": number,
        "maker_role": role,
        "service": service,
        **{step: b64(value) for step, value in values.items()},
        "text": text,
        "jwe": close(text.encode(), b64(HEADER.encode()), key, nonce),
    }


# What is refused


def refused() -> Json:
    """What never agrees with the first exchange, and what is no share and no text of a live transfer."""
    other: dict[str, Json] = {
        "one letter in another case": {"letters": "wUrP"},
        "other letters": {"letters": "aaaa"},
        "another number": {"number": 8},
        "another service": {"service": "https://example.org"},
        "another port": {"service": "https://example.org:8443/saver"},
        "swapped roles": {"maker_role": "receiver"},
        "another session": {"session": b64(fixed("other session", 16))},
    }
    key = hkdf(fixed("any", 64), b"saver/live/1/key")
    salt = b64(fixed("salt", 16))
    headers = {
        "that of a password": {
            "alg": "dir",
            "enc": "A256GCM",
            "kdf": {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": salt},
        },
        "a member more": {
            "alg": "dir",
            "enc": "A256GCM",
            "kdf": {"name": "CPACE-X25519-SHA512", "salt": salt},
        },
        "another order": {"enc": "A256GCM", "alg": "dir", "kdf": {"name": "CPACE-X25519-SHA512"}},
        "another group": {"alg": "dir", "enc": "A256GCM", "kdf": {"name": "CPACE-P256-SHA512"}},
    }
    wrong_headers = [
        {"name": name, "key": b64(key), "jwe": close(b"x", b64(compact(header).encode()), key, bytes(12))}
        for name, header in headers.items()
    ]
    return {
        "joiners": [{"name": name, **changed} for name, changed in other.items()],
        "shares": [
            *(
                {"name": f"low order, u{n}", "share": b64(u.to_bytes(32, "little"))}
                for n, u in enumerate(LOW)
            ),
            *(
                {"name": f"{n} bytes", "share": b64(fixed("share", 32)[:n] + bytes(max(0, n - 32)))}
                for n in (0, 16, 31, 33, 64)
            ),
        ],
        "texts": wrong_headers,
    }


def document() -> str:
    """The whole file."""
    about = (
        "Test vectors of docs/live-transfer.md, made by tests/vectors/make_live.py. Bytes are in base64url."
    )
    return json.dumps({"about": about, "exchanges": [*exchanges()], "refused": refused()}, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
