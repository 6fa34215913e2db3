"""How dependably an object is grasped: many seeded trials, counted, with reasons and advice.

A trial puts the task's objects where its seed says, runs the skill ``grasp`` on one of them in the
simulator, and asks the scene whether the object is held and has been lifted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial import ConvexHull

from skillet_core.errors import SkilletError
from skillet_core.evaluation import is_grasped
from skillet_core.geometry import Array
from skillet_core.manipulation import GraspMode
from skillet_core.robot import load_robot
from skillet_core.scene import load_task, task_names
from skillet_core.statistics import wilson_interval
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.grasping.surface import body_vertices
from skillet_motion.skills import run_skill
from skillet_sim.world import World

LIFTED = 0.05
"""How far the object has to have risen [m]; the skill lifts it by twice as much."""
EASIER_FRICTION = 2.0
"""Factor by which a failed trial's object is made rougher to find out whether it slipped."""
MUCH_EASIER = 0.5
"""Share of an object's failures that roughness has to cure to become advice."""
MARGIN = 0.004
"""How much wider than an object the fingers have to open [m]."""
GAP_ALLOWED = 0.005
"""Difference between what is seen and what is touched that grasping forgives [m]."""
LAST_SHOWN_GROUP = 2
"""MuJoCo draws the groups of geometries up to this one; shapes for collisions alone are beyond."""
_RAYS = 400


@dataclass(frozen=True)
class Trial:
    """One thing to try."""

    robot: str
    task: str
    object: str
    mode: GraspMode
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What became of a trial; ``reason`` is empty on success."""

    trial: Trial
    success: bool
    reason: str
    phase: str


@dataclass(frozen=True)
class Summary:
    """Every outcome of one object with one robot in one mode."""

    robot: str
    object: str
    mode: GraspMode
    successes: int
    trials: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def rate(self) -> float:
        """Share of successes, 0 to 1."""
        return self.successes / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's bounds of the rate at 95 %."""
        return wilson_interval(self.successes, self.trials)


class GraspBench:
    """A simulator that is used for one trial after another, all of one robot in one task."""

    def __init__(self, robot: str, task: str, *, rough: str | None = None) -> None:
        """Build the world.

        Args:
            robot: name in ``urdf/robots``.
            task: name in ``assets/tasks``.
            rough: object whose friction is `EASIER_FRICTION` times what it is.

        Raises:
            SkilletError: there is no such robot or task.
        """
        self.world = World(load_robot(robot), load_task(task))
        self.robot = DirectRobot(self.world)
        if rough is not None:
            geoms = self.world.model.geom_bodyid == self.world.model.body(rough).id
            self.world.model.geom_friction[geoms, 0] *= EASIER_FRICTION

    def run(self, trial: Trial) -> Outcome:
        """Run one trial."""
        self.robot.reset(trial.seed)
        before = float(self.robot.scene().object(trial.object).pose.position[2])
        phases = ["plan"]
        try:
            result = run_skill(
                self.robot, "grasp", {"object": trial.object, "mode": trial.mode}, phases.append
            )
        except SkilletError as error:
            return Outcome(trial, success=False, reason=str(error), phase=phases[-1])
        scene = self.robot.scene()
        risen = float(scene.object(trial.object).pose.position[2]) - before
        held = is_grasped(trial.object, scene, self.robot.description.gripper)
        if result.success and not (held and risen > LIFTED):
            reason = f"the skill reported success, but {trial.object} is {'not held' if not held else 'low'}"
            return Outcome(trial, success=False, reason=reason, phase=phases[-1])
        return Outcome(trial, result.success, result.reason, phases[-1])


def graspable_objects() -> dict[str, str]:
    """Return every shipped movable object with the task in which it is tried."""
    found: dict[str, str] = {}
    for task in task_names():
        description = load_task(task)
        if not description.scene.endswith(".xml"):
            continue
        for name, entry in description.objects.items():
            if entry.kind == "movable":
                found.setdefault(name, task)
    return found


def run_trials(trials: Sequence[Trial], report: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Run trials in order, building a world only when robot or task changes."""
    outcomes: list[Outcome] = []
    built: tuple[str, str] | None = None
    for trial in trials:
        if built != (trial.robot, trial.task):
            built = trial.robot, trial.task
            bench = GraspBench(*built)
        outcomes.append(bench.run(trial))
        report(outcomes[-1])
    return outcomes


def summarise(outcomes: Iterable[Outcome]) -> list[Summary]:
    """Count outcomes by robot, object and mode, worst first."""
    groups: dict[tuple[str, str, GraspMode], list[Outcome]] = {}
    for outcome in outcomes:
        trial = outcome.trial
        groups.setdefault((trial.robot, trial.object, trial.mode), []).append(outcome)
    summaries = []
    for (robot, name, mode), group in groups.items():
        reasons = Counter(_kind_of(o.reason, name) for o in group if not o.success)
        successes = sum(o.success for o in group)
        summaries.append(Summary(robot, name, mode, successes, len(group), tuple(reasons.most_common())))
    return sorted(summaries, key=lambda s: (s.rate, s.robot, s.object, s.mode))


def _kind_of(reason: str, name: str) -> str:
    """Return a reason without the names and numbers that differ from trial to trial."""
    text = re.sub(rf"\b{re.escape(name)}\b", "it", reason.removeprefix("grasp: "))
    return re.sub(r"-?\d+(\.\d+)?", "#", text).split(":")[0]


def advise(failures: Sequence[Outcome]) -> list[str]:
    """Find out what would have made one object's failed trials succeed, by measuring and by trying.

    Args:
        failures: failed trials of one object with one robot in one mode; none: no advice.

    Returns:
        Sentences: too big, too slippery, a bad collision mesh, or that none of these is the cause.
    """
    if not failures:
        return []
    trial = failures[0].trial
    name, count = trial.object, len(failures)
    robot = load_robot(trial.robot)
    model = World(robot, load_task(trial.task)).model
    advice = []
    width, room = narrowest_width(model, name), robot.gripper.max_opening - MARGIN
    if width > room:
        advice.append(
            f"{name} is too big: its narrowest side is {1e3 * width:.0f} mm, and the gripper takes "
            f"{1e3 * room:.0f} mm. Scale it by {room / width:.2f}, or use a gripper that opens wider."
        )
    gap = collision_gap(model, name)
    if gap > GAP_ALLOWED:
        advice.append(
            f"{name} has a bad collision mesh: it differs from what is seen by {1e3 * gap:.0f} mm. "
            "Decompose it into convex parts, or build it of primitives."
        )
    rough = GraspBench(trial.robot, trial.task, rough=name)
    cured = sum(rough.run(failure.trial).success for failure in failures)
    if cured >= MUCH_EASIER * count:
        advice.append(
            f"{name} is too slippery: with {EASIER_FRICTION:g} times its friction {cured} of {count} "
            "failures succeed. Raise `friction` or `condim` in its MJCF, or grasp with more force."
        )
    return advice or [f"{name}: neither its size, its friction nor its collision mesh explains the failures."]


def narrowest_width(model: mujoco.MjModel, body: str) -> float:
    """Return the least distance [m] between a face of the object's convex hull and the plane behind it."""
    vertices = body_vertices(model, body)
    normals = ConvexHull(vertices).equations[:, :3]
    return float(np.ptp(vertices @ normals.T, axis=0).min())


def collision_gap(model: mujoco.MjModel, body: str) -> float:
    """Return how far an object's collision geometry lies off its visual one [m].

    Rays from all around towards the body's centre hit both; the result is the 90th percentile of the
    differences, so that a small detail does not count. 0 where the body is drawn as it collides.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    geoms = np.flatnonzero(model.geom_bodyid == model.body(body).id)
    solid = geoms[(model.geom_contype[geoms] | model.geom_conaffinity[geoms]) != 0]
    shown = geoms[model.geom_group[geoms] <= LAST_SHOWN_GROUP]
    if not len(solid) or not len(shown):
        return 0.0
    center = data.geom_xpos[solid].mean(axis=0)
    gaps = []
    for direction in _directions(np.random.default_rng(0)):
        hits = [_hit(model, data, group, center + direction, -direction) for group in (solid, shown)]
        if np.isfinite(hits).all():
            gaps.append(abs(hits[0] - hits[1]))
    return float(np.quantile(gaps, 0.9)) if gaps else 0.0


def _directions(rng: np.random.Generator) -> Array:
    """Return unit vectors all around, shape (`_RAYS`, 3)."""
    directions = rng.normal(size=(_RAYS, 3))
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def _hit(model: mujoco.MjModel, data: mujoco.MjData, geoms: Array, start: Array, ray: Array) -> float:
    """Return the distance along a ray to the nearest of some geoms [m]; infinity: it misses all."""
    nearest = np.inf
    for geom in geoms:
        if int(model.geom_type[geom]) == int(mujoco.mjtGeom.mjGEOM_MESH):
            distance = mujoco.mj_rayMesh(model, data, geom, start, ray)
        else:
            place = data.geom_xpos[geom], data.geom_xmat[geom], model.geom_size[geom]
            distance = mujoco.mju_rayGeom(*place, start, ray, model.geom_type[geom])
        if 0.0 <= distance < nearest:
            nearest = distance
    return nearest
