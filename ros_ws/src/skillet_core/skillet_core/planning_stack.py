"""What a robot plans with: the protocol of a planner and a sampler over one scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from skillet_core.collision_objects import CollisionObject, SceneChange
from skillet_core.manipulation import ManipulationSampler
from skillet_core.motion import MotionPlanner
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState


class KnownScene(Protocol):
    """What is known of a scene besides what is reported of it. Not thread-safe."""

    @property
    def added(self) -> Mapping[str, CollisionObject]:
        """Objects that were added, as they were described."""

    @property
    def attached(self) -> frozenset[str]:
        """Objects that were attached and move with the gripper."""

    def apply(self, change: SceneChange, state: RobotState, scene: SceneState) -> None:
        """Change the scene, or raise and leave it as it was.

        Raises:
            UnknownNameError: there is no such object; names those there are.
            SceneChangeError: the change cannot be made, and why.
            InvalidFileError: a mesh cannot be used.
        """

    def merged(self, scene: SceneState, state: RobotState) -> SceneState:
        """Return a reported scene with everything in it that was declared, added or attached."""


class PlanningStack(Protocol):
    """A planner and a sampler over the same scene. Not thread-safe."""

    @property
    def scene(self) -> KnownScene:
        """What they plan among."""

    @property
    def planner(self) -> MotionPlanner:
        """Plans motions."""

    @property
    def sampler(self) -> ManipulationSampler:
        """Finds grasps and placements."""
