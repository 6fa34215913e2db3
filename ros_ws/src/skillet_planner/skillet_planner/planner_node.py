"""The planner node: sentences on ``execute_task`` become task trees, and task trees become skills."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Literal

import pydantic
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from skillet_interfaces.action import ExecuteTask
from skillet_interfaces.msg import EpisodeEvent
from skillet_interfaces.srv import EpisodeStart, EpisodeStop

from skillet_core import contract
from skillet_core.errors import ExecutionError, SkilletError
from skillet_core.model import DataModel
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_core.task_tree import Node as TreeNode
from skillet_core.task_tree import NodeReport, SkillNode, TaskReport, TaskTree
from skillet_planner.executor import ExecutorPorts, TaskExecutor
from skillet_planner.offline import OfflinePlanner
from skillet_planner.planner import Planner, RefusalError
from skillet_planner.ports_node import RosPorts
from skillet_ros.parameters import declare_parameters
from skillet_ros.run import run_node
from skillet_ros.worker import in_thread

_PLANNERS: dict[str, Callable[[], Planner]] = {"offline": OfflinePlanner}


class PlannerParameters(DataModel):
    """Parameters of the planner node."""

    robot: str = pydantic.Field(default="ur5e", description="robot identifier")
    task: str = pydantic.Field(default="blocks", description="task identifier: what is in the scene")
    planner: Literal["offline"] = pydantic.Field(default="offline", description="turns sentences into trees")
    max_silence: float = pydantic.Field(
        default=contract.MAX_SILENCE,
        gt=0,
        description="silence of joint_states or scene/state that ends a task [s]",
    )
    startup: float = pydantic.Field(
        default=20.0, gt=0, description="time that a task waits for the robot and the skill server [s]"
    )


class PlannerNode(Node):
    """Serves ``execute_task``, one goal at a time."""

    def __init__(self) -> None:
        super().__init__("planner_node")
        given = self._given = declare_parameters(self, PlannerParameters)
        self._robot, self._task = load_robot(given.robot), load_task(given.task)
        self._planner = _PLANNERS[given.planner]()
        self._ports = RosPorts(self, given.max_silence)
        self._busy = threading.Lock()
        self._server = ActionServer(
            self,
            ExecuteTask,
            contract.EXECUTE_TASK,
            in_thread(self, self._execute),
            callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.get_logger().info(f"planner {given.planner!r}, task {given.task!r}, robot {given.robot!r}")

    def destroy_node(self) -> None:
        """End the action interfaces, which the node does not end by itself."""
        self._server.destroy()
        self._ports.close()
        super().destroy_node()

    def _execute(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        if not self._busy.acquire(blocking=False):
            goal.abort()
            return ExecuteTask.Result(refused=True, reason="another task is running; one at a time")
        try:
            return self._plan_and_run(goal)
        finally:
            self._busy.release()

    def _plan_and_run(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        request: ExecuteTask.Goal = goal.request
        self._ports.begin(lambda: goal.is_cancel_requested)
        try:
            self._ports.wait_until_ready(self._given.startup, recorder=request.record)
            tree = self._planner.plan(request.instruction, self._task, self._ports.scene())
            if request.record:
                self._ports.start_episode(self._episode(request))
        except RefusalError as error:
            self.get_logger().info(f"refused {request.instruction!r}: {error}")
            goal.abort()
            return ExecuteTask.Result(refused=True, reason=str(error))
        except SkilletError as error:
            return self._end(goal, ExecuteTask.Result(reason=f"the task was not begun: {error}"))
        report = self._run(tree, goal)
        result = ExecuteTask.Result(
            success=report.success, reason=report.reason, report=report.model_dump_json()
        )
        if request.record:
            self._stop_episode(result)
        return self._end(goal, result)

    def _episode(self, request: ExecuteTask.Goal) -> EpisodeStart.Request:
        return EpisodeStart.Request(
            instruction=request.instruction,
            task=self._given.task,
            robot=self._given.robot,
            seed=request.seed,
            tags=request.tags,
        )

    def _run(self, tree: TaskTree, goal: ServerGoalHandle) -> TaskReport:
        ports = ExecutorPorts(
            run_skill=self._ports.run_skill,
            scene=self._ports.scene,
            clock=self._ports.seconds,
            wait=self._ports.wait,
            listener=lambda report, node: self._tell(goal, report, node),
        )
        return TaskExecutor(ports, self._task, self._robot.gripper).run(tree)

    def _tell(self, goal: ServerGoalHandle, report: NodeReport, node: TreeNode) -> None:
        """Pass a node's start or end on: as feedback, and for a skill as a label of the recording."""
        feedback = ExecuteTask.Feedback(node=report.path, label=report.label, status=report.status)
        goal.publish_feedback(feedback)
        if not isinstance(node, SkillNode):
            return
        if report.status == "running":
            self._ports.publish_event(EpisodeEvent.SUBTASK_STARTED, report.label)
        else:
            self._ports.publish_event(
                EpisodeEvent.SUBTASK_ENDED,
                report.label,
                success=report.status == "succeeded",
                detail=report.reason,
            )

    def _stop_episode(self, result: ExecuteTask.Result) -> None:
        """Commit the episode. A task that was to be recorded and was not has not succeeded."""
        request = EpisodeStop.Request(
            keep=True, succeeded=result.success, reason=result.reason, report=result.report
        )
        try:
            result.episode = self._ports.stop_episode(request)
        except ExecutionError as error:
            done = "the task itself succeeded" if result.success else result.reason
            result.success, result.reason = False, f"{done}; no episode was committed: {error}"

    def _end(self, goal: ServerGoalHandle, result: ExecuteTask.Result) -> ExecuteTask.Result:
        if result.success:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        outcome = "succeeded" if result.success else f"failed: {result.reason}"
        self.get_logger().info(f"{goal.request.instruction!r} {outcome}")
        return result


def main() -> int:
    """Run the node; returns the exit status."""
    return run_node(PlannerNode)


if __name__ == "__main__":
    sys.exit(main())
