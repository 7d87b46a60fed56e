"""saver with a few free codes behind HTTPS on this computer, for scripts/screenshots."""

from __future__ import annotations

import datetime
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import flask_migrate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from saver import create_app
from saver.settings import Settings
from tests.support.server import Server

_DAY = datetime.timedelta(days=1)
_CHUNK = 65_536


@contextmanager
def demo_service(folder: Path, codes: Sequence[str], host: str) -> Iterator[tuple[Server, int]]:
    """A server on a free port with these codes free, and the port of an HTTPS proxy in front of it."""
    folder.mkdir()
    with create_app(Settings(data_dir=folder, _env_file=None)).app_context():
        flask_migrate.upgrade()
    with closing(sqlite3.connect(folder / "saver.db")) as database, database:
        database.executemany("INSERT INTO code VALUES (?)", [(code,) for code in codes])
    with (
        Server(folder, {"writes_a_minute": 0, "writes_an_hour": 0}) as server,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        tls = _tls(host, folder)
        threading.Thread(target=_accept, args=(listener, server.port, tls), daemon=True).start()
        yield server, listener.getsockname()[1]


def _accept(listener: socket.socket, port: int, tls: ssl.SSLContext) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_connect, args=(client, port, tls), daemon=True).start()


def _connect(client: socket.socket, port: int, tls: ssl.SSLContext) -> None:
    try:
        client = tls.wrap_socket(client, server_side=True)
    except OSError:
        # A browser that only fetched the certificate has closed the connection.
        return
    upstream = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=_copy, args=(upstream, client), daemon=True).start()
    _copy(client, upstream)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()


def _tls(host: str, folder: Path) -> ssl.SSLContext:
    """TLS with a self-signed certificate for this name; key and certificate lie in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - _DAY, now + _DAY
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(encoding)
    path = folder / "certificate.pem"
    path.write_bytes(certificate + key.private_bytes(encoding, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
