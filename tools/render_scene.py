"""Renders pictures of a robot in a task's scene, for documentation and for looking at models.

    python tools/render_scene.py --robot panda --task blocks --out docs/images/panda_blocks.png

Views: a robot camera's name, or ``azimuth,elevation,distance,x,y,z`` in degrees and metres.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt
from PIL import Image

from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import load_task, task_names
from skillet_sim.cameras import CameraRenderer
from skillet_sim.world import World

DEFAULT_VIEW = "152,-22,1.55,0.3,-0.02,0.22"


def main() -> None:
    """Parse the command line, render, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--robot", choices=robot_names(), default="ur5e")
    parser.add_argument("--task", choices=task_names(), default="blocks")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--view", action="append", help="may be given several times: pictures side by side")
    parser.add_argument("--size", default="960x640", help="of each picture [pixels]")
    parser.add_argument("--joints", help="arm positions, comma-separated [rad]; default: home")
    parser.add_argument("--opening", type=float, help="of the gripper [m]; default: open")
    parser.add_argument(
        "--plain", action="store_true", help="as the cameras see it: no shadows, no smoothing"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    robot = load_robot(options.robot)
    quality = {} if options.plain else {"shadows": True, "multisampling": 8}
    world = World(robot, load_task(options.task), seed=options.seed, **quality)
    _pose(world, robot, options.joints, options.opening)
    width, height = map(int, options.size.split("x"))
    with CameraRenderer(world.model, width, height) as renderer:
        views = options.view or [DEFAULT_VIEW]
        pictures = [renderer.color(world.data, _camera(robot, view)) for view in views]
    _write(options.out, pictures)


def _pose(world: World, robot: RobotDescription, joints: str | None, opening: float | None) -> None:
    if joints or opening is not None:
        positions = np.array([float(j) for j in joints.split(",")]) if joints else robot.home
        world.set_joints(positions, robot.gripper.max_opening if opening is None else opening)


def _camera(robot: RobotDescription, view: str) -> str | mujoco.MjvCamera:
    if view in {camera.name for camera in robot.cameras}:
        return view
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.azimuth, camera.elevation, camera.distance, *lookat = map(float, view.split(","))
    camera.lookat = lookat
    return camera


def _write(path: Path, pictures: list[npt.NDArray[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack(pictures)).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
