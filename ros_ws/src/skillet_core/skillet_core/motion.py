"""Motions to plan: goals, requests, and the protocol of what plans them.

The names of a request's fields follow MoveIt's ``MotionPlanRequest``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from skillet_core.geometry import Array, Pose
from skillet_core.scene import SceneState
from skillet_core.trajectory import JointTrajectory, RobotState

PlannerName = Literal["rrt_connect", "rrt_star", "bit_star"]
"""RRT-Connect is the fastest; the other two go on to shorten the path until the iterations are spent."""


ANY_LINK = "robot/*"
"""Stands for every link of the robot in a pair of `PlanRequest.allowed_contacts`."""


@dataclass(frozen=True, eq=False)
class JointGoal:
    """Reach these arm positions, shape (n,) [rad]."""

    positions: Array


@dataclass(frozen=True)
class PoseGoal:
    """Bring the grasp frame to any one of these poses in the world frame, by any free path."""

    poses: tuple[Pose, ...]


@dataclass(frozen=True)
class CartesianGoal:
    """Bring the grasp frame through these poses in the world frame in order, on straight lines."""

    waypoints: tuple[Pose, ...]


MotionGoal = JointGoal | PoseGoal | CartesianGoal


@dataclass(frozen=True)
class PlanRequest:
    """A motion to plan from where the robot is.

    Attributes:
        goal: where to.
        velocity_scaling: share of the velocity limits, above 0, up to 1.
        acceleration_scaling: share of the acceleration limits, above 0, up to 1; None: the square root
            of the velocity's.
        attached: objects that the gripper carries, moved with it and kept out of collisions.
        touching: objects that the gripper may touch, e.g. the one about to be grasped.
        allowed_contacts: pairs of bodies that may touch besides; robot links carry the prefix
            ``robot/``, and `ANY_LINK` is every one of them.
        start: arm positions to plan from, shape (n,) [rad]; None: the measured ones.
        planner: what searches where the straight segment in joint space is blocked.
        iterations: after how many a search gives up; None: the planner's own number. Time does not
            matter, so that the outcome is the same on every machine.
        seed: of the planner's random draws, >= 0.
    """

    goal: MotionGoal
    velocity_scaling: float = 1.0
    acceleration_scaling: float | None = None
    attached: frozenset[str] = frozenset()
    touching: frozenset[str] = frozenset()
    allowed_contacts: frozenset[tuple[str, str]] = frozenset()
    start: Array | None = None
    planner: PlannerName = "rrt_connect"
    iterations: int | None = None
    seed: int = 0


class MotionPlanner(Protocol):
    """Plans motions from a state and a scene, without a robot."""

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        """Return a time-parameterised, collision-free trajectory.

        Raises:
            PlanningError: with the reason: see `PlanningFailure`.
            UnknownNameError: the request names an object that is not there.
        """

    def grasp_pose(self, positions: Array) -> Pose:
        """Return where the grasp frame is in the world frame at arm positions, shape (n,) [rad]."""
