"""``python -m gateway`` is ``justice-gateway``."""

from gateway.cli.main import main

main()
