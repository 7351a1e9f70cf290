"""What every store raises whose place does not answer."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The store does not answer; for logs."""
