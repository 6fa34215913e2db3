"""A small scene, and a world in which skills do what a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from skillet_core.geometry import Pose
from skillet_core.robot import GripperDescription, load_gripper
from skillet_core.scene import ContactPair, ObjectState, SceneState, TaskDescription
from skillet_planner.executor import Arguments, ExecutorPorts, TaskExecutor

BLOCK = {"bounds": {"size": [0.04, 0.04, 0.04]}}
BIN = {
    "kind": "container",
    "bounds": {"center": [0, 0, 0.03], "size": [0.2, 0.2, 0.06]},
    "interior": {"center": [0, 0, 0.03], "size": [0.18, 0.18, 0.06]},
}
SLIDE = {"joint": "slide", "kind": "prismatic", "axis": [1, 0, 0], "closed": 0.0, "opened": 0.2}
TABLE = np.array([0.4, 0.0, 0.02])
IN_BIN = np.array([0.4, 0.3, 0.03])


@pytest.fixture
def task() -> TaskDescription:
    """Three blocks, two bins, a table, a drawer, a flap and a button on joints."""
    return TaskDescription.model_validate(
        {
            "name": "blocks",
            "title": "blocks",
            "scene": "scene.xml",
            "instructions": ["put the red block in the left bin"],
            "time_limit": 60.0,
            "objects": {
                "table": {"phrases": ["table"], "kind": "surface", "bounds": {"size": [1, 1, 0.1]}},
                "red_block": {"phrases": ["red block", "red cube"], **BLOCK},
                "green_block": {"phrases": ["green block"], **BLOCK},
                "blue_block": {"phrases": ["blue block"], **BLOCK},
                "left_bin": {"phrases": ["left bin", "left box"], **BIN},
                "right_bin": {"phrases": ["right bin"], **BIN},
                "top_drawer": {"phrases": ["top drawer"], **BIN, "articulation": SLIDE},
                "flap": {"phrases": ["flap"], "kind": "fixture", **BLOCK, "articulation": SLIDE},
                "red_button": {"phrases": ["red button"], "kind": "button", **BLOCK, "articulation": SLIDE},
            },
            "success": {"kind": "inside", "object": "red_block", "container": "left_bin"},
        }
    )


@pytest.fixture
def gripper() -> GripperDescription:
    return load_gripper("robotiq_2f85")


@dataclass
class World:
    """A scene whose only physics is what a test's skills do to it; its clock advances only by waiting."""

    gripper: GripperDescription
    time: float = 0.0
    held: str | None = None
    positions: dict[str, np.ndarray] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    scripts: dict[str, list[Callable[[World, Arguments], tuple[bool, str]]]] = field(default_factory=dict)
    on_wait: Callable[[World], None] = lambda _: None
    events: list[tuple[str, str]] = field(default_factory=list)

    def run_skill(self, skill: str, arguments: Arguments) -> tuple[bool, str]:
        self.calls.append(f"{skill}({', '.join(map(str, arguments.values()))})")
        script = self.scripts.get(skill)
        behave = script.pop(0) if script else getattr(self, skill)
        self.time += 1.0
        return behave(arguments) if behave.__name__ == skill else behave(self, arguments)

    def grasp(self, arguments: Arguments) -> tuple[bool, str]:
        self.held = str(arguments["object"])
        return True, ""

    def place_in(self, arguments: Arguments) -> tuple[bool, str]:
        self.held = None
        self.positions[str(arguments["object"])] = IN_BIN
        return True, ""

    def go_home(self, _: Arguments) -> tuple[bool, str]:
        return True, ""

    def scene(self) -> SceneState:
        names = ("red_block", "green_block", "blue_block")
        objects = {name: ObjectState(Pose(self.positions.get(name, TABLE))) for name in names}
        objects["left_bin"] = ObjectState(Pose(np.array([0.4, 0.3, 0.0])))
        objects["right_bin"] = ObjectState(Pose(np.array([0.4, -0.3, 0.0])))
        contacts = tuple(
            ContactPair(f"robot/{link}", self.held, (0.0, 1.0, 0.0))
            for link in self.gripper.finger_links[:2]
            if self.held
        )
        return SceneState(self.time, "blocks", 0, 0, success=False, objects=objects, contacts=contacts)

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.on_wait(self)

    def executor(self, task: TaskDescription) -> TaskExecutor:
        ports = ExecutorPorts(
            self.run_skill,
            self.scene,
            lambda: self.time,
            self.wait,
            lambda report, _: self.events.append((report.label, report.status)),
        )
        return TaskExecutor(ports, task, self.gripper)


@pytest.fixture
def world(gripper: GripperDescription) -> World:
    return World(gripper)
