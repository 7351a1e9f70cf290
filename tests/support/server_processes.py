"""PostgreSQL and MariaDB servers for a test, which it can kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_PATIENCE = 300.0


def find_program(name: str) -> str | None:
    """Return where a program is, None where it is not installed."""
    newest = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    path = os.pathsep.join((os.environ.get("PATH", ""), *newest, "/usr/sbin"))
    return shutil.which(name, path=path)


def program(name: str) -> str:
    """Return where a program is; skip where it is missing, fail if REQUIRE_SERVICES says so."""
    path = find_program(name)
    if path is None and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"missing: {name}")
    if path is None:
        pytest.skip(f"missing: {name}")
    return path


def free() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens at ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return not probe.connect_ex(("127.0.0.1", port))


def wait(condition: Callable[[], bool], event: str, patience: float = _PATIENCE) -> None:
    """Wait until something is so."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"{event} did not come about"
        time.sleep(0.02)  # between two looks, not instead of one


@dataclass
class ServerProcess:
    """A process that can be killed and started anew, and listens at ``port``.

    ``ready``: a command that succeeds once it does more than listen.
    """

    command: list[str]
    port: int
    log: Path
    user: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    ready: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self.user,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        process = self.process

        def listens() -> bool:
            assert process.poll() is None, self.log.read_text()[-3000:]
            if not answers(self.port):
                return False
            if not self.ready:
                return True
            return not subprocess.run(self.ready, capture_output=True, check=False).returncode

        wait(listens, f"{self.command[0]} listening")

    def kill(self) -> None:
        """End it, and all that it started, at once."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)
        self.process = None


def _owner(name: str) -> str | None:
    """Return as whom a server runs: servers refuse to run as root."""
    return name if os.getuid() == 0 else None


def _let_in(folder: Path, user: str | None) -> None:
    """Let ``user`` into ``folder`` and all above it that are the test's."""
    if user is not None:
        shutil.chown(folder, user)
        for above in folder.parents[: len(folder.parents) - 2]:
            above.chmod(above.stat().st_mode | 0o011)


def _copy_pair(certificate: Path, folder: Path, user: str | None) -> tuple[Path, Path]:
    """Give a server its certificate and key, which nobody else may read."""
    targets = folder / "server.pem", folder / "server.key"
    for source, target in zip((certificate, certificate.with_suffix(".key")), targets, strict=True):
        target.write_bytes(source.read_bytes())
        target.chmod(0o600)
        if user is not None:
            shutil.chown(target, user)
    return targets


def postgresql_process(folder: Path, certified: Path | None = None) -> ServerProcess:
    """Make a PostgreSQL cluster in ``folder``, whose administrator is ``postgres``.

    ``certified``: the certificate with which it offers TLS; its key stands beside it.
    """
    user, port = _owner("postgres"), free()
    folder.mkdir()
    _let_in(folder, user)
    data = folder / "data"
    subprocess.run(
        [program("initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, capture_output=True, user=user,
    )  # fmt: skip
    server = _postgresql_of(data, port, user)
    if certified is not None:
        certificate, key = _copy_pair(certified, folder, user)
        server.command += ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}",
                           "-c", f"ssl_key_file={key}"]  # fmt: skip
    return server


def postgresql_standby_process(folder: Path, primary: ServerProcess) -> ServerProcess:
    """Make a standby in ``folder`` that streams from ``primary``, which runs."""
    user, port = _owner("postgres"), free()
    folder.mkdir()
    _let_in(folder, user)
    data = folder / "data"
    subprocess.run(
        [program("pg_basebackup"), "-D", str(data), "-h", "127.0.0.1", "-p", str(primary.port),
         "-U", "postgres", "--checkpoint=fast", "--write-recovery-conf", "--no-sync"],
        check=True, capture_output=True, user=user,
    )  # fmt: skip
    return _postgresql_of(data, port, user)


def _postgresql_of(data: Path, port: int, user: str | None) -> ServerProcess:
    folder = data.parent
    command = [
        program("postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
        "-k", str(folder), "-c", "shared_buffers=32MB", "-c", "max_connections=200",
        "-c", "dynamic_shared_memory_type=mmap",  # a killed one leaves no shared memory behind
    ]  # fmt: skip
    ready = [program("pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
    return ServerProcess(command, port, folder.parent / "postgresql.log", user, ready=ready)


def mariadb_process(folder: Path, certified: Path | None = None) -> ServerProcess:
    """Make a MariaDB instance in ``folder``, whose administrator is ``root`` without a password.

    ``certified``: the certificate with which it offers TLS; its key stands beside it.
    """
    user, port = _owner("mysql"), free()
    folder.mkdir()
    _let_in(folder, user)
    data = folder / "data"
    subprocess.run(
        [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
         "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True, user=user,
    )  # fmt: skip
    command = [
        program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={port}",
        "--bind-address=127.0.0.1", f"--socket={folder}/mariadb.sock",
        "--innodb-buffer-pool-size=32M",
    ]  # fmt: skip
    if certified is not None:
        certificate, key = _copy_pair(certified, folder, user)
        command += [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    return ServerProcess(command, port, folder.parent / "mariadb.log", user)


def galera_process(folder: Path) -> ServerProcess:
    """Make a cluster of MariaDB in ``folder`` with one node; see ``mariadb_process``.

    Skips where there is no Galera; fails if REQUIRE_SERVICES says so.
    """
    libraries = sorted(map(str, Path("/usr").glob("lib*/galera*/libgalera_smm.so")))
    if not libraries:
        program("libgalera_smm.so")  # is on no path
    server = mariadb_process(folder)
    address = f"127.0.0.1:{free()}"
    server.command += [
        "--wsrep-on=ON", f"--wsrep-provider={libraries[0]}", "--wsrep-cluster-address=gcomm://",
        "--wsrep-new-cluster", f"--wsrep-node-address={address}", "--binlog-format=ROW",
        "--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=0",
        f"--wsrep-provider-options=gmcast.listen_addr=tcp://{address};gcache.size=4M",
    ]  # fmt: skip
    return server
