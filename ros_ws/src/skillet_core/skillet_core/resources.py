"""Where Skillet's data files are: robots, tasks, launch files, parameters.

They belong to the root package ``skillet``: its share folder where it is installed, the repository
itself where it is not. ``SKILLET_SHARE`` overrides both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pydantic
import yaml

from skillet_core.errors import InvalidFileError, SkilletError

Model = TypeVar("Model", bound=pydantic.BaseModel)


def _candidates() -> Iterator[Path]:
    if override := os.environ.get("SKILLET_SHARE"):
        yield Path(override)
        return
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            yield Path(prefix) / "share" / "skillet"
    yield from Path(__file__).resolve().parents


def share_dir() -> Path:
    """Return the folder that holds ``launch/``, ``urdf/`` and ``assets/``.

    Raises:
        SkilletError: no such folder was found.
    """
    for folder in _candidates():
        if (folder / "urdf" / "robots").is_dir() and (folder / "assets").is_dir():
            return folder
    msg = (
        "Skillet's data files were not found. Source the workspace (. ros_ws/install/setup.bash) "
        "or set SKILLET_SHARE to the repository's root."
    )
    raise SkilletError(msg)


def cache_dir() -> Path:
    """Return the folder for files derived from packages (converted meshes); made when missing."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("SKILLET_CACHE") or Path(root) / "skillet")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load_yaml(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a pydantic model.

    Raises:
        InvalidFileError: the file is missing, is not YAML or does not fit; every fault is named.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise InvalidFileError(msg) from error
    except yaml.YAMLError as error:
        msg = f"{path} is not valid YAML: {error}"
        raise InvalidFileError(msg) from error
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        msg = f"{path} does not fit {model.__name__}: {faults}"
        raise InvalidFileError(msg) from error
