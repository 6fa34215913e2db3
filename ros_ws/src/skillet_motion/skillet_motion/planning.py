"""`OmplPlanner`: the `MotionPlanner` that Skillet carries with it.

A free motion tries the straight segment in joint space first, to each solution of the inverse
kinematics, nearest first; only then it searches, by RRT-Connect. A linear motion is followed by
continuation of the inverse kinematics and never replaced by a free one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.cartesian import straight_line
from skillet_motion.collision import CollisionWorld, Overlap
from skillet_motion.kinematics import ArmKinematics
from skillet_motion.rrt import CHECK_STEP, connect, polyline_is_free, segment_is_free
from skillet_motion.time_parameterization import (
    JointPath,
    at_rest,
    interpolated_path,
    parameterize,
    rounded_path,
)
from skillet_sim.scene_model import build_spec

IK_SEEDS = 12
"""Inverse kinematics seeds for each pose of a goal."""
MAX_GOALS = 6
"""How many of the solutions, nearest first, a search may end at."""
NEAR_ITERATIONS, FULL_ITERATIONS = 2000, 4000
"""Iterations within a window around start and goals, then within the joints' whole range."""
_WINDOW = 1.6
_SPACINGS = (0.3, 0.12, 0.04)
_LIMIT_SLACK = 1e-3
_NO_MOTION = 1e-6


@dataclass(frozen=True, eq=False)
class Query:
    """A search problem: from one position to any of some.

    Attributes:
        start: shape (n,) [rad].
        goals: collision-free, nearest first, each of shape (n,) [rad].
    """

    start: Array
    goals: tuple[Array, ...]


def planner_for(robot: RobotDescription, task: TaskDescription) -> OmplPlanner:
    """Make a planner from a robot's and a task's files.

    Raises:
        SkilletError: see `skillet_sim.scene_model.build_spec`.
    """
    spec = build_spec(robot, task)
    # What is only looked at would have to be moved along in every check.
    for geom in [geom for geom in spec.geoms if not geom.contype and not geom.conaffinity]:
        spec.delete(geom)
    return OmplPlanner(robot, spec.compile())


class OmplPlanner:
    """Plans motions of one robot in one task's scene. Not thread-safe."""

    def __init__(self, robot: RobotDescription, model: mujoco.MjModel) -> None:
        """Prepare kinematics and collision checks.

        Args:
            robot: the robot's description.
            model: the robot (bodies and joints prefixed ``robot/``) in the task's scene.

        Raises:
            UnknownNameError: the model lacks a part of the robot.
        """
        self._robot = robot
        self._kinematics = ArmKinematics(
            model,
            [ROBOT_PREFIX + name for name in robot.joint_names],
            ROBOT_PREFIX + robot.gripper.grasp_frame,
            lower=robot.lower,
            upper=robot.upper,
            rest=robot.home,
        )
        self._world = CollisionWorld(model, robot)
        self._lower, self._upper = robot.lower, robot.upper
        self._weights = np.min(robot.max_velocity) / robot.max_velocity
        self._jerk = np.array([joint.limits.jerk for joint in robot.joints])

    def grasp_pose(self, positions: Array) -> Pose:
        """Return where the grasp frame is in the world frame at arm positions, shape (n,) [rad]."""
        return self._kinematics.forward(positions)

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        """Return a time-parameterised, collision-free trajectory from rest to rest.

        Raises:
            PlanningError: start in collision with what, goal unreachable and why, no path after how
                many iterations, or a speed out of range.
            UnknownNameError: an object is not in the scene.
        """
        if not 0.0 < request.velocity_scaling <= 1.0:
            raise PlanningError(f"speed must be above 0 and at most 1, got {request.velocity_scaling}")
        start = self.begin(request, state, scene)
        if isinstance(request.goal, CartesianGoal):
            points = straight_line(
                self._kinematics, self._world, start, request.goal.waypoints[-1], lower=self._lower, upper=self._upper
            )
            if len(points) == 1:
                return at_rest(points[0], self._robot.joint_names)
            path, end = interpolated_path(points)
            return self._timed(path, end, request.velocity_scaling)
        return self.time(self.search(self.query(request, start), request.seed), request.velocity_scaling)

    def begin(self, request: PlanRequest, state: RobotState, scene: SceneState) -> Array:
        """Take over state and scene, and return the arm positions to plan from, shape (n,) [rad].

        Raises:
            PlanningError: the start is in collision or beyond the joints' limits.
        """
        self._world.update(state, scene, attached=next(iter(request.attached), None), touching=request.touching)
        start = np.array(state.positions if request.start is None else request.start, dtype=np.float64)
        self._check_limits(start, "start")
        self._world.tolerate_start(start)
        # A measured position may lie a hair beyond a limit; the search must not start outside its bounds.
        self._lower = np.minimum(self._robot.lower, start)
        self._upper = np.maximum(self._robot.upper, start)
        return start

    def query(self, request: PlanRequest, start: Array) -> Query:
        """Turn a joint or pose goal into collision-free joint positions; `begin` comes first.

        Raises:
            PlanningError: the goal is beyond the limits, out of reach or in collision.
        """
        match request.goal:
            case JointGoal(positions=positions):
                goal = np.asarray(positions, dtype=np.float64)
                self._check_limits(goal, "goal")
                overlaps = self._world.overlaps(goal)
                if overlaps:
                    raise PlanningError(f"goal unreachable: in collision: {_listed(overlaps)}")
                return Query(start, (goal,))
            case PoseGoal(poses=poses):
                return Query(start, self._pose_solutions(poses, start, request.seed))
            case CartesianGoal():
                raise PlanningError("a linear goal is followed, not searched: use plan")

    def search(self, query: Query, seed: int) -> Array:
        """Return the corners of a free path, shape (k, n) [rad].

        Raises:
            PlanningError: none was found, after how many iterations.
        """
        start, is_free = query.start, self._world.is_free
        for goal in query.goals:
            if segment_is_free(start, goal, is_free):
                return np.array([start, goal])
        goals = query.goals[:MAX_GOALS]
        around = np.array([start, *goals])
        near = np.maximum(self._lower, around.min(axis=0) - _WINDOW)
        far = np.minimum(self._upper, around.max(axis=0) + _WINDOW)
        total = 0
        for lower, upper, iterations in (
            (near, far, NEAR_ITERATIONS),
            (self._lower, self._upper, FULL_ITERATIONS),
        ):
            result = connect(
                start, goals, is_free, lower=lower, upper=upper, seed=seed, iterations=iterations
            )
            total += result.iterations
            if result.waypoints is not None:
                return result.waypoints
        raise PlanningError(
            f"no path after {total} iterations to any of {len(goals)} goal positions: "
            "obstacles enclose the start or the goal, or the passage is too narrow"
        )

    def time(self, waypoints: Array, speed: float) -> JointTrajectory:
        """Round a path's corners as far as that stays free, and time it.

        Args:
            waypoints: shape (k, n) [rad].
            speed: share of the velocity limits, above 0, up to 1.
        """
        if len(waypoints) == 1 or float(np.abs(waypoints - waypoints[0]).max()) < _NO_MOTION:
            return at_rest(waypoints[-1], self._robot.joint_names)
        if len(waypoints) == 2:  # noqa: PLR2004 - a straight segment, which needs no rounding
            return self._timed(*rounded_path(waypoints, _SPACINGS[0]), speed)
        for spacing in _SPACINGS:
            path, end = rounded_path(waypoints, spacing)
            if not self._curve_is_free(path, end):
                continue
            trajectory = self._timed(path, end, speed)
            if polyline_is_free(trajectory.positions, self._world.is_free):
                return trajectory
        return self._with_stops(waypoints, speed)

    def _with_stops(self, waypoints: Array, speed: float) -> JointTrajectory:
        """Stop at every corner: slow, but exactly on the path that was checked."""
        legs = []
        for start, end in itertools.pairwise(waypoints):
            path, length = rounded_path(np.array([start, end]), _SPACINGS[0])
            legs.append(self._timed(path, length, speed))
        offsets = np.cumsum([0.0] + [leg.duration for leg in legs])
        joined: dict[str, list[Array]] = {"times": [], "positions": [], "velocities": [], "accelerations": []}
        for number, leg in enumerate(legs):
            begin = 1 if number else 0
            joined["times"].append(leg.times[begin:] + offsets[number])
            joined["positions"].append(leg.positions[begin:])
            joined["velocities"].append(np.asarray(leg.velocities)[begin:])
            joined["accelerations"].append(np.asarray(leg.accelerations)[begin:])
        return JointTrajectory(
            self._robot.joint_names, **{key: np.concatenate(parts) for key, parts in joined.items()}
        )

    def _timed(self, path: JointPath, end: float, speed: float) -> JointTrajectory:
        robot = self._robot
        return parameterize(
            path,
            end,
            robot.joint_names,
            velocity=robot.max_velocity * speed,
            acceleration=robot.max_acceleration * np.sqrt(speed),
            jerk=self._jerk,
        )

    def _curve_is_free(self, path: Callable[[Array], Array], end: float) -> bool:
        parameters = np.linspace(0.0, end, max(2, int(np.ceil(end / CHECK_STEP)) + 1))
        return all(self._world.is_free(point) for point in path(parameters))

    def _pose_solutions(self, poses: tuple[Pose, ...], start: Array, seed: int) -> tuple[Array, ...]:
        rng = np.random.default_rng(seed)
        reachable: list[Array] = []
        for pose in poses:
            reachable += self._kinematics.solutions(
                pose, start, rng=rng, seeds=IK_SEEDS, weights=self._weights
            )
        if not reachable:
            listed = "; ".join(str(np.round(pose.position, 3).tolist()) for pose in poses[:3])
            raise PlanningError(
                f"goal unreachable: the arm cannot bring its {self._robot.gripper.grasp_frame} "
                f"to {listed} m in the orientation asked for"
            )
        free = [solution for solution in reachable if self._world.is_free(solution)]
        if not free:
            overlaps = self._world.overlaps(reachable[0])
            raise PlanningError(
                f"goal unreachable: all {len(reachable)} joint positions that reach it collide, "
                f"the nearest with {_listed(overlaps)}"
            )
        free.sort(key=lambda solution: float(np.linalg.norm(self._weights * (solution - start))))
        return tuple(free)

    def _check_limits(self, positions: Array, what: str) -> None:
        robot = self._robot
        if positions.shape != robot.lower.shape or not np.isfinite(positions).all():
            raise PlanningError(
                f"the {what} must be {len(robot.joints)} finite joint positions, got {positions.tolist()}"
            )
        slack = _LIMIT_SLACK if what == "goal" else 10 * _LIMIT_SLACK
        for joint, position in zip(robot.joints, positions, strict=True):
            if not joint.limits.lower - slack <= position <= joint.limits.upper + slack:
                raise PlanningError(
                    f"{what} unreachable: {joint.name} at {position:.4f} rad is beyond its limits "
                    f"[{joint.limits.lower}, {joint.limits.upper}]"
                )


def _listed(overlaps: list[Overlap]) -> str:
    return ", ".join(dict.fromkeys(str(overlap) for overlap in overlaps[:3]))
