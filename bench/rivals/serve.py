"""Our gateway as ``justice-gateway serve`` runs it, with a settings file as the argument.

A second argument names a file: the process then samples itself (``bench.rivals.profile``), and
writes there what it counted each time it gets SIGUSR1.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from bench.rivals.profile import function_of, write_samples
from bench.verbs import sampling
from connectors.registry import installed_databases
from gateway.app import build_app
from gateway.http.server import serve_app
from gateway.runtime.garbage import tune_process
from gateway.settings import load
from gateway.telemetry.logs import configure


def main() -> None:
    """Serve until the process is told to stop."""
    configure("WARNING")
    settings = load(Path(sys.argv[1]))
    app = build_app(settings, installed_databases())
    tune_process()
    with ExitStack() as stack:
        if len(sys.argv) > 2:
            samples, path = stack.enter_context(sampling(function_of)), Path(sys.argv[2])
            signal.signal(signal.SIGUSR1, lambda *_: write_samples(samples, path))
        serve_app(app, settings, settings.host, settings.port)


if __name__ == "__main__":
    main()
