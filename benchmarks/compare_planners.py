#!/usr/bin/env python3
"""Put the same motions to the planners that are installed and print what each makes of them.

    .venv/bin/with-ros python benchmarks/compare_planners.py --robot ur5e --planners ompl
    python3 benchmarks/compare_planners.py --robot ur5e          # full ROS 2 installation with MoveIt 2

For ``move_group`` it starts the simulator, for its joint states, and move_group itself. Every trajectory is
checked against Skillet's own scene again, at each of its points. Times are those of `MotionPlanner.plan`:
goal checks, scene, search and timing. MoveIt's searches have no seed, so that its figures vary a little.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future

from skillet_core.collision_objects import AddObject, BoxShape, CollisionObject, RemoveObject
from skillet_core.errors import SkilletError
from skillet_core.geometry import Pose
from skillet_core.motion import JointGoal, MotionGoal, PlanRequest, PoseGoal
from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import SceneState, load_task
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.motion_stack import MotionStack, motion_stack
from skillet_motion.moveit_planner_node import moveit_stack
from skillet_sim.world import World

PLANNERS = ("ompl", "moveit", "move_group")
HEIGHTS = (0.10, 0.25)
"""Of the grasp frame above an object [m]."""


class Query(NamedTuple):
    """A motion from home, in a scene, perhaps with a wall in the way."""

    kind: str
    scene: SceneState
    goal: MotionGoal
    wall: CollisionObject | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a query; lengths are in joint space [rad]."""

    solved: bool
    milliseconds: float
    length: float = 0.0
    duration: float = 0.0


def queries(robot: RobotDescription, stack: MotionStack, seeds: int) -> list[Query]:
    """Return motions to above every object, and around a wall, in scenes of several seeds."""
    world = World(robot, stack.scene.task)
    middle = robot.home + 0.45 * np.eye(len(robot.home))[0]
    place = stack.planner.grasp_pose(middle).position
    yaw = float(np.arctan2(place[1], place[0]))
    found = []
    for seed in range(seeds):
        world.reset(seed)
        scene = world.scene_state()
        for name in ("red_block", "green_block", "blue_block", "left_bin", "right_bin"):
            for height in HEIGHTS:
                x, y, z = scene.object(name).pose.position
                turns = (0.0, np.pi / 2, np.pi, -np.pi / 2)
                poses = tuple(Pose.from_xyz_rpy((x, y, z + height), (np.pi, 0.0, turn)) for turn in turns)
                found.append(Query("to above an object", scene, PoseGoal(poses)))
        lift = np.array([0.0, 0.0, 0.03 * (seed % 4)])
        wall = CollisionObject(
            shapes=(BoxShape(size=(0.3, 0.02, 0.3)),), xyz=tuple(place - lift), rpy=(0.0, 0.0, yaw)
        )
        aside = robot.home + (0.9 + 0.02 * seed) * np.eye(len(robot.home))[0]
        found.append(Query("around a wall", scene, JointGoal(aside), wall))
    return found


def run(stack: MotionStack, robot: RobotDescription, query: Query) -> Outcome:
    """Plan one motion and check it."""
    state = RobotState(0.0, robot.home, np.zeros_like(robot.home), robot.gripper.max_opening * 0.7)
    if query.wall is not None:
        stack.scene.apply(AddObject("wall", query.wall), state, query.scene)
    begin = time.perf_counter()
    try:
        trajectory = stack.planner.plan(PlanRequest(query.goal), state, query.scene)
    except SkilletError as error:
        print(f"  {query.kind}: {error}", file=sys.stderr)
        return Outcome(solved=False, milliseconds=1e3 * (time.perf_counter() - begin))
    else:
        seconds = time.perf_counter() - begin
        check(stack, state, query.scene, trajectory)
        length = float(np.linalg.norm(np.diff(trajectory.positions, axis=0), axis=1).sum())
        return Outcome(solved=True, milliseconds=1e3 * seconds, length=length, duration=trajectory.duration)
    finally:
        if query.wall is not None:
            stack.scene.apply(RemoveObject("wall"), state, query.scene)


def check(stack: MotionStack, state: RobotState, scene: SceneState, trajectory: JointTrajectory) -> None:
    """Refuse a trajectory that penetrates something, at any of its points.

    Between two states that a planner checks the padding may be used up; no more than that.

    Raises:
        SkilletError: it does; says what and where.
    """
    world = stack.scene.collisions
    stack.scene.update(state, scene)
    world.tolerate_start(trajectory.positions[0])
    for number, positions in enumerate(trajectory.positions):
        deep = [overlap for overlap in world.overlaps(positions) if overlap.distance < 0.0]
        if deep:
            where = (
                f"point {number} of {len(trajectory.times)}: {deep[0]} by {-1e3 * deep[0].distance:.2f} mm"
            )
            raise SkilletError(f"a planner returned a trajectory that collides at {where}")


@contextmanager
def spinning(node: Node) -> Iterator[None]:
    """Serve a node's callbacks in a thread."""
    over, never, executor = threading.Event(), Future(), EventsExecutor()
    executor.add_node(node)

    def spin() -> None:
        while not over.is_set():
            executor.spin_until_future_complete(never, timeout_sec=0.1)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def started(robot: str) -> Iterator[None]:
    """Run simulator and move_group beside this."""
    arguments = ("--ros-args", "-p", f"robot:={robot}")
    commands = (
        ("skillet_sim.sim_node", *arguments, "-p", "cameras:=false"),
        ("skillet_motion.move_group_node", *arguments, "-p", "use_sim_time:=true"),
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def report(planner: str, kind: str, outcomes: list[Outcome]) -> str:
    """Return a row of the table."""
    solved = [outcome for outcome in outcomes if outcome.solved]
    times = np.array([outcome.milliseconds for outcome in solved])
    row = [planner, kind, f"{len(solved)}/{len(outcomes)}"]
    if solved:
        row += [f"{np.median(times):.0f}", f"{np.percentile(times, 90):.0f}"]
        row += [
            f"{np.median([o.length for o in solved]):.2f}",
            f"{np.median([o.duration for o in solved]):.2f}",
        ]
    return "| " + " | ".join(row) + " |"


def main() -> int:
    """Compare and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--robot", choices=robot_names(), default="ur5e")
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=list(PLANNERS))
    parser.add_argument("--seeds", type=int, default=10, help="scenes, of 11 motions each")
    options = parser.parse_args()
    robot, task = load_robot(options.robot), load_task("blocks")
    embedded = motion_stack(robot, task)
    asked = queries(robot, embedded, options.seeds)
    rclpy.init()
    node = Node("compares_planners", parameter_overrides=[Parameter("use_sim_time", value=True)])
    print(f"{robot.title}; solved of asked, ms median and 90 %, path rad, duration s\n")
    with spinning(node), started(robot.name):
        for planner in options.planners:
            stack = embedded if planner == "ompl" else moveit_stack(node, robot, task, planner)
            run(stack, robot, asked[0])  # what is only slow the first time
            outcomes = [(query.kind, run(stack, robot, query)) for query in asked]
            for kind in dict.fromkeys(kind for kind, _ in outcomes):
                print(
                    report(planner, kind, [outcome for other, outcome in outcomes if other == kind]),
                    flush=True,
                )
    sys.stdout.flush()
    # moveit_py leaves threads behind that a normal end would wait for or trip over
    os._exit(0)


if __name__ == "__main__":
    main()
