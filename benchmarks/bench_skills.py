"""Do skills succeed over ROS 2 as they do directly on the simulator? The same episodes, both ways.

An episode resets the ``tabletop`` scene with its seed, grasps an object and puts it into the basket.
Directly it runs on `DirectRobot`; over ROS 2 through ``scene/reset`` and ``execute_skill`` of a graph of
processes, as fast as it goes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from skillet_core.robot import load_robot, robot_names
from skillet_core.scene import load_task

TASK, CONTAINER = "tabletop", "basket"
EPISODES = 50
"""For each robot and each mode."""
PATIENCE = 120.0


@dataclass(frozen=True)
class Episode:
    """One object to put into the basket."""

    robot: str
    seed: int
    object: str

    @property
    def steps(self) -> tuple[tuple[str, dict[str, str]], ...]:
        """Skills and their arguments."""
        return (
            ("grasp", {"object": self.object, "target": CONTAINER}),
            ("place_in", {"object": self.object, "target": CONTAINER}),
        )


def _episodes(robot: str) -> list[Episode]:
    objects = [name for name, entry in load_task(TASK).objects.items() if entry.kind == "movable"]
    return [Episode(robot, seed, objects[seed % len(objects)]) for seed in range(EPISODES)]


def _direct(episodes: list[Episode]) -> Iterator[bool]:
    from skillet_motion.direct_robot import DirectRobot  # noqa: PLC0415
    from skillet_motion.skills import run_skill  # noqa: PLC0415
    from skillet_sim.world import World  # noqa: PLC0415

    robot = DirectRobot(World(load_robot(episodes[0].robot), load_task(TASK)))
    for episode in episodes:
        robot.reset(episode.seed)
        yield all(run_skill(robot, name, arguments).success for name, arguments in episode.steps)


@contextmanager
def _graph(robot: str) -> Iterator[None]:
    command = [sys.executable, "-m", "skillet_cli.main", "launch", "sim.launch.xml", f"robot:={robot}"]
    command += [f"task:={TASK}", "real_time_factor:=0.0", "cameras:=false", "recorder:=false"]
    graph = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        graph.send_signal(signal.SIGINT)
        graph.wait(10)


def _over_ros(episodes: list[Episode]) -> Iterator[bool]:
    import rclpy  # noqa: PLC0415  (reads ROS_DOMAIN_ID, which run() sets)
    from rclpy.action import ActionClient  # noqa: PLC0415
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415
    from rclpy.task import Future  # noqa: PLC0415
    from skillet_interfaces.action import ExecuteSkill  # noqa: PLC0415
    from skillet_interfaces.srv import SceneReset  # noqa: PLC0415

    from skillet_core import contract  # noqa: PLC0415

    rclpy.init()
    node = rclpy.create_node("skills_benchmark")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    threading.Thread(target=executor.spin, daemon=True).start()
    skills = ActionClient(node, ExecuteSkill, contract.EXECUTE_SKILL)
    reset = node.create_client(SceneReset, contract.SCENE_RESET)

    def wait(future: Future) -> object:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        if not done.wait(PATIENCE):
            raise RuntimeError("the graph did not answer")
        return future.result()

    def run_one(name: str, arguments: dict[str, str]) -> bool:
        goal = ExecuteSkill.Goal(skill=name, arguments=json.dumps(arguments))
        handle = wait(skills.send_goal_async(goal))
        return bool(wait(handle.get_result_async()).result.success)

    if not (skills.wait_for_server(PATIENCE) and reset.wait_for_service(PATIENCE)):
        raise RuntimeError("the graph did not start")
    for episode in episodes:
        wait(reset.call_async(SceneReset.Request(seed=episode.seed)))
        time.sleep(0.2)  # the skill node hears of the reset with the next scene
        yield all(run_one(name, arguments) for name, arguments in episode.steps)
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()


def run() -> dict[str, float]:
    """Measure both robots in both modes."""
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    direct: list[bool] = []
    ros: list[bool] = []
    for robot in robot_names():
        episodes = _episodes(robot)
        direct += _direct(episodes)
        with _graph(robot):
            ros += _over_ros(episodes)
    rates = {name: 100.0 * sum(done) / len(done) for name, done in (("direct", direct), ("ros", ros))}
    return {
        "skill.direct_success_pct": rates["direct"],
        "skill.ros_success_pct": rates["ros"],
        "skill.ros_vs_direct_pct": abs(rates["ros"] - rates["direct"]),
        "skill.episodes": float(len(ros)),
    }


if __name__ == "__main__":
    print(run())
