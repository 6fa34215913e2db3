"""`OmplPlanner`: the `MotionPlanner` that Skillet carries with it.

A free motion tries the straight segment in joint space first: to the solutions of the inverse kinematics
that are at hand, then to all, nearest first; only then it searches. A linear motion is followed by
continuation of the inverse kinematics and never replaced by a free one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from skillet_core.errors import PlanningError, PlanningFailure, UnknownNameError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, MotionGoal, PlanRequest, PoseGoal
from skillet_core.scene import SceneState
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.cartesian import cartesian_path
from skillet_motion.goals import MAX_GOALS, check_positions, joint_goal, pose_goals, quick_goals
from skillet_motion.path_timing import Limits, time_curve, time_polyline
from skillet_motion.planning_scene import PlanningScene
from skillet_motion.search import ITERATIONS, find_path


@dataclass(frozen=True, eq=False)
class Query:
    """A search problem: from one position to any of some.

    Attributes:
        start: shape (n,) [rad].
        goals: collision-free, nearest first, each of shape (n,) [rad].
    """

    start: Array
    goals: tuple[Array, ...]


class OmplPlanner:
    """Plans motions of one robot in one task's scene. Not thread-safe."""

    def __init__(self, scene: PlanningScene) -> None:
        """Plan in a scene.

        Args:
            scene: shared with whoever changes it; its collision checks are updated by every plan.
        """
        self.scene, self._robot = scene, scene.robot
        robot = scene.robot
        self._lower, self._upper = robot.lower, robot.upper
        self._weights = np.min(robot.max_velocity) / robot.max_velocity
        self._jerk = np.array([joint.limits.jerk for joint in robot.joints])

    def grasp_pose(self, positions: Array) -> Pose:
        """Return where the grasp frame is in the world frame at arm positions, shape (n,) [rad]."""
        return self.scene.kinematics.forward(positions)

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        """Return a time-parameterised, collision-free trajectory from rest to rest.

        Raises:
            PlanningError: a field of the request is out of its range, the start is in collision with
                what, the goal unreachable and why, or no path was found after how many iterations.
            UnknownNameError: an object, a body or a planner is not there.
        """
        start = self.begin(request, state, scene)
        limits = self.limits(request)
        if isinstance(request.goal, CartesianGoal):
            goal = request.goal
            path = cartesian_path(self.scene.kinematics, self.scene.collisions, start, goal.waypoints)
            return self.time_curve(path.points, limits, path.stops)
        waypoints = self._at_hand(request.goal, start)
        if waypoints is None:
            waypoints = self.search(self.query(request, start), request)
        return self.time(waypoints, limits)

    def begin(self, request: PlanRequest, state: RobotState, scene: SceneState) -> Array:
        """Check a request, take over state and scene, and return the arm positions to plan from.

        Returns:
            Shape (n,) [rad].

        Raises:
            PlanningError: a field is out of its range, or the start is in collision or beyond the
                joints' limits.
            UnknownNameError: an object, a body or a planner is not there.
        """
        check_request(request)
        start = np.array(state.positions if request.start is None else request.start, dtype=np.float64)
        check_positions(self._robot, start, "start")
        self.scene.update(
            state,
            scene,
            attached=request.attached,
            touching=request.touching,
            allowed_contacts=request.allowed_contacts,
        )
        self.scene.collisions.tolerate_start(start)
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
                return Query(start, (joint_goal(self.scene, positions),))
            case PoseGoal(poses=poses):
                goals = pose_goals(self.scene, poses, start, weights=self._weights, seed=request.seed)
                return Query(start, tuple(goals))
            case CartesianGoal():
                message = "a linear goal is followed, not searched: use plan"
                raise PlanningError(message, PlanningFailure.INVALID_REQUEST)

    def search(self, query: Query, request: PlanRequest) -> Array:
        """Return the corners of a free path, shape (k, n) [rad].

        Args:
            query: from where to where.
            request: for planner, iterations and seed.

        Raises:
            PlanningError: none was found, after how many iterations.
        """
        straight = self._straight(query.start, query.goals)
        if straight is not None:
            return straight
        goals = query.goals[:MAX_GOALS]
        result = find_path(
            query.start,
            goals,
            self.scene.collisions.is_free,
            lower=self._lower,
            upper=self._upper,
            seed=request.seed,
            iterations=request.iterations,
            planner=request.planner,
            segment_free=self.scene.collisions.segment_is_free,
        )
        if result.waypoints is None:
            raise PlanningError(
                f"no path after {result.iterations} iterations to any of {len(goals)} goal positions: "
                "obstacles enclose the start or the goal, or the passage is too narrow",
                PlanningFailure.NO_PATH,
            )
        return result.waypoints

    def _at_hand(self, goal: MotionGoal, start: Array) -> Array | None:
        """Return a straight segment to a pose's nearest solutions, which most motions in the open are."""
        if not isinstance(goal, PoseGoal):
            return None
        goals = quick_goals(self.scene, goal.poses, start, weights=self._weights)
        return self._straight(start, goals)

    def _straight(self, start: Array, goals: Sequence[Array]) -> Array | None:
        """Return the ends of the first free straight segment to a goal, shape (2, n), if there is one."""
        for goal in goals:
            if self.scene.collisions.segment_is_free(start, goal):
                return np.array([start, goal])
        return None

    def time(self, waypoints: Array, limits: Limits) -> JointTrajectory:
        """Round a path's corners as far as that stays free, and time it: see `time_polyline`."""
        return time_polyline(waypoints, self._robot.joint_names, limits, self.scene.collisions.curve_is_free)

    def time_curve(self, points: Array, limits: Limits, stops: Iterable[int] = ()) -> JointTrajectory:
        """Time a curve that was checked, as it is: see `skillet_motion.path_timing.time_curve`."""
        return time_curve(points, stops, self._robot.joint_names, limits)

    def limits(self, request: PlanRequest) -> Limits:
        """Return what a request's motion may not exceed."""
        speed, push = request.velocity_scaling, request.acceleration_scaling
        push = math.sqrt(speed) if push is None else push
        return Limits(self._robot.max_velocity * speed, self._robot.max_acceleration * push, self._jerk)


def check_request(request: PlanRequest) -> None:
    """Refuse what no planner can honour, before anything is looked at.

    Raises:
        PlanningError: a share beyond 0 to 1, fewer than one iteration, a negative seed, an empty goal.
        UnknownNameError: there is no such planner.
    """
    push = request.acceleration_scaling
    for what, share in (("velocity", request.velocity_scaling), ("acceleration", push)):
        if share is not None and not 0.0 < share <= 1.0:
            message = f"{what} scaling must be above 0 and at most 1, got {share}"
            raise PlanningError(message, PlanningFailure.INVALID_REQUEST)
    if request.planner not in ITERATIONS:
        raise UnknownNameError("planner", request.planner, ITERATIONS)
    if request.iterations is not None and request.iterations < 1:
        message = f"iterations must be at least 1, got {request.iterations}"
        raise PlanningError(message, PlanningFailure.INVALID_REQUEST)
    if request.seed < 0:
        message = f"a seed is 0 or greater, got {request.seed}"
        raise PlanningError(message, PlanningFailure.INVALID_REQUEST)
    goal = request.goal
    if isinstance(goal, PoseGoal) and not goal.poses:
        message = "the goal is an empty set of poses; give at least one"
        raise PlanningError(message, PlanningFailure.INVALID_REQUEST)
    if isinstance(goal, CartesianGoal) and not goal.waypoints:
        message = "the straight lines have no waypoints; give at least one"
        raise PlanningError(message, PlanningFailure.INVALID_REQUEST)
