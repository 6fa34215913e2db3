"""`MoveItPlanner`: the `MotionPlanner` whose paths MoveIt finds.

MoveIt searches; Skillet asks and answers for it. Before, the request and its goal are checked against
Skillet's own scene, so that what cannot be is refused at once and in words. Afterwards the path is
checked against that scene once more, since MoveIt's shapes of the robot are other ones, and is timed
within the limits of velocity, acceleration and jerk. MoveIt's draws have no seed: the same request gives
another path each time.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, PlanRequest, PoseGoal
from skillet_core.scene import SceneState
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.cartesian import JUMP
from skillet_motion.collision import listed
from skillet_motion.moveit.config import Pair, pair, read_srdf, unchecked_pairs
from skillet_motion.moveit.messages import Messages
from skillet_motion.moveit.requests import (
    JOINT_TOLERANCE,
    POSITION_TOLERANCE,
    ROTATION_TOLERANCE,
    Budget,
    cartesian_request,
    motion_plan_request,
    path_of,
    planner_id,
)
from skillet_motion.moveit.scene_messages import SceneContent, cleared_scene, planning_scene, robot_state
from skillet_motion.moveit.solids import Solid, owner_of, solids_of
from skillet_motion.planning import OmplPlanner

PATHS = 3
"""How many paths MoveIt is asked for, until one passes Skillet's own checks."""
OFF_LINE = 0.002
"""Largest distance of the grasp frame from a straight line [m]."""
_STRAIGHT = 1e-4
_WHOLE = 1 - 1e-6


class MoveIt(Protocol):
    """A running MoveIt. Messages go in and out; it blocks the calling thread."""

    follows_lines: bool
    """Whether `straight_line` works; ``moveit_py`` has no interface for it."""

    def apply(self, scene: Any) -> None:
        """Take over a ``moveit_msgs/PlanningScene``, which is a change of what there is.

        Raises:
            BackendUnavailableError: MoveIt does not answer.
            PlanningError: MoveIt refuses it.
        """

    def plan(self, request: Any) -> Any:
        """Return a ``trajectory_msgs/JointTrajectory`` for a ``moveit_msgs/MotionPlanRequest``.

        Raises:
            BackendUnavailableError: MoveIt does not answer.
            PlanningError: with MoveIt's reason.
        """

    def straight_line(self, request: Any) -> tuple[Any, float]:
        """Return a trajectory and the share of the way for a ``GetCartesianPath`` request.

        Raises:
            BackendUnavailableError: MoveIt does not answer.
            PlanningError: with MoveIt's reason.
        """


class MoveItPlanner:
    """Plans motions of one robot in one task's scene through MoveIt. Not thread-safe."""

    def __init__(
        self, embedded: OmplPlanner, moveit: MoveIt, messages: Messages, budget: Budget | None = None
    ) -> None:
        """Put MoveIt beside the embedded planner, on the same scene.

        Args:
            embedded: checks requests, goals and paths, and times them; follows straight lines where
                MoveIt has no interface for it.
            moveit: a running MoveIt with `moveit_config` of the same robot.
            messages: makes MoveIt's messages.
            budget: how long MoveIt may search.

        Raises:
            InvalidFileError: the robot has no SRDF.
        """
        self._embedded, self._moveit, self._messages = embedded, moveit, messages
        self._budget = budget or Budget()
        self._robot = embedded.scene.robot
        self._unchecked = unchecked_pairs(read_srdf(self._robot))
        self._solids: tuple[Any, Mapping[str, tuple[Solid, ...]]] | None = None

    def grasp_pose(self, positions: Array) -> Pose:
        """Return where the grasp frame is in the world frame at arm positions, shape (n,) [rad]."""
        return self._embedded.grasp_pose(positions)

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        """Return a time-parameterised, collision-free trajectory from rest to rest.

        Raises:
            PlanningError: the request, its start or its goal cannot be, or MoveIt found no path that
                passes Skillet's checks, and why.
            UnknownNameError: an object, a body or a planner is not there.
            BackendUnavailableError: MoveIt does not answer.
        """
        if isinstance(request.goal, CartesianGoal) and not self._moveit.follows_lines:
            return self._embedded.plan(request, state, scene)
        start = self._embedded.begin(request, state, scene)
        content = self._content(request, start, state, scene)
        if isinstance(request.goal, CartesianGoal):
            self._apply(content)
            return self._line(request, request.goal, content)
        planner_id(request)
        goals = self._embedded.query(request, start).goals
        self._apply(content)
        message = motion_plan_request(
            self._messages,
            self._robot,
            request,
            robot_state(self._messages, self._robot, content),
            self._budget,
        )
        for _ in range(PATHS):
            path = corners(path_of(self._moveit.plan(message), self._robot))
            waypoints = self._between(start, path, request, goals)
            obstacle = self._obstacle(waypoints)
            if obstacle is None:
                return self._embedded.time(waypoints, self._embedded.limits(request))
        raise PlanningError(
            f"{PATHS} paths of MoveIt did not pass Skillet's own collision checks, the last for {obstacle}",
            PlanningFailure.NO_PATH,
        )

    def _line(self, request: PlanRequest, goal: CartesianGoal, content: SceneContent) -> JointTrajectory:
        """Let MoveIt follow straight lines, check them and time them."""
        start_state = robot_state(self._messages, self._robot, content)
        message = cartesian_request(self._messages, self._robot, goal.waypoints, start_state)
        trajectory, share = self._moveit.straight_line(message)
        if share < _WHOLE:
            raise PlanningError(
                f"MoveIt follows only {100 * share:.0f} % of the straight line: then it collides, leaves the "
                "arm's reach or passes too close to a singularity",
                PlanningFailure.NO_PATH,
            )
        points = path_of(trajectory, self._robot)
        points[0] = content.arm
        self._check_straight(points, goal.waypoints)
        obstacle = self._obstacle(points)
        if obstacle is not None:
            raise PlanningError(f"the straight line is blocked: {obstacle}", PlanningFailure.NO_PATH)
        return self._embedded.time_curve(points, self._embedded.limits(request))

    def _check_straight(self, points: Array, waypoints: tuple[Pose, ...]) -> None:
        """Refuse a curve that leaves the lines, ends early or changes to another branch of the kinematics.

        Raises:
            PlanningError: by how much it does.
        """
        ends = np.array([self.grasp_pose(points[0]).position, *(pose.position for pose in waypoints)])
        middles = (points[1:] + points[:-1]) / 2
        off = max(_distance_to_lines(self.grasp_pose(place).position, ends) for place in (*points, *middles))
        short, _ = self.grasp_pose(points[-1]).distance_to(waypoints[-1])
        step = float(np.abs(np.diff(points, axis=0)).max(initial=0.0))
        if max(off, short) > OFF_LINE or step > JUMP:
            raise PlanningError(
                f"MoveIt's way is {1e3 * off:.1f} mm off the straight line, ends {1e3 * short:.1f} mm from "
                f"its end and moves a joint by {step:.2f} rad at once; at most {1e3 * OFF_LINE:.0f} mm and "
                f"{JUMP} rad are a straight line",
                PlanningFailure.NO_PATH,
            )

    def _apply(self, content: SceneContent) -> None:
        model = self._embedded.scene.model
        names = [model.body(body).name for body in np.unique(model.geom_bodyid)]
        links = [name.removeprefix(ROBOT_PREFIX) for name in names if name.startswith(ROBOT_PREFIX)]
        self._moveit.apply(cleared_scene(self._messages))
        self._moveit.apply(
            planning_scene(self._messages, self._robot, content, links=links, unchecked=self._unchecked)
        )

    def _content(
        self, request: PlanRequest, start: Array, state: RobotState, scene: SceneState
    ) -> SceneContent:
        """Collect what MoveIt has to know; the embedded planner's `begin` comes first."""
        own = self._embedded.scene
        objects = own.merged(scene, state).objects
        hand = self.grasp_pose(state.positions).inverse()
        attached = sorted({*request.attached, *own.attached})
        allowed = own.collisions.each_pair(request.allowed_contacts)
        # MoveIt refuses every contact at the start; how deep it may stay is checked afterwards, here.
        allowed |= {(min(bodies), max(bodies)) for bodies in own.collisions.tolerated}
        fingers = [ROBOT_PREFIX + link for link in self._robot.gripper.links]
        allowed |= {(finger, name) for finger in fingers for name in (*request.touching, *attached)}
        allowed |= {(one, other) for one in attached for other in attached if one < other}
        return SceneContent(
            solids=self._solids_of(frozenset(objects)),
            poses={name: item.pose for name, item in objects.items()},
            attached={name: hand @ objects[name].pose for name in attached},
            arm=start,
            opening=state.opening,
            allowed=frozenset(self._named(*bodies, frozenset(objects)) for bodies in allowed),
        )

    def _named(self, first: str, second: str, objects: frozenset[str]) -> Pair:
        model = self._embedded.scene.model
        return pair(owner_of(model, first, objects), owner_of(model, second, objects))

    def _solids_of(self, names: frozenset[str]) -> Mapping[str, tuple[Solid, ...]]:
        """Return what objects are made of; worked out again only when the scene's model changes."""
        key = (self._embedded.scene.model, names)
        if self._solids is None or self._solids[0][0] is not key[0] or self._solids[0][1] != names:
            self._solids = (key, solids_of(*key))
        return self._solids[1]

    def _between(self, start: Array, path: Array, request: PlanRequest, goals: tuple[Array, ...]) -> Array:
        """Put a path's start and its joint goal, which MoveIt meets within tolerances, where they are.

        Raises:
            PlanningError: the path does not end at the goal.
        """
        last = path[-1]
        if isinstance(request.goal, PoseGoal):
            reached = self.grasp_pose(last)
            gaps = [reached.distance_to(pose) for pose in request.goal.poses]
            met = any(gap <= 2 * POSITION_TOLERANCE and turn <= 2 * ROTATION_TOLERANCE for gap, turn in gaps)
        else:
            met = float(np.abs(goals[0] - last).max()) <= 2 * JOINT_TOLERANCE
            last = goals[0]
        if not met:
            raise PlanningError("MoveIt's path does not end at the goal", PlanningFailure.BACKEND)
        return np.concatenate([start[None], path[1:-1], last[None]])

    def _obstacle(self, waypoints: Array) -> str | None:
        """Return what a path meets in Skillet's scene; None: nothing."""
        world = self._embedded.scene.collisions
        for begin, end in itertools.pairwise(waypoints):
            if not world.segment_is_free(begin, end):
                overlaps = world.overlaps(end) or world.overlaps((begin + end) / 2)
                return listed(overlaps) or "a contact between two checked positions"
        return None


def corners(points: Array) -> Array:
    """Return the points at which a path of straight segments turns, its ends included.

    Args:
        points: shape (k, n), k >= 1 [rad].
    """
    kept = [points[0]]
    for here, after in itertools.pairwise(points[1:]):
        ahead, sideways = after - kept[-1], here - kept[-1]
        length = float(ahead @ ahead)
        along = float(sideways @ ahead) / length if length > 0.0 else 0.0
        if float(np.linalg.norm(sideways - along * ahead)) > _STRAIGHT or not 0.0 <= along <= 1.0:
            kept.append(here)
    kept.append(points[-1])
    return np.array(kept)


def _distance_to_lines(point: Array, ends: Array) -> float:
    """Return the distance [m] of a point to a polyline, shape (k, 3)."""
    best = float(np.linalg.norm(point - ends[0]))
    for begin, end in itertools.pairwise(ends):
        line = end - begin
        length = float(line @ line)
        share = float(np.clip((point - begin) @ line / length, 0.0, 1.0)) if length > 0.0 else 0.0
        best = min(best, float(np.linalg.norm(point - begin - share * line)))
    return best
