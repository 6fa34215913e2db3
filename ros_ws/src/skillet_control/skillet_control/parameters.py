"""Parameters of the controllers and of the safety filter, each with its unit and range."""

from __future__ import annotations

import pydantic

from skillet_core.model import DataModel

Vector = tuple[float, float, float]


_UNBOUNDED = 100.0
"""A workspace corner this far away [m] bounds nothing."""


class SafetyParameters(DataModel):
    """Limits that the safety filter keeps beyond those of the robot's joints."""

    velocity_scale: float = pydantic.Field(
        default=1.0, gt=0, le=1, description="share of each joint's velocity limit that may be used"
    )
    acceleration_scale: float = pydantic.Field(
        default=1.0, gt=0, le=1, description="share of each joint's acceleration limit that may be used"
    )
    max_step: float = pydantic.Field(
        default=0.1, gt=0, le=0.5, description="largest change of a joint from one command to the next [rad]"
    )
    max_period: float = pydantic.Field(
        default=0.02,
        gt=0,
        le=0.1,
        description="longest time that one command may cover [s]; a later update moves no further",
    )
    workspace_lower: Vector = pydantic.Field(
        default=(-_UNBOUNDED,) * 3,
        description="corner of the box that the grasp frame must stay in, base frame [m]; -100: no bound",
    )
    workspace_upper: Vector = pydantic.Field(
        default=(_UNBOUNDED,) * 3, description="the opposite corner, base frame [m]; 100: no bound"
    )
    limiting_hold: float = pydantic.Field(
        default=0.5, ge=0, le=10, description="how long the level stays LIMITING after a clamp [s]"
    )

    @pydantic.model_validator(mode="after")
    def _box_has_volume(self) -> SafetyParameters:
        lower, upper = self.workspace_lower, self.workspace_upper
        if any(low >= high for low, high in zip(lower, upper, strict=True)):
            msg = (
                f"each coordinate of workspace_lower must be below workspace_upper's, got {lower} and {upper}"
            )
            raise ValueError(msg)
        return self

    @property
    def has_workspace(self) -> bool:
        """Whether the workspace is bounded anywhere."""
        return any(abs(corner) < _UNBOUNDED for corner in (*self.workspace_lower, *self.workspace_upper))


class TrajectoryParameters(DataModel):
    """Defaults of the joint trajectory controller. A tolerance of 0 is not checked."""

    start_tolerance: float = pydantic.Field(
        default=0.05, gt=0, le=1, description="distance of a first point at time 0 from the reference [rad]"
    )
    path_tolerance: float = pydantic.Field(
        default=0.2, ge=0, description="distance from the reference that aborts a motion [rad]; 0: unchecked"
    )
    goal_tolerance: float = pydantic.Field(
        default=0.02, ge=0, description="distance from the last point that counts as reached [rad]"
    )
    goal_time_tolerance: float = pydantic.Field(
        default=1.0, ge=0, description="how late the goal may be reached [s]; 0: without end"
    )
    stopped_velocity: float = pydantic.Field(
        default=0.05, ge=0, description="speed below which an arm has stopped [rad/s]; 0: unchecked"
    )
    limit_tolerance: float = pydantic.Field(
        default=0.01, ge=0, le=0.1, description="share by which a trajectory may exceed a rate limit"
    )


class StreamParameters(DataModel):
    """Parameters of the forward position controller."""

    timeout: float = pydantic.Field(
        default=0.1, gt=0, le=2, description="silence after which a streamed source is no longer followed [s]"
    )


class GripperParameters(DataModel):
    """Parameters of the gripper controller."""

    speed_scale: float = pydantic.Field(
        default=1.0, gt=0, le=1, description="share of the gripper's speed that is used"
    )
    goal_tolerance: float = pydantic.Field(
        default=0.002,
        gt=0,
        le=0.02,
        description="distance from the commanded opening that counts as reached [m]",
    )
    stall_distance: float = pydantic.Field(
        default=0.0005, gt=0, le=0.01, description="movement below which fingers count as still [m]"
    )
    stall_time: float = pydantic.Field(
        default=0.2, ge=0.05, le=2, description="how long fingers push without moving before they stall [s]"
    )
    timeout: float = pydantic.Field(
        default=3.0, gt=0, le=60, description="time beyond the travel time after which a goal is aborted [s]"
    )
    range_tolerance: float = pydantic.Field(
        default=0.001, ge=0, le=0.01, description="how far an opening may exceed the range and be clamped [m]"
    )


class ControlParameters(DataModel):
    """Everything that can be set on a `ControllerManager`."""

    safety: SafetyParameters = SafetyParameters()
    trajectory: TrajectoryParameters = TrajectoryParameters()
    stream: StreamParameters = StreamParameters()
    gripper: GripperParameters = GripperParameters()
