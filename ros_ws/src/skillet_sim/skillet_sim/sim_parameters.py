"""Parameters of the simulation node, declared once."""

from __future__ import annotations

import pydantic

from skillet_control.parameters import ControlParameters
from skillet_core.model import DataModel


class SimParameters(DataModel):
    """What the simulation node can be asked for."""

    robot: str = pydantic.Field(default="ur5e", description="robot in urdf/robots")
    task: str = pydantic.Field(default="blocks", description="task in assets/tasks")
    seed: int = pydantic.Field(default=0, ge=0, description="seed of the first reset")
    control_rate: int = pydantic.Field(
        default=250, ge=50, le=500, description="control loop and joint states [Hz]; divides 1 / timestep"
    )
    timestep: float = pydantic.Field(default=0.002, gt=0, le=0.005, description="physics step [s]")
    real_time_factor: float = pydantic.Field(
        default=1.0, ge=0, le=100, description="simulated seconds per real second; 0: as fast as it goes"
    )
    clock_rate: int = pydantic.Field(default=100, ge=1, le=500, description="/clock [Hz]")
    scene_rate: int = pydantic.Field(default=30, ge=1, le=250, description="scene/state [Hz]")
    cameras: bool = pydantic.Field(default=True, description="render and publish the cameras")
    depth: bool = pydantic.Field(default=True, description="publish depth images too")
    camera_rate: int = pydantic.Field(default=15, ge=1, le=60, description="images of each camera [Hz]")
    image_width: int = pydantic.Field(default=320, ge=16, le=1920, description="[pixels]")
    image_height: int = pydantic.Field(default=240, ge=16, le=1080, description="[pixels]")
    control: ControlParameters = pydantic.Field(
        default=ControlParameters(), description="controllers and safety filter"
    )
    lockstep: bool = pydantic.Field(default=False, description="start paused and advance by scene/step only")

    @pydantic.model_validator(mode="after")
    def _rates_divide(self) -> SimParameters:
        if abs(1.0 / (self.control_rate * self.timestep) % 1.0) > 1e-6:  # noqa: PLR2004
            message = f"control_rate must divide {1.0 / self.timestep:g} Hz, the rate of the physics steps"
            raise ValueError(message)
        return self
