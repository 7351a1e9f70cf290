"""``python -m gateway`` is ``justice-gateway``."""

from gateway.cli import main

main()
