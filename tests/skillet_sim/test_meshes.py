"""Meshes keep their colours and shape, and the cache is safe when several processes fill it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from skillet_sim import meshes
from skillet_sim.files import write_atomically

RED, BLUE = (200, 20, 10, 255), (10, 20, 200, 255)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILLET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def two_colours(tmp_path: Path) -> Path:
    """A red ball of 20480 faces and a blue box beside it, as a DAE."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.1)
    box = trimesh.creation.box(
        (0.1, 0.1, 0.1), transform=trimesh.transformations.translation_matrix((0.3, 0, 0))
    )
    for mesh, rgba in ((ball, RED), (box, BLUE)):
        mesh.visual = trimesh.visual.TextureVisuals(
            material=trimesh.visual.material.PBRMaterial(baseColorFactor=rgba)
        )
    path = tmp_path / "thing.dae"
    path.write_bytes(trimesh.exchange.dae.export_collada([ball, box]))
    return path


def test_a_mesh_is_split_by_colour(two_colours: Path) -> None:
    parts = meshes.visual_submeshes(two_colours, 1.0)
    colours = sorted(tuple(round(255 * c) for c in part.rgba) for part in parts)
    assert colours == sorted([RED, BLUE])


def test_decimation_keeps_shape_and_budget(two_colours: Path) -> None:
    parts = {tuple(round(255 * c) for c in p.rgba): p for p in meshes.visual_submeshes(two_colours, 1.0)}
    ball = trimesh.load_mesh(parts[RED].file)
    assert len(ball.faces) <= meshes.MAX_FACES
    radii = np.linalg.norm(ball.vertices, axis=1)
    assert radii == pytest.approx(np.full_like(radii, 0.1), abs=1e-3)
    assert len(trimesh.load_mesh(parts[BLUE].file).faces) == 12


def test_a_hull_is_convex_cheap_and_tight(two_colours: Path, tmp_path: Path) -> None:
    source = tmp_path / "ball.stl"
    trimesh.creation.icosphere(subdivisions=5, radius=0.1).export(source)
    hull = trimesh.load_mesh(meshes.collision_hull(source))
    assert hull.is_convex
    assert len(hull.faces) <= meshes.HULL_FACES
    assert hull.volume == pytest.approx(4 / 3 * np.pi * 0.1**3, rel=0.1)


def test_a_changed_source_is_converted_anew(tmp_path: Path) -> None:
    source = tmp_path / "box.stl"
    trimesh.creation.box((1, 1, 1)).export(source)
    before = meshes.collision_hull(source)
    trimesh.creation.box((1, 1, 2)).export(source)
    after = meshes.collision_hull(source)
    assert before != after
    assert trimesh.load_mesh(after).extents == pytest.approx([1, 1, 2])


def test_a_second_call_uses_the_cache(two_colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = meshes.visual_submeshes(two_colours, 1.0)
    monkeypatch.setattr(meshes.trimesh, "load_scene", lambda _: pytest.fail("converted a second time"))
    assert meshes.visual_submeshes(two_colours, 1.0) == first


def test_processes_may_fill_the_cache_together(two_colours: Path, cache: Path) -> None:
    code = (
        "import sys, pathlib; from skillet_sim.meshes import visual_submeshes as v; "
        "print([p.file.read_bytes()[80:84] for p in v(pathlib.Path(sys.argv[1]), 1.0)])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", code, str(two_colours)]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    printed = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(printed) == 1
    assert not [file for file in cache.rglob(".*") if file.is_file()]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "file", "text")
    assert list(tmp_path.iterdir()) == []
