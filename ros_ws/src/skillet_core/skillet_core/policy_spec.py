"""What a policy sees and does: `PolicySpec`, read by the recorder, the converter and the policy node.

One file in ``policies/specs/`` names the observation streams, their sizes and ages, and the action, so
that the data a policy was trained on and the data it is driven with cannot differ.

Rows are at ``t = 0, 1/rate, 2/rate, …`` seconds. The observation of a row is, per stream, the newest
message measured (by its header's stamp) at or before ``t``. Its action is what the action stream says at
``t + offset``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pydantic

from skillet_core import contract
from skillet_core.model import DataModel
from skillet_core.resources import load_yaml, share_dir

Key = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$", description="name of the column")]
MaxAge = Annotated[float, pydantic.Field(gt=0, description="a message older than this is stale [s]")]


class JointObservation(DataModel):
    """Arm joints in the robot description's order, shape (n,) [rad] or [rad/s], float32."""

    kind: Literal["joint_positions", "joint_velocities"]
    key: Key
    topic: str = contract.JOINT_STATES
    max_age: MaxAge = 0.1


class GripperObservation(DataModel):
    """Gap between the finger pads, shape (1,) [m], float32."""

    kind: Literal["gripper_opening"]
    key: Key
    topic: str = contract.JOINT_STATES
    max_age: MaxAge = 0.1


class ImageObservation(DataModel):
    """A camera's image: colour (h, w, 3) uint8, or depth (h, w) uint16 [mm], 0 where there is none."""

    kind: Literal["color", "depth"]
    key: Key
    camera: str
    size: tuple[pydantic.PositiveInt, pydantic.PositiveInt] | None = pydantic.Field(
        default=None,
        description="width and height [pixels], a whole fraction of the camera's; None: as the camera sends",
    )
    max_age: MaxAge = 0.25

    @property
    def topic(self) -> str:
        """Where the images come from."""
        return (
            contract.color_image(self.camera) if self.kind == "color" else contract.depth_image(self.camera)
        )


Observation = Annotated[
    JointObservation | GripperObservation | ImageObservation, pydantic.Field(discriminator="kind")
]


class JointPositionAction(DataModel):
    """Absolute joint targets, then the gripper's opening: shape (n + 1,) [rad … m], float32.

    The targets are the references that the arm's controller follows. A gripper command is an action
    goal, which no topic carries, so its entry is the opening measured at the same time.
    """

    representation: Literal["joint_positions"] = "joint_positions"
    key: Key = "action"
    topic: str = contract.CONTROLLER_STATE
    gripper_topic: str = contract.JOINT_STATES
    offset: float | None = pydantic.Field(
        default=None,
        ge=0,
        description="how long after the observation the target is due [s]; None: one period",
    )
    max_age: MaxAge = 0.1


class PolicySpec(DataModel):
    """Observation streams, rate and action of a policy."""

    name: str
    rate: float = pydantic.Field(gt=0, le=1000, description="rows per second [Hz]")
    observations: tuple[Observation, ...] = pydantic.Field(min_length=1)
    action: JointPositionAction = pydantic.Field(default_factory=JointPositionAction)
    startup: float = pydantic.Field(
        default=2.0, gt=0, description="within this time of the first, every stream must have spoken [s]"
    )

    @pydantic.model_validator(mode="after")
    def _keys_differ(self) -> PolicySpec:
        keys = [o.key for o in self.observations] + [self.action.key]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"keys must differ, but these are used twice: {', '.join(twice)}")
        return self

    @property
    def period(self) -> float:
        """Time from row to row [s]."""
        return 1.0 / self.rate

    @property
    def action_offset(self) -> float:
        """Time from a row's observation to when its action is due [s]."""
        return self.period if self.action.offset is None else self.action.offset

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that the spec reads, each once, relative names."""
        names = [o.topic for o in self.observations] + [self.action.topic, self.action.gripper_topic]
        return tuple(dict.fromkeys(names))


def load_policy_spec(name_or_path: str | Path) -> PolicySpec:
    """Read a spec: a path to a YAML file, or the name of one in ``policies/specs/``.

    Raises:
        InvalidFileError: it cannot be read or does not fit; every fault is named.
        SkilletError: Skillet's data files were not found.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = share_dir() / "policies" / "specs" / f"{name_or_path}.yaml"
    return load_yaml(path, PolicySpec)
