"""Goals of a motion, and the `Robot` protocol that skills are written against.

A skill cannot tell whether the robot behind the protocol is a simulator stepped as fast as it goes,
or a graph of ROS 2 nodes in real time, in simulation or on hardware.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.trajectory import JointTrajectory, RobotState


@dataclass(frozen=True, eq=False)
class JointGoal:
    """Reach these arm positions, shape (n,) [rad]."""

    positions: Array


@dataclass(frozen=True)
class PoseGoal:
    """Bring the grasp frame to any one of these poses in the world frame, by any free path."""

    poses: tuple[Pose, ...]


@dataclass(frozen=True)
class LinearGoal:
    """Bring the grasp frame to this pose in the world frame on a straight line."""

    pose: Pose


MotionGoal = JointGoal | PoseGoal | LinearGoal


@dataclass(frozen=True)
class PlanRequest:
    """A motion to plan from where the robot is.

    Attributes:
        goal: where to.
        speed: share of the velocity limits, above 0, up to 1. Accelerations scale by its square
            root at most.
        attached: object that the gripper carries, moved with it and kept out of collisions.
        touching: objects that the gripper may touch, e.g. the one about to be grasped.
        start: arm positions to plan from, shape (n,) [rad]; None: the measured ones.
        seed: of the planner's random draws.
    """

    goal: MotionGoal
    speed: float = 1.0
    attached: str | None = None
    touching: frozenset[str] = frozenset()
    start: Array | None = None
    seed: int = 0


@dataclass(frozen=True)
class GripResult:
    """How a gripper command ended.

    Attributes:
        opening: gap between the finger pads [m].
        stalled: it pushes with full force without moving, as around an object.
        reached: the commanded opening was reached.
    """

    opening: float
    stalled: bool
    reached: bool


class Robot(Protocol):
    """What a skill needs of a robot. Every method blocks; `cancel` may be called from any thread."""

    @property
    def description(self) -> RobotDescription:
        """The robot's data."""

    @property
    def task(self) -> TaskDescription:
        """The scene's data."""

    def state(self) -> RobotState:
        """Return the newest state.

        Raises:
            StaleStateError: nothing was heard for too long.
        """

    def scene(self) -> SceneState:
        """Return where things are.

        Raises:
            StaleStateError: nothing was heard for too long.
        """

    def grasp_pose(self, positions: Array | None = None) -> Pose:
        """Return where the gripper's grasp frame is in the world frame.

        Args:
            positions: arm positions to compute it for, shape (n,) [rad]; None: the measured ones.

        Raises:
            StaleStateError: nothing was heard for too long.
        """

    def plan(self, request: PlanRequest) -> JointTrajectory:
        """Plan without moving.

        Raises:
            PlanningError: with the reason.
        """

    def follow(self, trajectory: JointTrajectory) -> None:
        """Execute and wait for the end.

        Raises:
            TrajectoryError: it was refused; nothing moved.
            ExecutionError: it was aborted, with the controller's reason.
            CancelledError: `cancel` was called; the arm holds its position.
        """

    def grip(self, opening: float, force: float) -> GripResult:
        """Move the fingers to an opening [m] pushing with at most ``force`` [N], and wait.

        Raises:
            ExecutionError, CancelledError: as for `follow`.
        """

    def wait(self, seconds: float) -> None:
        """Let the robot's clock advance.

        Raises:
            CancelledError: `cancel` was called.
        """

    def cancel(self) -> None:
        """Stop the running motion and hold; the blocked call raises `CancelledError`."""


class MotionPlanner(Protocol):
    """Plans motions from a state and a scene, without a robot."""

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        """Return a time-parameterised, collision-free trajectory.

        Raises:
            PlanningError: start in collision with what, goal unreachable, no path after how many
                iterations.
        """

    def grasp_pose(self, positions: Array) -> Pose:
        """Return where the grasp frame is in the world frame at arm positions, shape (n,) [rad]."""
