"""Bodies and the hashes of proofs are encrypted under the secret key, as in saver/at_rest.py

Rows that exist are encrypted too, in one transaction. SQLite copies the table with functions of this module,
PostgreSQL writes it anew, so that no page has a body as it was. An older version finds no proof_hash, so it
stores nothing that would not be encrypted: it answers 503.

On the way down bodies are decrypted; those whose key is unknown are wiped.

Revision: 0005, after 0004
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from alembic import op
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HELD, WIPED = sa.text("body IS NOT NULL"), sa.text("body IS NULL")
SOURCED, KEYED = sa.text("source IS NOT NULL"), sa.text("key_hash IS NOT NULL")
NETWORKED = sa.text("network IS NOT NULL")
NONCE, HASH = 12, 32
ROWS = 64


class Key:
    """The keys that saver/at_rest.py derives from a secret."""

    def __init__(self, secret: bytes) -> None:
        def derive(name: bytes, length: int) -> bytes:
            return HKDF(SHA256(), length, salt=None, info=b"saver/at-rest/v1/" + name).derive(secret)

        self.id, self.body, self.proof = derive(b"id", 8), AESGCM(derive(b"body", 32)), derive(b"proof", 32)


def keys() -> list[Key]:
    """The key that encrypts, and then the older ones."""
    return [Key(secret) for secret in op.get_context().config.attributes["secrets"]]


def encrypting(key: Key) -> tuple[Callable[..., bytes | None], Callable[..., bytes | None]]:
    """Functions of a row's old values: its body, and its keyed hash of the proof."""

    def body(code: str, owner_hash: bytes, proof_hash: bytes | None, text: str | None) -> bytes | None:
        if text is None:
            return None
        nonce, content = secrets.token_bytes(NONCE), (proof_hash or b"") + text.encode()
        return nonce + key.body.encrypt(nonce, content, code.encode() + owner_hash)

    def proof(proof_hash: bytes | None) -> bytes | None:
        return None if proof_hash is None else hmac.digest(key.proof, proof_hash, hashlib.sha256)

    return body, proof


def decrypting() -> tuple[Callable[..., str | None], Callable[..., bytes | None]]:
    """Functions of a row's values: the body and the hash of the proof that it had."""
    known = {key.id: key for key in keys()}

    def content(code: str, owner_hash: bytes, key_id: bytes, body: bytes) -> bytes:
        return known[key_id].body.decrypt(body[:NONCE], body[NONCE:], code.encode() + owner_hash)

    def text(code: str, owner_hash: bytes, key_id: bytes, mac: bytes | None, body: bytes) -> str | None:
        if body is None:
            return None
        return content(code, owner_hash, key_id, body)[0 if mac is None else HASH :].decode()

    def proof(code: str, owner_hash: bytes, key_id: bytes, mac: bytes | None, body: bytes) -> bytes | None:
        return None if mac is None else content(code, owner_hash, key_id, body)[:HASH]

    return text, proof


def upgrade() -> None:
    key = keys()[0]
    body, proof = encrypting(key)
    if op.get_bind().dialect.name == "sqlite":
        define("encrypted_body", 4, body)
        define("keyed_proof", 1, proof)
        copy_table(
            [
                *columns("proof_mac"),
                sa.Column("key_id", sa.LargeBinary(8)),
                sa.Column("body", sa.LargeBinary()),
            ],
            "proof_mac",
            {
                "proof_mac": "keyed_proof(proof_hash)",
                "key_id": f"CASE WHEN body IS NOT NULL THEN x'{key.id.hex()}' END",
                "body": "encrypted_body(code, owner_hash, proof_hash, body)",
            },
        )
        return
    op.add_column("text", sa.Column("key_id", sa.LargeBinary(8)))
    op.alter_column("text", "proof_hash", new_column_name="proof_mac")
    op.add_column("text", sa.Column("other_body", sa.LargeBinary()))
    for code, owner_hash, _, proof_hash, text in rows_with_body():
        change(code, body(code, owner_hash, proof_hash, text), proof(proof_hash), key.id)
    replace_body("BYTEA")


def downgrade() -> None:
    text, proof = decrypting()
    wipe_unknown()
    if op.get_bind().dialect.name == "sqlite":
        define("decrypted_body", 5, text)
        define("plain_proof", 5, proof)
        row = "(code, owner_hash, key_id, proof_mac, body)"
        copy_table(
            [*columns("proof_hash"), sa.Column("body", sa.Text())],
            "proof_hash",
            {"proof_hash": f"plain_proof{row}", "body": f"decrypted_body{row}"},
        )
        return
    op.add_column("text", sa.Column("other_body", sa.Text()))
    for row in rows_with_body():
        change(row[0], text(*row), proof(*row), row[2])
    replace_body("TEXT")
    op.alter_column("text", "proof_mac", new_column_name="proof_hash")
    op.drop_column("text", "key_id")


def wipe_unknown() -> None:
    """Wipe the texts that no known key opens."""
    known = sa.bindparam("known", [key.id for key in keys()], expanding=True, type_=sa.LargeBinary())
    unknown = sa.text(
        "UPDATE text SET body = NULL, seal = NULL, proof_mac = NULL, source = NULL, network = NULL"
        " WHERE body IS NOT NULL AND (key_id IS NULL OR key_id NOT IN :known)"
    )
    op.get_bind().execute(unknown.bindparams(known))


def rows_with_body() -> Iterator[tuple]:
    """Code, owner_hash, key_id, proof_mac and body of the rows that have one; a few of them at a time."""
    found = sa.text(
        "SELECT code, owner_hash, key_id, proof_mac, body FROM text"
        " WHERE body IS NOT NULL AND code > :after ORDER BY code LIMIT :rows"
    )
    after = ""
    while rows := op.get_bind().execute(found, {"after": after, "rows": ROWS}).fetchall():
        yield from map(tuple, rows)
        after = rows[-1].code


def change(code: str, body: bytes | str | None, proof: bytes | None, key_id: bytes) -> None:
    """Give a row the values of its next form."""
    values = {"body": body, "proof": proof, "key_id": key_id, "code": code}
    update = "UPDATE text SET other_body = :body, proof_mac = :proof, key_id = :key_id WHERE code = :code"
    op.get_bind().execute(sa.text(update), values)


def replace_body(kind: str) -> None:
    """Give the column body the values of other_body. PostgreSQL writes the table anew for it."""
    op.execute(f"ALTER TABLE text ALTER COLUMN body TYPE {kind} USING other_body")
    op.drop_column("text", "other_body")


def define(name: str, arguments: int, function: Callable[..., object]) -> None:
    """Make a function of SQL on SQLite."""
    op.get_bind().connection.driver_connection.create_function(name, arguments, function)


def columns(proof: str) -> list[sa.Column]:
    return [
        sa.Column("seal", sa.Text()),
        sa.Column(proof, sa.LargeBinary(32)),
        sa.Column("owner_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.Column("once", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("claim_hash", sa.LargeBinary(32)),
        sa.Column("saved_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ended", sa.Text()),
        sa.Column("source", sa.LargeBinary(16)),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("key_hash", sa.LargeBinary(32)),
        sa.Column("request_hash", sa.LargeBinary(32)),
        sa.Column("network", sa.LargeBinary(16)),
    ]


def copy_table(columns: list[sa.Column], proof: str, values: dict[str, str]) -> None:
    """Put the table anew with these columns, its indexes and its triggers; ``values`` are expressions."""
    triggers = op.get_bind().exec_driver_sql(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'text'"
    )
    kept = [sql for (sql,) in triggers.fetchall()]
    op.create_table(
        "text_anew",
        sa.Column("code", sa.Text(), nullable=False),
        *columns,
        sa.CheckConstraint("free_at >= expires_at", name=op.f("ck_text_rest")),
        sa.CheckConstraint(f"(seal IS NULL) = ({proof} IS NULL)", name=op.f("ck_text_sealed")),
        sa.PrimaryKeyConstraint("code", name="pk_text"),
    )
    names = ["code", *(column.name for column in columns)]
    chosen = ", ".join(values.get(name, name) for name in names)
    op.execute(f"INSERT INTO text_anew ({', '.join(names)}) SELECT {chosen} FROM text")  # noqa: S608
    op.drop_table("text")
    op.rename_table("text_anew", "text")
    index("ix_text_expires_at", ["expires_at"], HELD)
    index("ix_text_free_at", ["free_at"], WIPED)
    index("ix_text_source", ["source", "expires_at", "size"], SOURCED)
    index("ix_text_key_hash", ["key_hash"], KEYED, unique=True)
    index("ix_text_network", ["network", "expires_at", "size"], NETWORKED)
    for sql in kept:
        op.execute(sql)


def index(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, "text", columns, unique=unique, sqlite_where=where)
