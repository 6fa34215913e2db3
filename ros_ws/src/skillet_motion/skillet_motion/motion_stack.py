"""`MotionStack`: what plans, grasps and places in one scene, as one thing to hand around."""

from __future__ import annotations

from dataclasses import dataclass

from skillet_core.manipulation import ManipulationSampler
from skillet_core.motion import MotionPlanner
from skillet_core.robot import RobotDescription
from skillet_core.scene import TaskDescription
from skillet_motion.planning import OmplPlanner
from skillet_motion.planning_scene import PlanningScene
from skillet_motion.sampling import SceneSampler


@dataclass(frozen=True)
class MotionStack:
    """A scene, and what looks for motions, grasps and placements in it. Not thread-safe.

    Attributes:
        scene: changes to it count for the other two.
        planner: of motions.
        sampler: of grasps and placements.
    """

    scene: PlanningScene
    planner: MotionPlanner
    sampler: ManipulationSampler


def motion_stack(robot: RobotDescription, task: TaskDescription) -> MotionStack:
    """Make the embedded stack, backend ``ompl``, from a robot's and a task's files.

    Raises:
        SkilletError: see `skillet_sim.scene_model.build_spec`.
    """
    scene = PlanningScene(robot, task)
    return MotionStack(scene, OmplPlanner(scene), SceneSampler(scene))
