"""Renders pictures of a robot in a task's scene, for documentation and for looking at models.

    python tools/render_scene.py --robot panda --task blocks --out docs/images/panda_blocks.png
    python tools/render_scene.py --task tabletop --grasps mug --view 150,-30,0.5,0.45,0,0.05 --out grasps.png

Views: a robot camera's name, or ``azimuth,elevation,distance,x,y,z`` in degrees and metres.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt
from PIL import Image

from skillet_core.manipulation import GraspRequest
from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import load_task, task_names
from skillet_motion.direct_robot import DirectRobot
from skillet_sim.cameras import CameraRenderer, Rod
from skillet_sim.world import World

FORKS, FINGER, FORK_RADIUS = 12, 0.045, 0.0016
"""How many grasps are drawn; length of a drawn finger and radius of its rods [m]."""
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
    parser.add_argument(
        "--grasps", metavar="OBJECT", action="append", default=[], help="draw its best grasps, green to red"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    robot = load_robot(options.robot)
    quality = {} if options.plain else {"shadows": True, "multisampling": 8}
    world = World(robot, load_task(options.task), seed=options.seed, **quality)
    rods = [rod for name in options.grasps for rod in _forks(world, name)]
    _pose(world, robot, options.joints, options.opening)
    width, height = map(int, options.size.split("x"))
    with CameraRenderer(world.model, width, height) as renderer:
        views = options.view or [DEFAULT_VIEW]
        pictures = [renderer.color(world.data, _camera(robot, view), rods) for view in views]
    _write(options.out, pictures)


def _pose(world: World, robot: RobotDescription, joints: str | None, opening: float | None) -> None:
    if joints or opening is not None:
        positions = np.array([float(j) for j in joints.split(",")]) if joints else robot.home
        world.set_joints(positions, robot.gripper.max_opening if opening is None else opening)


def _forks(world: World, name: str) -> list[Rod]:
    """Return every grasp of an object as a fork: two fingers, the bar between them, and a handle."""
    grasps = DirectRobot(world).grasps(GraspRequest(name, limit=FORKS))
    rods = []
    for number, grasp in enumerate(grasps):
        share = number / max(1, len(grasps) - 1)
        color = (0.1 + 0.8 * share, 0.75 - 0.55 * share, 0.15, 0.9)
        half = grasp.opening / 2
        path = [(0, half, 0), (0, half, -FINGER), (0, -half, -FINGER), (0, -half, 0)]
        corners = [grasp.pose.apply(np.array(point)) for point in path]
        middle, end = (grasp.pose.apply(np.array((0, 0, -z))) for z in (FINGER, 2 * FINGER))
        rods += [Rod(a, b, FORK_RADIUS, color) for a, b in itertools.pairwise(corners)]
        rods.append(Rod(middle, end, FORK_RADIUS, color))
    return rods


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
