"""Loading the synthetic population into databases: files, and servers in bulk."""

from __future__ import annotations

from connectors.synthetic.loading.files import Summary, write
from connectors.synthetic.loading.servers import LOADERS, load
from connectors.synthetic.loading.target import NotLoaded, ServerTarget

__all__ = ["LOADERS", "NotLoaded", "ServerTarget", "Summary", "load", "write"]
