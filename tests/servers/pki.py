"""A certificate authority for one test run, and certificates that it signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The paths of a certificate and its key."""

    chain: Path
    key: Path


class Authority:
    """Signs certificates; ``root`` is the certificate that clients trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("tests of saver")
        certificate = _builder(self._name, self._name, self._key.public_key())
        for extension in (
            x509.BasicConstraints(ca=True, path_length=0),
            _usage(signs_certificates=True),
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()),
        ):
            certificate = certificate.add_extension(extension, critical=_is_critical(extension))
        self.root = folder / "root.pem"
        self.root.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))

    def certify(self, *names: str) -> Certificate:
        """A certificate for all these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self._name, key.public_key())
        for extension in (
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            x509.BasicConstraints(ca=False, path_length=None),
            _usage(signs_certificates=False),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
        ):
            builder = builder.add_extension(extension, critical=_is_critical(extension))
        made = Certificate(self._folder / f"{names[0]}.pem", self._folder / f"{names[0]}.key")
        made.chain.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    # Newer clients verify strictly: they require what RFC 5280 requires.
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_critical(extension: x509.ExtensionType) -> bool:
    return isinstance(extension, (x509.BasicConstraints, x509.KeyUsage))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
