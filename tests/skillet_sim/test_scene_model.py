"""Robots are put into scenes; a scene that does not fit its description is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
import pytest

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.geometry import Array
from skillet_core.robot import load_robot
from skillet_core.scene import ObjectDescription, load_task, task_names
from skillet_sim.scene_model import build_model, build_spec


def test_robot_bodies_carry_the_prefix_and_objects_do_not() -> None:
    model = build_model(load_robot("panda"), load_task("blocks"))
    names = {model.body(index).name for index in range(model.nbody)}
    assert {
        "red_block",
        "left_bin",
        "robot/panda_link0",
        "robot/panda_leftfinger",
        "robot/grasp_frame",
    } <= names


def test_the_robots_base_is_the_world_frame() -> None:
    for name in ("ur5e", "panda"):
        robot = load_robot(name)
        model = build_model(robot, load_task("blocks"))
        base = model.body(f"robot/{robot.base_frame}")
        assert base.pos == pytest.approx([0, 0, 0])
        assert base.quat == pytest.approx([1, 0, 0, 0])


def test_an_object_without_a_body_is_refused() -> None:
    task = load_task("blocks")
    ghost = ObjectDescription.model_validate({"phrases": ["ghost"], "bounds": {"size": [1, 1, 1]}})
    with pytest.raises(UnknownNameError, match="ghost"):
        build_spec(load_robot("panda"), task.model_copy(update={"objects": {**task.objects, "ghost": ghost}}))


def test_a_scene_that_is_not_mjcf_is_refused() -> None:
    task = load_task("blocks").model_copy(update={"scene": "task.yaml"})
    with pytest.raises(InvalidFileError, match=str(Path("blocks") / "task.yaml")):
        build_spec(load_robot("panda"), task)


def test_shadows_and_smoothing_are_off_unless_asked_for() -> None:
    robot, task = load_robot("panda"), load_task("blocks")
    plain = build_model(robot, task).vis.quality
    fine = build_model(robot, task, shadows=True, multisampling=4).vis.quality
    assert (plain.shadowsize, plain.offsamples) == (0, 0)
    assert fine.shadowsize > 0
    assert fine.offsamples == 4


def _reach(model: mujoco.MjModel, geom: int) -> Array:
    """Return how far a geom's surface reaches from its centre along its body's axes, shape (3,) [m]."""
    turn, size = np.zeros(9), model.geom_size[geom]
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
    axes = turn.reshape(3, 3)
    along = np.abs(axes[:, 2])
    shapes = mujoco.mjtGeom
    kind = shapes(int(model.geom_type[geom]))
    if kind == shapes.mjGEOM_SPHERE:
        return np.full(3, size[0])
    if kind == shapes.mjGEOM_CAPSULE:
        return size[0] + along * size[1]
    if kind == shapes.mjGEOM_CYLINDER:
        return along * size[1] + size[0] * np.sqrt(np.maximum(1 - along**2, 0))
    assert kind in {shapes.mjGEOM_BOX, shapes.mjGEOM_ELLIPSOID, shapes.mjGEOM_MESH}
    return np.abs(axes) @ model.geom_aabb[geom, 3:]


def _boxes(model: mujoco.MjModel, name: str, *, solid: bool = True) -> Iterator[tuple[Array, Array]]:
    """Yield the corners of the boxes around a body's geoms, in the body's frame."""
    for geom in np.flatnonzero(model.geom_bodyid == model.body(name).id):
        if bool(model.geom_contype[geom] or model.geom_conaffinity[geom]) == solid:
            center, reach = model.geom_pos[geom], _reach(model, geom)
            yield center - reach, center + reach


@pytest.mark.parametrize("name", task_names())
def test_bounds_are_tight_around_what_collides_and_around_what_is_seen(name: str) -> None:
    task = load_task(name)
    model = build_model(load_robot("panda"), task)
    for other, description in task.objects.items():
        lower, upper = (np.array(corners) for corners in zip(*_boxes(model, other), strict=True))
        np.testing.assert_allclose(lower.min(axis=0), description.bounds.lower, atol=1e-4, err_msg=other)
        np.testing.assert_allclose(upper.max(axis=0), description.bounds.upper, atol=1e-4, err_msg=other)
        for low, high in _boxes(model, other, solid=False):
            if description.kind == "surface":
                continue  # a table's bounds leave out its legs
            # a label stands out by the thickness of paint
            assert (low >= description.bounds.lower - 1e-3).all(), other
            assert (high <= description.bounds.upper + 1e-3).all(), other


@pytest.mark.parametrize("name", task_names())
def test_articulations_agree_with_the_joints(name: str) -> None:
    task = load_task(name)
    model = build_model(load_robot("panda"), task)
    types = {"prismatic": mujoco.mjtJoint.mjJNT_SLIDE, "revolute": mujoco.mjtJoint.mjJNT_HINGE}
    for other, description in task.objects.items():
        body = model.body(other)
        articulation = description.articulation
        if articulation is None:
            free = description.kind == "movable"
            assert [int(model.jnt_type[j]) for j in range(model.njnt) if model.jnt_bodyid[j] == body.id] == (
                [int(mujoco.mjtJoint.mjJNT_FREE)] if free else []
            )
            continue
        joint = model.joint(articulation.joint)
        assert int(joint.bodyid[0]) == body.id
        assert int(joint.type[0]) == int(types[articulation.kind])
        np.testing.assert_allclose(joint.axis, articulation.axis, atol=1e-9)
        low, high = sorted((articulation.closed, articulation.opened))
        assert joint.range[0] - 1e-9 <= low
        assert high <= joint.range[1] + 1e-9
        # a body starts with its joint at zero, which is closed; the axis goes through the origin
        assert model.qpos0[joint.qposadr[0]] == articulation.closed
        if articulation.kind == "revolute":
            offset = np.cross(np.array(articulation.origin) - joint.pos, articulation.axis)
            np.testing.assert_allclose(offset, 0.0, atol=1e-9)


@pytest.mark.parametrize("name", task_names())
def test_handles_are_filled_with_something_to_hold(name: str) -> None:
    task = load_task(name)
    model = build_model(load_robot("panda"), task)
    for other, description in task.objects.items():
        handle = description.handle
        if handle is not None:
            shared = [
                np.prod(np.clip(np.minimum(high, handle.upper) - np.maximum(low, handle.lower), 0, None))
                for low, high in _boxes(model, other)
            ]
            assert max(shared) >= 0.9 * np.prod(handle.size), other


@pytest.mark.parametrize("name", task_names())
def test_hollows_are_hollow(name: str) -> None:
    """Nothing of a container reaches into its interior."""
    task = load_task(name)
    model = build_model(load_robot("panda"), task)
    for other, description in task.objects.items():
        if description.interior is not None:
            for low, high in (*_boxes(model, other), *_boxes(model, other, solid=False)):
                apart = (low >= description.interior.upper - 1e-9) | (
                    high <= description.interior.lower + 1e-9
                )
                assert apart.any(), other
