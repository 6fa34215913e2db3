"""Grasps and placements: what to ask for, what comes back, and the protocol of what finds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from skillet_core.geometry import Array, Pose
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState

GraspMode = Literal["6dof", "planar"]
"""``6dof``: from any side. ``planar``: straight from above, as a gripper on a gantry does it."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What is known of an object's surface: from its mesh, or what a depth camera saw of it.

    Attributes:
        points: shape (k, 3) [m].
        normals: outward, unit length, shape (k, 3).
    """

    points: Array
    normals: Array


@dataclass(frozen=True)
class GraspRequest:
    """An object to grasp.

    Attributes:
        object: its name in the scene.
        mode: from where.
        handle: grasp it by its handle, which its description has.
        candidates: how many to sample before they are ranked.
        limit: how many to return at most.
        surface: what to grasp by, in the object's frame; None: the surface of its model.
        seed: of the random draws, >= 0.
    """

    object: str
    mode: GraspMode = "6dof"
    handle: bool = False
    candidates: int = 500
    limit: int = 12
    surface: Surface | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Grasp:
    """One way to grasp an object.

    Attributes:
        pose: of the grasp frame in the world frame when the fingers close.
        width: of the object between the fingers [m].
        opening: of the fingers before they close [m].
        depth: how far the object's surface reaches in between the fingers [m].
        score: 0 to 1, the weighted sum of `qualities`.
        qualities: by name, each 0 to 1: antipodality, clearance, reach, approach.
        positions: of the arm there, shape (n,) [rad].
    """

    pose: Pose
    width: float
    opening: float
    depth: float
    score: float
    qualities: dict[str, float]
    positions: Array


@dataclass(frozen=True)
class PlaceRequest:
    """A place to find for the object in the gripper.

    Attributes:
        object: the held object, or one that is to be held.
        target: a container (its interior's floor, which the object must fit into) or a surface (its
            top); None: ``pose`` alone counts.
        pose: wished pose of the object's frame in the world frame. With a target, the nearest place
            that is possible comes first.
        limit: how many to return at most.
        seed: of the random draws, >= 0.
        held_by: as if the object, where it is now, were held by this grasp; None: as it is held now.
    """

    object: str
    target: str | None = None
    pose: Pose | None = None
    limit: int = 12
    seed: int = 0
    held_by: Grasp | None = None


@dataclass(frozen=True, eq=False)
class Placement:
    """One way to put an object down.

    Attributes:
        object_pose: where the object is let go, in the world frame.
        grasp_pose: where the grasp frame is then, in the world frame.
        score: 0 to 1.
        qualities: by name, each 0 to 1: stability, clearance, nearness, reach.
        positions: of the arm there, shape (n,) [rad].
    """

    object_pose: Pose
    grasp_pose: Pose
    score: float
    qualities: dict[str, float] = field(default_factory=dict)
    positions: Array | None = None


class ManipulationSampler(Protocol):
    """Finds grasps and placements in a scene, without a robot."""

    def grasps(self, request: GraspRequest, state: RobotState, scene: SceneState) -> tuple[Grasp, ...]:
        """Return grasps that the arm reaches without a collision, best first.

        Raises:
            PlanningError: there is none, and why: too wide, out of reach, no room.
            UnknownNameError: the object is not in the scene.
        """

    def placements(
        self, request: PlaceRequest, state: RobotState, scene: SceneState
    ) -> tuple[Placement, ...]:
        """Return places for what the gripper holds, best first.

        Raises:
            PlanningError: there is none, and why: full, out of reach, unstable.
            UnknownNameError: an object is not in the scene.
        """
