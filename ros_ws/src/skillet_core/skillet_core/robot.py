"""Robots as data: a `RobotDescription` is an arm, a gripper and its cameras, read from YAML.

A robot is the pair of ``urdf/robots/<name>.yaml`` and the gripper file that it names. Kinematics,
inertias and meshes are in the URDF alone; the limits repeated here for the controllers are held
against the URDF's by a test.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pydantic

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array
from skillet_core.model import DataModel
from skillet_core.resources import load_yaml, share_dir

ClosedForm = Literal["ur"]
"""Types of arms whose inverse kinematics is known in closed form."""


class JointLimits(DataModel):
    """Limits of one arm joint, all inclusive."""

    lower: float = pydantic.Field(description="[rad]")
    upper: float = pydantic.Field(description="[rad]")
    velocity: float = pydantic.Field(gt=0, description="[rad/s]")
    acceleration: float = pydantic.Field(gt=0, description="[rad/s^2]")
    jerk: float = pydantic.Field(gt=0, description="[rad/s^3]")


class ArmJoint(DataModel):
    """One joint of the arm, from the base outwards."""

    name: str
    home: float = pydantic.Field(description="position at rest [rad]")
    limits: JointLimits
    stiffness: float = pydantic.Field(gt=0, description="position gain of the simulated drive [Nm/rad]")
    damping: float = pydantic.Field(gt=0, description="velocity gain of the simulated drive [Nm s/rad]")
    armature: float = pydantic.Field(ge=0, description="rotor inertia seen at the joint [kg m^2]")
    max_effort: float = pydantic.Field(gt=0, description="[Nm]")


class CameraDescription(DataModel):
    """An RGB-D camera. Its optical frame is ``<name>_color_optical_frame`` (z forward, y down)."""

    name: str
    parent: str = pydantic.Field(description="link or 'world' that it is mounted on")
    xyz: tuple[float, float, float] = pydantic.Field(description="of the optical frame in the parent [m]")
    rpy: tuple[float, float, float] = pydantic.Field(description="of the optical frame in the parent [rad]")
    vertical_fov: float = pydantic.Field(gt=0, lt=np.pi, description="[rad]")

    @property
    def optical_frame(self) -> str:
        """Name of the frame that the images' headers carry."""
        return f"{self.name}_color_optical_frame"


class GripperDescription(DataModel):
    """A two-finger gripper. Its opening is the gap between the finger pads [m]."""

    name: str
    title: str
    xacro: str = pydantic.Field(description="file in urdf/ that defines it")
    models: dict[str, str] = pydantic.Field(
        default_factory=dict, description="xacro argument → file in urdf/vendor without .yaml"
    )
    joint: str = pydantic.Field(description="the driven joint")
    mimic: dict[str, float] = pydantic.Field(
        default_factory=dict, description="joint → factor: follows the driven joint"
    )
    opening_to_joint: tuple[tuple[float, float], ...] = pydantic.Field(
        min_length=2,
        description="(opening [m], joint position) pairs, by rising opening, interpolated linearly",
    )
    max_force: float = pydantic.Field(gt=0, description="at the finger pads [N]")
    max_speed: float = pydantic.Field(gt=0, description="of the opening [m/s]")
    grasp_frame: str = pydantic.Field(
        description="between the finger pads: z towards the object, y along the closing direction"
    )
    fingertip: float = pydantic.Field(
        description="how far the closed fingers reach past the grasp frame along its z [m]"
    )
    fingers: tuple[tuple[str, ...], ...] = pydantic.Field(
        min_length=2, description="links of each finger that can touch a grasped object, its pad first"
    )
    links: tuple[str, ...] = pydantic.Field(description="every link of the gripper")
    stiffness: float = pydantic.Field(gt=0, description="position gain of the simulated drive")
    damping: float = pydantic.Field(gt=0, description="velocity gain of the simulated drive")
    armature: float = pydantic.Field(
        ge=0, description="inertia added to every gripper joint, keeps it stable"
    )

    @pydantic.field_validator("opening_to_joint")
    @classmethod
    def _openings_rise(cls, pairs: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(b[0] <= a[0] for a, b in itertools.pairwise(pairs)):
            msg = "openings must rise from pair to pair"
            raise ValueError(msg)
        return pairs

    @property
    def finger_links(self) -> tuple[str, ...]:
        """The pad of each finger."""
        return tuple(finger[0] for finger in self.fingers)

    @property
    def max_opening(self) -> float:
        """Widest gap between the pads [m]."""
        return self.opening_to_joint[-1][0]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The driven joint and those that follow it."""
        return (self.joint, *self.mimic)

    def joint_position(self, opening: float) -> float:
        """Position of the driven joint at an opening [m], clamped to the gripper's range."""
        table = np.array(self.opening_to_joint)
        return float(np.interp(opening, table[:, 0], table[:, 1]))

    def opening(self, joint_position: float) -> float:
        """Gap between the pads [m] at a position of the driven joint."""
        table = np.array(self.opening_to_joint)
        order = np.argsort(table[:, 1])
        return float(np.interp(joint_position, table[order, 1], table[order, 0]))

    def drive_effort(self, joint_position: float, force: float) -> float:
        """Effort of the driven joint [N or Nm] that gives a force [N] at each pad.

        By virtual work: the effort's power equals the force's over the speed of the opening.
        """
        table = np.array(self.opening_to_joint)
        table = table[np.argsort(table[:, 1])]
        segment = int(np.clip(np.searchsorted(table[:, 1], joint_position), 1, len(table) - 1))
        (w0, q0), (w1, q1) = table[segment - 1], table[segment]
        return abs(float(force * (w1 - w0) / (q1 - q0)))


def _resolve_gripper(value: object) -> object:
    return load_gripper(value) if isinstance(value, str) else value


class RobotDescription(DataModel):
    """A robot with its gripper resolved: what every other part of Skillet is given."""

    name: str
    title: str
    xacro: str = pydantic.Field(description="file in urdf/ that composes arm, gripper and cameras")
    models: dict[str, str] = pydantic.Field(
        default_factory=dict, description="xacro argument → file in urdf/vendor without .yaml"
    )
    base_frame: str
    flange_frame: str
    gripper: Annotated[GripperDescription, pydantic.BeforeValidator(_resolve_gripper)] = pydantic.Field(
        description="in the file: a name in urdf/grippers without .yaml"
    )
    joints: tuple[ArmJoint, ...]
    closed_form: ClosedForm | None = pydantic.Field(
        default=None, description="type of the arm, where its inverse kinematics has a closed form"
    )
    cameras: tuple[CameraDescription, ...]
    ignored_collisions: tuple[tuple[str, str], ...] = pydantic.Field(
        default=(), description="pairs of links that may overlap by design"
    )

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Arm joints, from the base outwards."""
        return tuple(joint.name for joint in self.joints)

    @property
    def home(self) -> Array:
        """Arm positions at rest, shape (n,) [rad]."""
        return np.array([joint.home for joint in self.joints])

    @property
    def lower(self) -> Array:
        """Lower position limits, shape (n,) [rad]."""
        return np.array([joint.limits.lower for joint in self.joints])

    @property
    def upper(self) -> Array:
        """Upper position limits, shape (n,) [rad]."""
        return np.array([joint.limits.upper for joint in self.joints])

    @property
    def max_velocity(self) -> Array:
        """Velocity limits, shape (n,) [rad/s]."""
        return np.array([joint.limits.velocity for joint in self.joints])

    @property
    def max_acceleration(self) -> Array:
        """Acceleration limits, shape (n,) [rad/s^2]."""
        return np.array([joint.limits.acceleration for joint in self.joints])


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def robot_names() -> tuple[str, ...]:
    """Return every robot that can be asked for."""
    return _names(share_dir() / "urdf" / "robots")


def load_gripper(name: str) -> GripperDescription:
    """Read a gripper by name.

    Raises:
        UnknownNameError: there is no such gripper; the message lists those there are.
        InvalidFileError: its file does not fit.
    """
    folder = share_dir() / "urdf" / "grippers"
    if name not in _names(folder):
        raise UnknownNameError("gripper", name, _names(folder))
    return load_yaml(folder / f"{name}.yaml", GripperDescription)


def load_robot(name: str) -> RobotDescription:
    """Read a robot by name, its gripper included.

    Raises:
        UnknownNameError: there is no such robot or gripper; the message lists those there are.
        InvalidFileError: a file does not fit.
    """
    if name not in robot_names():
        raise UnknownNameError("robot", name, robot_names())
    return load_yaml(share_dir() / "urdf" / "robots" / f"{name}.yaml", RobotDescription)
