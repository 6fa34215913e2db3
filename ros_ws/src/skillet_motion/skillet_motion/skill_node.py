"""The skill node: one motion stack behind ``execute_skill``, ``plan_motion`` and ``scene/apply``.

One skill runs at a time, in a thread of its own, as does every call of a service; the executor's
thread serves the robot's topics and actions meanwhile.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from skillet_interfaces.action import ExecuteSkill

from skillet_core import contract
from skillet_core.errors import CancelledError, SkilletError
from skillet_core.robot import RobotDescription, load_robot
from skillet_core.scene import TaskDescription, load_task
from skillet_motion.motion_stack import MotionStack, motion_stack
from skillet_motion.plan_server_node import PlanServer
from skillet_motion.scene_server_node import SceneServer
from skillet_motion.skill_parameters import SkillParameters
from skillet_motion.skills import SkillArgumentError, SkillResult, run_skill, skill
from skillet_ros.parameters import declare_parameters
from skillet_ros.robot_client import RosRobot
from skillet_ros.run import run_node
from skillet_ros.worker import in_thread

_CANCEL_TRANSITION = 1.0


class SkillNode(Node):
    """Runs skills on the robot behind the contract, see docs/contract.md."""

    def __init__(self) -> None:
        super().__init__("skill_node")
        self.parameters = declare_parameters(self, SkillParameters)
        robot, task = load_robot(self.parameters.robot), load_task(self.parameters.task)
        stack = self._stack(robot, task)
        reported = self.parameters.scene_source == "simulation"
        self._robot = RosRobot(self, robot, task, stack, scene_is_reported=reported)
        self._plans = PlanServer(self, self._robot, stack.scene)
        self._scenes = SceneServer(self, self._robot, stack.scene)
        self._busy = threading.Lock()
        self._goal: ServerGoalHandle | None = None
        self._server = ActionServer(
            self,
            ExecuteSkill,
            contract.EXECUTE_SKILL,
            in_thread(self, self._execute),
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self.get_logger().info(f"skills for {robot.title}, task {task.name!r}")

    def _stack(self, robot: RobotDescription, task: TaskDescription) -> MotionStack:
        """Make the stack with the planner that was asked for.

        Raises:
            BackendUnavailableError: it is not installed; names the package.
        """
        backend = self.parameters.planner
        if backend == "ompl":
            return motion_stack(robot, task)
        from skillet_motion.moveit_planner_node import moveit_stack  # noqa: PLC0415  (wanted only here)

        return moveit_stack(self, robot, task, backend)

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if goal is self._goal:
            self.get_logger().info(f"cancelling {_label(goal)}")
            self._robot.cancel()
        return CancelResponse.ACCEPT

    def _execute(self, goal: ServerGoalHandle) -> ExecuteSkill.Result:
        """Run a goal's skill; every way that it can end is in the result's reason."""
        if not self._busy.acquire(blocking=False):
            running = _label(self._goal) if self._goal else "another skill"
            return self._end(goal, f"busy with {running}: one skill at a time. Cancel it or wait")
        try:
            self._robot.forget_cancel()
            self._goal = goal
            result = self._run(goal)
        except CancelledError as error:
            return self._end_cancelled(goal, str(error))
        except SkilletError as error:
            return self._end(goal, str(error))
        finally:
            self._goal = None
            self._busy.release()
        return self._end(goal, "" if result.success else result.reason)

    def _run(self, goal: ServerGoalHandle) -> SkillResult:
        request = goal.request
        skill(request.skill)
        arguments = _parse(request.skill, request.arguments)
        self._robot.wait_until_ready(self.parameters.ready_timeout)

        def report(phase: str) -> None:
            # A cancel from before this goal was the current one did not reach the robot.
            if goal.is_cancel_requested:
                raise CancelledError("cancelled by request before anything else moved")
            goal.publish_feedback(ExecuteSkill.Feedback(phase=phase))

        return run_skill(self._robot, request.skill, arguments, report)

    def _end(self, goal: ServerGoalHandle, reason: str) -> ExecuteSkill.Result:
        """End a goal: succeeded without a reason, aborted with one."""
        label = _label(goal)
        if reason:
            self.get_logger().warning(f"{label} failed: {reason}")
            goal.abort()
        else:
            self.get_logger().info(f"{label} succeeded")
            goal.succeed()
        return ExecuteSkill.Result(success=not reason, reason=reason)

    def _end_cancelled(self, goal: ServerGoalHandle, reason: str) -> ExecuteSkill.Result:
        # The cancel reaches the robot a moment before rclpy has noted it on the goal.
        noted = threading.Event()
        for _ in range(100):
            if goal.is_cancel_requested:
                goal.canceled()
                return ExecuteSkill.Result(success=False, reason=reason)
            noted.wait(_CANCEL_TRANSITION / 100)
        return self._end(goal, reason)


def _label(goal: ServerGoalHandle) -> str:
    return f"{goal.request.skill}({goal.request.arguments})"


def _parse(name: str, text: str) -> Mapping[str, object]:
    """Read a goal's arguments, a JSON object; empty text is no arguments.

    Raises:
        SkillArgumentError: the text is not a JSON object.
    """
    try:
        arguments = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise SkillArgumentError(f"{name}: the arguments are not JSON: {error}. Got {text!r}") from error
    if not isinstance(arguments, dict):
        raise SkillArgumentError(f"{name}: the arguments must be a JSON object, got {text!r}")
    return arguments


def main() -> int:
    """Run the node."""
    return run_node(SkillNode)


if __name__ == "__main__":
    sys.exit(main())
