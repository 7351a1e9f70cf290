"""Certificates of this topology, each made once, into a folder (a volume) of its holder's own.

    certificates.py self-signed FOLDER NAME...
    certificates.py authority FOLDER HOLDER[=NAME]...

``self-signed``: a pair for the proxy, to be replaced by the site's own: FOLDER/server.pem, .key.
``authority``: an authority whose key nobody keeps, and for each holder FOLDER/HOLDER/ca.pem,
HOLDER.pem, HOLDER.key. Names are DNS names or IP addresses; a holder is named after itself unless
said otherwise. Keys are for their owner only. What is there already is left alone.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAYS = 825


def main() -> None:
    """Make what is missing."""
    match sys.argv[1:]:
        case ["self-signed", folder, *names]:
            make_self_signed(Path(folder), names)
        case ["authority", folder, *holders]:
            make_authority(Path(folder), holders)
        case _:
            sys.exit(__doc__)


def make_self_signed(folder: Path, names: list[str]) -> None:
    """Make ``server.pem`` and ``server.key`` for ``names`` in ``folder``."""
    if (folder / "server.pem").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(names[0], names, key.public_key(), None, key)
    _write(folder / "server.key", _private(key))
    _write(folder / "server.pem", certificate.public_bytes(Encoding.PEM))


def make_authority(folder: Path, holders: list[str]) -> None:
    """Make an authority and a pair for each holder; none where the last holder has one."""
    named = {name: alias or name for name, _, alias in (one.partition("=") for one in holders)}
    if all((folder / name / "ca.pem").exists() for name in named):
        return
    authority = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("justice-gateway compose", [], authority.public_key(), None, authority)
    for name, alias in named.items():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, [alias], key.public_key(), root, authority)
        _write(folder / name / f"{name}.key", _private(key))
        _write(folder / name / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
        _write(folder / name / "ca.pem", root.public_bytes(Encoding.PEM))


def _certificate(
    common_name: str,
    names: list[str],
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a certificate for ``key``; without names it is an authority's."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(not names, None), critical=True)
    )
    if names:
        general = x509.SubjectAlternativeName([_general_name(one) for one in names])
        builder = builder.add_extension(general, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Replace ``path`` in one step; only its owner reads a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if path.suffix == ".key" else 0o644
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)


if __name__ == "__main__":
    main()
