"""Tools from npm that tests use and that are not kept here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def npm_package(name: str, version: str, folder: Path) -> Path:
    """Install a package into a folder and return its own; skip the test where that cannot be done."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    command = [npm, "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    try:
        subprocess.run(
            [*command, "--prefix", str(folder), f"{name}@{version}"],
            check=True,
            capture_output=True,
            timeout=300,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"{name} cannot be had from npm")
    return folder / "node_modules" / name
