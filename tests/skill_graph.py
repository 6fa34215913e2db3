"""A simulation node and a skill node, each in a process of its own, and a client of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from skillet_interfaces.action import ExecuteSkill
from skillet_interfaces.msg import SceneState as SceneStateMsg
from skillet_interfaces.srv import PlanMotion, SceneApply, SceneReset

from skillet_core import contract
from skillet_core.scene import SceneState
from skillet_ros import qos
from skillet_ros.convert import scene_from_msg
from skillet_ros.worker import call_in_executor

PATIENCE = 60.0
"""How long to wait for what must happen [s]; nothing is measured by it."""
SUCCEEDED, ABORTED, CANCELED = (
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_ABORTED,
    GoalStatus.STATUS_CANCELED,
)


def start(module, **parameters):
    settings = [f for name, value in parameters.items() for f in ("-p", f"{name}:={value}")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, "-m", module, "--ros-args", *settings], env=environment, start_new_session=True
    )


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class SkillGraph:
    """Both nodes with one robot and one task, in a ROS context of their own."""

    def __init__(self, robot, task="blocks", *, seed=3, real_time_factor=1.0, **skill_parameters) -> None:
        self.seed = seed
        self.sim = start(
            "skillet_sim.sim_node",
            robot=robot,
            task=task,
            seed=seed,
            cameras="false",
            real_time_factor=float(real_time_factor),
        )
        self.skills = start(
            "skillet_motion.skill_node", robot=robot, task=task, use_sim_time="true", **skill_parameters
        )
        self.context = rclpy.Context()
        self.context.init()
        self.node = Node("client", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.scene_msg: SceneStateMsg | None = None
        self.joints: JointState | None = None
        self.phases: list[str] = []
        node = self.node
        node.create_subscription(SceneStateMsg, contract.SCENE_STATE, self._on_scene, qos.STATE)
        node.create_subscription(JointState, contract.JOINT_STATES, self._on_joints, qos.COMMAND)
        self.client = ActionClient(node, ExecuteSkill, contract.EXECUTE_SKILL)
        self.reset_client = node.create_client(SceneReset, contract.SCENE_RESET)
        self.plan_client = node.create_client(PlanMotion, contract.PLAN_MOTION)
        self.apply_client = node.create_client(SceneApply, contract.SCENE_APPLY)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self):
        self.until(self.client.server_is_ready, "the skill node's action")
        for client in (self.reset_client, self.plan_client, self.apply_client):
            self.until(client.service_is_ready, client.srv_name)
        self.until(lambda: self.scene_msg and self.joints, "the simulation's topics")

    def _on_scene(self, msg):
        self.scene_msg = msg

    def _on_joints(self, msg):
        self.joints = msg

    def close(self):
        end(self.skills)
        end(self.sim)
        self.executor.shutdown()
        self.thread.join()
        self.client.destroy()
        self.node.destroy_node()
        self.context.shutdown()

    def until(self, condition, what):
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, f"waited in vain for {what}"
            assert self.sim.poll() is None, "the simulation node has ended"
            assert self.skills.poll() is None, "the skill node has ended"
            time.sleep(0.01)

    def scene(self) -> SceneState:
        return scene_from_msg(self.scene_msg)

    def next_scene(self) -> SceneState:
        """Return a scene that was published after this was called."""
        old = self.scene().stamp
        self.until(lambda: self.scene().stamp > old + 0.05, "a new scene")
        return self.scene()

    def positions(self, names):
        joints = dict(zip(self.joints.name, self.joints.position, strict=True))
        return [joints[name] for name in names]

    def reset(self, seed=None):
        """Reset, and return once the topics show it."""
        seed = self.seed if seed is None else seed
        answer = self.wait(self.reset_client.call_async(SceneReset.Request(seed=seed)))
        assert answer.success, answer.message
        self.until(lambda: self.scene_msg.episode >= answer.state.episode, "the scene after the reset")

    def wait(self, future):
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(PATIENCE), "no answer"
        return future.result()

    def send(self, skill, arguments):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        self.phases = phases = []
        goal = ExecuteSkill.Goal(skill=skill, arguments=text)
        sent = call_in_executor(
            self.node,
            lambda: self.client.send_goal_async(goal, lambda msg: phases.append(msg.feedback.phase)),
        )
        handle = self.wait(sent)
        assert handle.accepted
        return handle

    def result(self, handle):
        answer = self.wait(call_in_executor(self.node, handle.get_result_async))
        return answer.status, answer.result

    def cancel(self, handle):
        self.wait(call_in_executor(self.node, handle.cancel_goal_async))

    def run(self, skill, arguments):
        return self.result(self.send(skill, arguments))

    def plan(self, **fields):
        return self.wait(self.plan_client.call_async(PlanMotion.Request(**fields)))

    def apply(self, **fields):
        return self.wait(self.apply_client.call_async(SceneApply.Request(**fields)))

    def until_phase(self, phase):
        self.until(lambda: phase in self.phases, f"phase {phase}")
