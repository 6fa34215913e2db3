"""Parameters of the skill node, declared once."""

from __future__ import annotations

from typing import Literal

import pydantic

from skillet_core.model import DataModel


class SkillParameters(DataModel):
    """What the skill node can be asked for."""

    robot: str = pydantic.Field(default="ur5e", description="robot in urdf/robots")
    task: str = pydantic.Field(default="blocks", description="task in assets/tasks")
    planner: Literal["ompl", "moveit", "move_group"] = pydantic.Field(
        default="ompl",
        description="plans motions: ompl is built in; moveit_py in this process; a move_group node",
    )
    scene_source: Literal["simulation", "declared"] = pydantic.Field(
        default="simulation",
        description="who knows where things are: scene/state, or the task's shapes and scene/apply alone",
    )
    ready_timeout: float = pydantic.Field(
        default=10.0,
        gt=0,
        le=120,
        description="wait for the robot's nodes before a skill begins [s], real time",
    )
