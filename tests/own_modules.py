"""Modules and packages of somebody else's, as Python finds them."""

from __future__ import annotations

import sys
from pathlib import Path


def declare(folder: Path, package: str, group: str, **points: str) -> None:
    """Writes a package as it lies installed: entry points in a dist-info."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in points.items()))
    sys.path.append(str(folder / "."))  # so that installed packages are looked at again
