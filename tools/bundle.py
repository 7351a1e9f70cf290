"""What goes with a bundle for a closed network: ``sbom.json``, ``images.txt``, ``SHA256SUMS``.

    python -m tools.bundle FOLDER         # the folder that holds the wheels

The list of components (CycloneDX 1.5) and of images is read from what pins them.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;\\]+)([^\n]*\\\n(?:\s+--hash=.*\n)+)", re.MULTILINE
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_IMAGE = re.compile(r"^\s+image: (\S+)$", re.MULTILINE)
SUMS = "SHA256SUMS"


def sbom(lock: str, version: str) -> dict[str, Any]:
    """Return the components that the text of ``requirements.lock`` pins, each with its hashes."""
    components = [
        {
            "type": "library",
            "name": name,
            "version": pinned,
            "purl": f"pkg:pypi/{name}@{pinned}",
            "hashes": [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(rest)],
        }
        for name, pinned, rest in _PINNED.findall(lock)
    ]
    product = {"type": "application", "name": "justice-gateway", "version": version}
    head = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1}
    return {**head, "metadata": {"component": product}, "components": components}


def images(compose: str) -> list[str]:
    """Return the images that the text of ``docker-compose.yml`` names, each once."""
    return sorted(set(_IMAGE.findall(compose)))


def checksums(folder: Path) -> str:
    """Return a line for each file below ``folder``, as ``sha256sum -c`` reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main(folder: Path, lock: str = "requirements.lock") -> None:
    """Write the three files into ``folder``; the checksums last, since they cover the others.

    ``lock``: the name of the lock file of what is in the bundle.
    """
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version is not None
    components = sbom((ROOT / lock).read_text("utf-8"), version[1])
    (folder / "sbom.json").write_text(json.dumps(components, indent=1) + "\n", "utf-8")
    image_names = images((ROOT / "docker-compose.yml").read_text("utf-8"))
    (folder / "images.txt").write_text("".join(f"{image}\n" for image in image_names), "utf-8")
    (folder / SUMS).write_text(checksums(folder), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
