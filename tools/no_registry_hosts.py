"""Fail if a tracked lock or settings file names a package registry's host.

The product is installed on closed networks from whatever mirror is there; a host written down here
would be asked for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_SETTINGS = re.compile(
    r"(lock|\.toml|\.json|\.npmrc|\.cfg|\.ini|\.ya?ml|Dockerfile|requirements.*)$"
)
_HOST = re.compile(
    r'"resolved":\s*"http|^\s*(url|source|registry)\s*=.*https?://|index-url|--find-links[ =]',
    re.MULTILINE,
)


def main() -> int:
    """Print the files that name a host; return how many there are."""
    names = subprocess.run(
        ["git", "ls-files"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    naming = [
        name
        for name in names
        if _SETTINGS.search(name) and _HOST.search(Path(name).read_text("utf-8"))
    ]
    for name in naming:
        print(f"{name} names a package registry")
    return len(naming)


if __name__ == "__main__":
    sys.exit(main())
