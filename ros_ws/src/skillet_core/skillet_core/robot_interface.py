"""The `Robot` protocol that skills are written against.

A skill cannot tell whether the robot behind the protocol is a simulator stepped as fast as it goes,
or a graph of ROS 2 nodes in real time, in simulation or on hardware.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Grasp, GraspRequest, Placement, PlaceRequest
from skillet_core.motion import PlanRequest
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.trajectory import JointTrajectory, RobotState

Watch = Callable[[], None]
"""Called some ten times a second while the arm moves; what it raises stops the arm and is passed on."""


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

    def grasps(self, request: GraspRequest) -> tuple[Grasp, ...]:
        """Return grasps that the arm reaches without a collision, best first, without moving.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: the object is not in the scene.
        """

    def placements(self, request: PlaceRequest) -> tuple[Placement, ...]:
        """Return places for what the gripper holds, best first, without moving.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: an object is not in the scene.
        """

    def follow(self, trajectory: JointTrajectory, watch: Watch | None = None) -> None:
        """Execute and wait for the end.

        Args:
            trajectory: what to execute.
            watch: looks after something meanwhile; when it raises, the arm stops and holds.

        Raises:
            TrajectoryError: it was refused; nothing moved.
            ExecutionError: it was aborted, with the controller's reason.
            StaleStateError: nothing was heard for too long.
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
