from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from skillet_core.scene import ObjectState, load_task
from skillet_core.trajectory import RobotState
from skillet_motion.clearance import links_of_bodies, shape_pairs
from skillet_motion.collision import CollisionWorld
from skillet_motion.search import CHECK_STEP, segment_is_free
from skillet_sim.world import World

SEGMENTS = 75
MISSED = 0.0035
"""Half of `CHECK_STEP` at a reach of 0.9 m [m]: as deep as states that far apart can miss."""


@pytest.fixture(scope="module", params=["blocks", "workbench"])
def scenery(robot, request):
    """A world with everything that moves on joints open, and an object in the gripper or none."""
    task = load_task(request.param)
    simulated = World(robot, task)
    simulated.reset(0)
    return task, simulated


def updated(scenery, robot, *, carrying):
    task, simulated = scenery
    model = simulated.model
    world = CollisionWorld(model, robot)
    scene = simulated.scene_state()
    opened = {name: 0.6 * model.joint(name).range[1] for name in scene.articulation}
    scene = replace(scene, articulation=opened)
    state = RobotState(0.0, robot.home, np.zeros_like(robot.home), 0.04)
    name = next(name for name, entry in task.objects.items() if entry.kind == "movable")
    if carrying:
        held = ObjectState(world.grasp_pose(state.positions))
        scene = replace(scene, objects={**scene.objects, name: held})
    world.update(state, scene, attached=[name] if carrying else [])
    return world


def segments(world, robot, seed):
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < SEGMENTS:
        start = robot.home + rng.normal(0.0, 0.6, len(robot.home))
        end = start + rng.normal(0.0, rng.choice([0.1, 0.4, 0.8]), len(robot.home))
        if world.is_free(start):
            found.append((start, end))
    return found


@pytest.mark.parametrize("carrying", [False, True])
def test_segments_are_as_free_as_their_states(scenery, robot, carrying):
    world = updated(scenery, robot, carrying=carrying)
    answers = []
    for start, end in segments(world, robot, seed=5):
        answers.append(world.segment_is_free(start, end))
        assert answers[-1] == segment_is_free(start, end, world.is_free)
        assert answers[-1] == world.segment_is_free(start, end)
        count = int(np.linalg.norm(end - start) / 0.002) + 1
        if answers[-1]:
            for state in np.linspace(start, end, count):
                depths = [0.003 - overlap.distance for overlap in world.overlaps(state)]
                assert max(depths, default=0.0) < MISSED
    assert 0.2 < np.mean(answers) < 0.98


def test_most_states_of_a_free_segment_are_proven_instead_of_checked(scenery, robot, monkeypatch):
    world = updated(scenery, robot, carrying=False)
    checked = []
    is_free = world.is_free
    monkeypatch.setattr(world, "is_free", lambda state: checked.append(state) or is_free(state))
    states = 0
    for start, end in segments(world, robot, seed=6):
        if world.segment_is_free(start, end):
            states += int(np.linalg.norm(end - start) / CHECK_STEP)
    assert len(checked) < 0.2 * states


def test_no_pair_approaches_faster_than_its_lever(scenery, robot):
    _, simulated = scenery
    model, data = simulated.model, mujoco.MjData(simulated.model)
    joints = np.array([model.joint("robot/" + name).id for name in robot.joint_names])
    addresses = model.jnt_qposadr[joints]
    data.qpos[addresses] = robot.home
    mujoco.mj_kinematics(model, data)
    gaps = np.zeros((model.nbody, model.nbody))
    pairs = shape_pairs(model, data, joints, links_of_bodies(model, joints), gaps)
    rng = np.random.default_rng(0)
    fastest = 0.0
    for _ in range(30):
        start, turn = rng.uniform(robot.lower, robot.upper), rng.normal(0.0, 0.1, len(joints))
        before, after = (distances(model, data, pairs, addresses, place) for place in (start, start + turn))
        allowed = pairs.levers @ np.abs(turn)
        apart = (before > 0.0) & (after > 0.0) & (allowed > 0.0)
        assert np.all(np.abs(after - before)[apart] < allowed[apart] + 1e-5)
        fastest = max(fastest, float(np.max(np.abs(after - before)[apart] / allowed[apart])))
    assert fastest > 0.5


def distances(model, data, pairs, addresses, positions):
    data.qpos[addresses] = positions
    mujoco.mj_kinematics(model, data)
    return np.array(
        [mujoco.mj_geomDistance(model, data, *geoms, 5.0, None) for geoms in pairs.geoms.tolist()]
    )
