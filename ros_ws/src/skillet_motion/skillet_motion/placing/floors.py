"""What things are put down on, and what stands beside them there."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_core.scene import Box, SceneState, TaskDescription
from skillet_motion.grasping.surface import body_vertices
from skillet_motion.placing.spots import Outline
from skillet_motion.planning_scene import PlanningScene

_UPRIGHT = np.cos(np.deg2rad(25.0))
_TOUCHING = 0.002


def floor_of(task: TaskDescription, world: SceneState, target: str) -> tuple[Box, Pose]:
    """Return the box whose lower face things are put down on, and its frame, z upwards.

    For a container it is the interior; for anything else a flat box on its upmost side.

    Raises:
        PlanningError: NO_ROOM: it leans.
    """
    described, pose = task.object(target), world.object(target).pose
    box = described.interior or described.bounds
    axes = pose.rotation.as_matrix()
    up = int(np.argmax(np.abs(axes[2])))
    if abs(axes[2, up]) < _UPRIGHT or (described.interior is not None and axes[2, 2] < _UPRIGHT):
        raise PlanningError(f"{target} leans: nothing stays on it", PlanningFailure.NO_ROOM)
    if described.interior is not None:
        return box, pose
    order = [(up + 1) % 3, (up + 2) % 3, up]
    columns = axes[:, order]
    columns[:, 1:] *= np.sign(columns[2, 2]) or 1.0
    size = np.array(box.size)[order]
    top = pose.apply(np.array(box.center)) + columns[:, 2] * size[2] / 2
    return Box(size=(size[0], size[1], 0.0)), Pose(top, Rotation.from_matrix(columns))


def outlines_beside(
    scene: PlanningScene, world: SceneState, target: str, held: str, *, span: tuple[float, float]
) -> list[Outline]:
    """Return the outlines of what stands beside a target's floor, not below it or around it.

    Args:
        scene: its model has the shapes.
        world: where everything is.
        target: what the floor belongs to.
        held: object that is to be put there; it is in nobody's way.
        span: heights of the floor and of the highest that counts, world frame [m].
    """
    names = [name for name in world.objects if name not in {target, held}]
    around = world.object(target).pose.apply(body_vertices(scene.model, target))
    outlines = []
    for name in names:
        vertices = body_vertices(scene.model, name)
        if len(vertices) == 0:
            continue
        vertices = world.object(name).pose.apply(vertices)
        if vertices[:, 2].max() < span[0] + _TOUCHING or vertices[:, 2].min() > span[1]:
            continue
        movable = name in scene.added or scene.task.object(name).kind == "movable"
        if movable or not _overlap(vertices, around):
            outlines.append(Outline.of(vertices))
    return outlines


def _overlap(first: Array, second: Array) -> bool:
    """Whether the boxes around two sets of points share more than a face."""
    lower = np.maximum(first.min(axis=0), second.min(axis=0))
    return bool((np.minimum(first.max(axis=0), second.max(axis=0)) - lower > _TOUCHING).all())
