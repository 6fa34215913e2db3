"""Vendor meshes made fit for MuJoCo: split by colour, decimated, in formats that it reads.

Full meshes render twenty times slower. Results are kept in the cache under a hash of the source
files' content and of this module's settings.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fast_simplification
import numpy as np
import trimesh

from skillet_core.resources import cache_dir
from skillet_sim.files import write_atomically

Color = tuple[float, float, float, float]
Mesh = Any
"""A `trimesh.Trimesh`; the package has no type hints."""

FACES_PER_METRE, MIN_FACES, MAX_FACES = 10_000, 500, 2200
"""Faces that a visual mesh keeps: so many by the length of its bounding box's diagonal, within these bounds.

Shared by its colours as they share them in the source, but a colour keeps `MIN_COLOR_FACES` of what it
has: long tubes are made of few triangles and would be dented first.
"""
MIN_COLOR_FACES = 400
HULL_FACES = 120
"""Faces of a collision hull; collision checks cost by the vertex."""
_VERSION = 1
"""To be raised when the conversion changes, so that files made before are not used."""


@dataclass(frozen=True)
class Submesh:
    """One colour of a mesh.

    Attributes:
        file: STL in the cache, in the units of the source.
        rgba: each 0 to 1; None: the source has no colour.
    """

    file: Path
    rgba: Color | None


def visual_submeshes(source: Path, scale: float) -> tuple[Submesh, ...]:
    """Return a mesh as one decimated file a colour.

    Args:
        source: a file of any format that trimesh reads; OBJ, DAE and STL among them.
        scale: metres in one of its units; decides how many faces are kept.
    """
    index = _target(
        source, f"visual {scale} {FACES_PER_METRE} {MIN_FACES} {MAX_FACES} {MIN_COLOR_FACES}", ".json"
    )
    if not index.exists():
        _convert_visual(source, scale, index)
    entries = json.loads(index.read_text(encoding="utf-8"))
    return tuple(
        Submesh(index.with_name(entry["file"]), tuple(entry["rgba"]) if entry["rgba"] else None)
        for entry in entries
    )


def collision_hull(source: Path) -> Path:
    """Return a mesh's convex hull, decimated to `HULL_FACES` faces and still convex, as an STL file."""
    target = _target(source, f"hull {HULL_FACES}", ".stl")
    if not target.exists():
        hull = trimesh.load_mesh(source).convex_hull
        # decimation can dent a hull, hence the hull of the result
        write_atomically(target, _stl(_decimated(hull, HULL_FACES).convex_hull))
    return target


def _target(source: Path, purpose: str, suffix: str) -> Path:
    digest = hashlib.sha256(f"{_VERSION} {purpose} {trimesh.__version__}".encode())
    for path in (source, source.with_suffix(".mtl")):
        if path.exists():
            digest.update(path.read_bytes())
    return cache_dir() / "meshes" / f"{source.stem}-{digest.hexdigest()[:16]}{suffix}"


def _convert_visual(source: Path, scale: float, index: Path) -> None:
    groups: dict[Color | None, list[Mesh]] = {}
    for geometry in trimesh.load_scene(source).dump():
        if isinstance(geometry, trimesh.Trimesh) and len(geometry.faces) > 0:
            groups.setdefault(_color(geometry), []).append(geometry)
    merged = {rgba: _merged(parts) for rgba, parts in groups.items()}
    corners = np.concatenate([mesh.bounds for mesh in merged.values()])
    diagonal = scale * float(np.linalg.norm(np.ptp(corners, axis=0)))
    budget = np.clip(FACES_PER_METRE * diagonal, MIN_FACES, MAX_FACES)
    total = sum(len(mesh.faces) for mesh in merged.values())
    entries = []
    for number, (rgba, mesh) in enumerate(merged.items()):
        share = max(MIN_COLOR_FACES, round(budget * len(mesh.faces) / total))
        file = index.with_name(f"{index.stem}-{number}.stl")
        write_atomically(file, _stl(_decimated(mesh, share)))
        entries.append({"file": file.name, "rgba": rgba})
    write_atomically(index, json.dumps(entries).encode())


def _color(geometry: Mesh) -> Color | None:
    material = getattr(geometry.visual, "material", None)
    if material is None:
        return None
    r, g, b, a = (float(channel) / 255 for channel in material.main_color)
    return (r, g, b, a)


def _merged(parts: list[Mesh]) -> Mesh:
    """Join meshes into one without their colours and texture coordinates."""
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    vertices = np.concatenate([part.vertices for part in parts])
    faces = np.concatenate([part.faces + offset for part, offset in zip(parts, offsets, strict=True)])
    return trimesh.Trimesh(vertices, faces, process=True)


def _decimated(mesh: Mesh, faces: int) -> Mesh:
    if len(mesh.faces) <= faces:
        return mesh
    points, triangles = fast_simplification.simplify(
        np.asarray(mesh.vertices, dtype=np.float32), np.asarray(mesh.faces), target_count=faces
    )
    return trimesh.Trimesh(points, triangles, process=True)


def _stl(mesh: Mesh) -> bytes:
    return bytes(mesh.export(file_type="stl"))
