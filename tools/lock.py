"""Renews constraints.txt: every package that pyproject.toml leads to, with its version.

    .venv/bin/python tools/lock.py

pip resolves the dependencies without installing anything. Versions that are locked already are kept as long
as they fit; remove a line, or the whole file, to let pip choose again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "constraints.txt"
HEADER = (
    "# Every package that Skillet is installed with, exactly. Made by tools/lock.py from pyproject.toml; "
    "valid for Python 3.11 to 3.13.\n"
)


def resolve() -> dict[str, str]:
    """Return the version of every needed package, by name.

    Raises:
        subprocess.CalledProcessError: pip finds no set of versions that fits; it has said why.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        locked = ["--constraint", str(LOCK)] if LOCK.is_file() else []
        subprocess.run([*command, "--report", str(report), *locked, *wanted], check=True)
        found = json.loads(report.read_text())["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in found}


def main() -> None:
    """Write the lock file."""
    versions = resolve()
    lines = [f"{name}=={versions[name]}\n" for name in sorted(versions, key=str.lower)]
    LOCK.write_text(HEADER + "".join(lines))
    print(f"{LOCK}: {len(lines)} packages")


if __name__ == "__main__":
    main()
