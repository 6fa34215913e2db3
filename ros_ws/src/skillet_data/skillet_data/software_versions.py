"""Which software made a recording."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_DISTRIBUTIONS = ("mujoco", "ros-rclpy", "ompl", "numpy", "mcap", "rosbags")


def _commit(folder: Path) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=5.0,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def software_versions() -> dict[str, str]:
    """Return name → version of what matters to a recording; what is not installed is left out.

    Skillet's own version is its git commit where it runs from a checkout.
    """
    versions = {"python": platform.python_version()}
    for name in (*_DISTRIBUTIONS, "skillet_data"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    own = versions.pop("skillet_data", None)
    skillet = _commit(Path(__file__).resolve().parent) or own
    if skillet:
        versions["skillet"] = skillet
    return versions
