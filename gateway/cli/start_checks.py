"""Checks before the gateway serves. Each fault is a sentence that names the line of the settings.

Any other fault shows while the gateway starts, with a traceback in the log: that is a defect.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from gateway.audit.journal.files import lock
from gateway.settings import Settings
from gateway.settings.faults import setting_place


def start_faults(settings: Settings, file: Path | None) -> list[str]:
    """Return what keeps the gateway from starting, a line for each fault.

    ``file``: the settings file, if there is one.
    """
    return [
        *_operations(settings, file),
        *_client_secret(settings, file),
        *_journal(settings, file),
    ]


def port_fault(host: str, port: int) -> str | None:
    """Return why ``host:port`` cannot be listened on, None if it can. Port 0 always can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} of {host} is in use: choose another by --port"
            return f"{host}:{port} cannot be listened on: {error.strerror}"
    return None


def free_port(host: str) -> int:
    """Return a port of ``host`` that nobody listens on now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _operations(settings: Settings, file: Path | None) -> Iterator[str]:
    folder = settings.operations.folder
    if folder is None:
        return
    path = settings.path(folder)
    if not path.is_dir():
        yield f"{setting_place(file, ('operations', 'folder'))}: there is no folder {path}"
    elif not os.access(path, os.R_OK | os.X_OK):
        yield f"{setting_place(file, ('operations', 'folder'))}: the folder {path} cannot be read"


def _client_secret(settings: Settings, file: Path | None) -> Iterator[str]:
    try:
        settings.client_secret()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        place = setting_place(file, ("sign_in", "client_secret_file"))
        yield f"{place}: the secret cannot be read: {reason}"


def _journal(settings: Settings, file: Path | None) -> Iterator[str]:
    path = settings.path(settings.audit.folder)
    place = setting_place(file, ("audit", "folder"))
    try:
        path.mkdir(parents=True, exist_ok=True)
        os.close(lock(path))
    except BlockingIOError:
        yield f"{place}: the journal in {path} is in use by another gateway: each needs its own"
    except OSError as error:
        yield f"{place}: the journal cannot be written in {path}: {error.strerror or error}"
