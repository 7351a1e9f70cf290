"""A time stamp authority (RFC 3161): ``openssl ts`` behind a small HTTP server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.server_processes import find_program

_CONFIG = """[authority]
serial = {folder}/serial
signer_cert = {folder}/authority.pem
signer_key = {folder}/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """A running authority. ``queries``: how many came. ``reply``: sent in place of its own."""

    url: str
    folder: Path
    queries: int = 0
    reply: bytes | None = None
    is_silent: bool = False
    hangs_up: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def roots(self) -> Path:
        """The file of its root certificate."""
        return self.folder / "root.pem"


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """Run an authority with certificates of its own in ``folder``."""
    openssl = find_program("openssl")
    assert openssl is not None
    folder.mkdir(parents=True)
    _write_certificates(folder)
    (folder / "serial").write_text("01\n")
    (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder))
    running = Authority("", folder)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # whoever connected had no time left
            writer.close()
            return
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length:")
        )
        query = await reader.readexactly(length)
        running.queries += 1
        if running.is_silent:
            await running.released.wait()
        if running.is_silent or running.hangs_up:
            writer.close()
            return
        reply = await _reply(openssl, folder, query) if running.reply is None else running.reply
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(reply), reply)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/tsa"
    try:
        yield running
    finally:
        running.released.set()
        server.close()
        await server.wait_closed()


async def _reply(openssl: str, folder: Path, query: bytes) -> bytes:
    (folder / "query.tsq").write_bytes(query)
    process = await asyncio.create_subprocess_exec(
        openssl, "ts", "-reply", "-config", folder / "ts.cnf", "-section", "authority",
        "-queryfile", folder / "query.tsq",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    reply, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return reply


def _write_certificates(folder: Path) -> None:
    """Write a root certificate, and that of the authority with its key."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of time stamps")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time stamp authority")])
    root = (
        _builder(root_name, root_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        _builder(name, root_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "authority.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "authority.key").write_bytes(private)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
