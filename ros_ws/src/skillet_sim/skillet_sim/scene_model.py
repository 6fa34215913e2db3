"""A robot in a task's scene, as one MuJoCo model."""

from __future__ import annotations

from pathlib import Path

import mujoco

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.resources import share_dir
from skillet_core.robot import RobotDescription
from skillet_core.scene import TaskDescription
from skillet_sim.robot_model import robot_spec
from skillet_sim.shape_scene import load_collision_scene, shape_spec

TIMESTEP = 0.002
"""Physics step [s]."""
NEAR, FAR = 0.02, 20.0
"""What cameras see, from and to [m]."""
_SHADOW_RADIUS = 6.0
# Ratio of frictional to normal constraint impedance. Above 1 a grasped object does not creep.
_FRICTION_IMPEDANCE = 20.0


def build_spec(robot: RobotDescription, task: TaskDescription) -> mujoco.MjSpec:
    """Return the scene with the robot in it as an editable specification.

    Names of the robot's bodies, joints, actuators, sites and cameras carry the prefix ``robot/``;
    the scene's are as in its file, MJCF or YAML of shapes.

    Raises:
        InvalidFileError: the scene's file is not valid.
        UnknownNameError: the task describes an object that the scene's file does not have.
        SkilletError: see `skillet_sim.robot_model.robot_spec`.
    """
    path = scene_path(task)
    spec = shape_spec(load_collision_scene(path), path.parent) if is_shape_scene(task) else _mjcf(path)
    bodies = [body.name for body in spec.bodies]
    for name in task.objects:
        if name not in bodies:
            raise UnknownNameError(f"body of {path.name}", name, bodies)
    spec.attach(robot_spec(robot), prefix=ROBOT_PREFIX, frame=spec.worldbody.add_frame())
    return spec


def scene_path(task: TaskDescription) -> Path:
    """Return the file of a task's scene."""
    return share_dir() / "assets" / "tasks" / task.name / task.scene


def is_shape_scene(task: TaskDescription) -> bool:
    """Whether the task's scene is a YAML file of shapes instead of MJCF."""
    return task.scene.endswith((".yaml", ".yml"))


def _mjcf(path: Path) -> mujoco.MjSpec:
    try:
        return mujoco.MjSpec.from_file(str(path))
    except (ValueError, OSError) as error:
        msg = f"{path} is not a valid scene: {error}"
        raise InvalidFileError(msg) from error


def build_model(
    robot: RobotDescription,
    task: TaskDescription,
    *,
    timestep: float = TIMESTEP,
    shadows: bool = False,
    multisampling: int = 0,
) -> mujoco.MjModel:
    """Compile a robot in a task's scene. The world frame is the robot's base frame.

    Args:
        robot: which robot.
        task: which scene.
        timestep: physics step [s].
        shadows: cast them; together with multisampling this renders twenty times slower.
        multisampling: samples a pixel, 0 for none.

    Raises:
        SkilletError: see `build_spec`.
    """
    spec = build_spec(robot, task)
    option, quality = spec.option, spec.visual.quality
    option.timestep = timestep
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = _FRICTION_IMPEDANCE
    quality.shadowsize = 4096 if shadows else 0
    quality.offsamples = multisampling
    quality.numquads = 4 if shadows else 1  # boxes are lit by the corner: flat faces need no more
    spec.stat.extent = 1.0  # so that the clip planes below are metres
    spec.visual.map.znear, spec.visual.map.zfar = NEAR, FAR
    spec.visual.map.shadowclip = _SHADOW_RADIUS
    return spec.compile()
