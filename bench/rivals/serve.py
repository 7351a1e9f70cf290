"""Our gateway as ``justice-gateway serve`` runs it, with a settings file as the argument."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from connectors.registry import installed_databases
from gateway.app import build_app
from gateway.runtime.garbage import tune_process
from gateway.settings import load
from gateway.telemetry.logs import configure

if __name__ == "__main__":
    configure("WARNING")
    settings = load(Path(sys.argv[1]))
    app = build_app(settings, installed_databases())
    tune_process()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        log_level="warning",
    )
