"""MoveIt behind `skillet_motion.moveit.planner.MoveIt`, for nodes: ``moveit_py``, and ``move_group``.

`moveit_stack` is what a node asks for. Its methods block the calling thread, which must not be the one
that the node's executor needs for callbacks.
"""

from __future__ import annotations

import copy
import importlib
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from skillet_core.errors import BackendUnavailableError, PlanningError, PlanningFailure
from skillet_core.robot import RobotDescription
from skillet_core.scene import TaskDescription
from skillet_motion.motion_stack import MotionStack
from skillet_motion.moveit.config import ARM, PATH_PIPELINE, PIPELINE, moveit_config, write_parameters
from skillet_motion.moveit.messages import Messages
from skillet_motion.moveit.planner import MoveIt, MoveItPlanner
from skillet_motion.moveit.requests import SUCCESS, check_answer
from skillet_motion.planning import OmplPlanner
from skillet_motion.planning_scene import PlanningScene
from skillet_motion.sampling import SceneSampler
from skillet_ros.worker import call_in_executor

Backend = Literal["moveit", "move_group"]
"""``moveit``: moveit_py in this process; where that is not installed, a move_group, with a warning.
``move_group``: a move_group, always."""

MOVE_ACTION, APPLY_SCENE, CARTESIAN_PATH = "move_action", "apply_planning_scene", "compute_cartesian_path"
START_TIME = 20.0
"""How long a move_group may take to appear [s]."""
ANSWER_TIME = 5.0
"""How long a move_group may take for an answer, besides the time to search [s]."""
_DEBIAN = {
    "moveit": "ros-jazzy-moveit ros-jazzy-moveit-py",
    "move_group": "ros-jazzy-moveit-msgs ros-jazzy-moveit-ros-move-group",
}
_MESSAGES = ("geometry_msgs", "moveit_msgs", "sensor_msgs", "shape_msgs", "std_msgs")
_LONG, _BREATH = 0.2, 0.1


def moveit_stack(node: Node, robot: RobotDescription, task: TaskDescription, backend: Backend) -> MotionStack:
    """Return Skillet's scene and samplers with MoveIt as the planner.

    Args:
        node: spun by somebody else.
        robot: which robot.
        task: which scene.
        backend: by which of its interfaces MoveIt is reached.

    Raises:
        BackendUnavailableError: what is not installed, and what to install or ask for instead.
        SkilletError: see `PlanningScene` and `moveit_config`.
    """
    messages = moveit_messages(_DEBIAN[backend])
    moveit = _reach(node, robot, backend)
    scene = PlanningScene(robot, task)
    planner = MoveItPlanner(OmplPlanner(scene), moveit, messages)
    return MotionStack(scene, planner, SceneSampler(scene))


def moveit_messages(debian: str = "ros-jazzy-moveit-msgs") -> Messages:
    """Return what makes MoveIt's messages.

    Args:
        debian: the packages to advise where moveit_msgs is not installed.

    Raises:
        BackendUnavailableError: moveit_msgs is not installed.
    """
    _import("moveit_msgs.msg", debian)
    modules = [importlib.import_module(f"{package}.msg") for package in _MESSAGES]
    request = importlib.import_module("moveit_msgs.srv").GetCartesianPath.Request

    def make(kind: str, /, **fields: Any) -> Any:
        if kind == "GetCartesianPath":
            return request(**fields)
        return next(getattr(module, kind) for module in modules if hasattr(module, kind))(**fields)

    return make


def _reach(node: Node, robot: RobotDescription, backend: Backend) -> MoveIt:
    if backend == "moveit":
        try:
            return MoveItPy(node, robot)
        except BackendUnavailableError as error:
            node.get_logger().warning(f"{error} Now asking a move_group at {MOVE_ACTION!r} instead.")
    return MoveGroup(node)


def _import(name: str, debian: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BackendUnavailableError(
            f"MoveIt as the planner needs {name.partition('.')[0]}, which is not installed ({error}): "
            f"apt install {debian}, or choose planner:=ompl, which needs nothing."
        ) from error


class MoveItPy:
    """MoveIt's planning pipelines in this process.

    A search holds Python's lock: nothing else of the process runs meanwhile.
    """

    follows_lines = False

    def __init__(self, node: Node, robot: RobotDescription) -> None:
        """Start MoveIt with a robot's files.

        Args:
            node: for its namespace and its clock.
            robot: which robot.

        Raises:
            BackendUnavailableError: moveit_py is not installed.
        """
        planning = _import("moveit.planning", "ros-jazzy-moveit-py")
        config = moveit_config(robot, use_sim_time=node.get_parameter("use_sim_time").value)
        config["planning_pipelines"] = {"pipeline_names": [PIPELINE, PATH_PIPELINE]}
        config["planning_scene_monitor_options"] = {
            "name": "planning_scene_monitor",
            "robot_description": "robot_description",
            "wait_for_initial_state_timeout": 0.0,
        }
        # every request says these for itself
        config["plan_request_params"] = {
            "planning_pipeline": PATH_PIPELINE,
            "planner_id": "",
            "planning_time": 1.0,
            "planning_attempts": 1,
            "max_velocity_scaling_factor": 1.0,
            "max_acceleration_scaling_factor": 1.0,
        }
        with tempfile.TemporaryDirectory() as folder:
            self._moveit = planning.MoveItPy(
                node_name=f"{node.get_name()}_moveit",
                name_space=node.get_namespace(),
                launch_params_filepaths=[str(write_parameters(config, Path(folder)))],
            )
        self._scenes = self._moveit.get_planning_scene_monitor()
        self._arm = self._moveit.get_planning_component(ARM)
        self._parameters = planning.PlanRequestParameters(self._moveit, "")

    def apply(self, scene: Any) -> None:
        """Take over a scene.

        Raises:
            PlanningError: MoveIt refuses it.
        """
        if not self._scenes.new_planning_scene_message(scene):
            raise PlanningError("MoveIt refuses the scene; its log says why", PlanningFailure.BACKEND)

    def plan(self, request: Any) -> Any:
        """Return a trajectory; what the start state carries is what the applied scene says.

        Raises:
            PlanningError: with MoveIt's reason.
        """
        with self._scenes.read_only() as scene:
            start = copy.copy(scene.current_state)
        joints = request.start_state.joint_state
        start.joint_positions = dict(zip(joints.name, joints.position, strict=True))
        start.update()
        self._arm.set_start_state(robot_state=start)
        self._arm.set_goal_state(motion_plan_constraints=request.goal_constraints)
        low, high = request.workspace_parameters.min_corner, request.workspace_parameters.max_corner
        self._arm.set_workspace(low.x, low.y, low.z, high.x, high.y, high.z)
        parameters = self._parameters
        parameters.planning_pipeline, parameters.planner_id = request.pipeline_id, request.planner_id
        parameters.planning_time = request.allowed_planning_time
        parameters.planning_attempts = request.num_planning_attempts
        parameters.max_velocity_scaling_factor = request.max_velocity_scaling_factor
        parameters.max_acceleration_scaling_factor = request.max_acceleration_scaling_factor
        begin = time.monotonic()
        answer = self._arm.plan(single_plan_parameters=parameters)
        if time.monotonic() - begin > _LONG:
            # Let the node hear its topics again, before their silence is taken for the robot's.
            time.sleep(_BREATH)
        check_answer(answer.error_code)
        return answer.trajectory.get_robot_trajectory_msg().joint_trajectory

    def straight_line(self, request: Any) -> tuple[Any, float]:
        """Refuse: moveit_py offers no interface for straight lines.

        Raises:
            BackendUnavailableError: always; `follows_lines` says so beforehand.
        """
        raise BackendUnavailableError(
            f"moveit_py does not follow straight lines, of {len(request.waypoints)} waypoints here; "
            "planner:=move_group does"
        )


class MoveGroup:
    """A move_group in another process, behind its action and services."""

    follows_lines = True

    def __init__(self, node: Node) -> None:
        """Make the clients.

        Args:
            node: spun by somebody else.

        Raises:
            BackendUnavailableError: moveit_msgs is not installed.
        """
        self._action = _import("moveit_msgs.action", "ros-jazzy-moveit-msgs").MoveGroup
        services = _import("moveit_msgs.srv", "ros-jazzy-moveit-msgs")
        group = ReentrantCallbackGroup()
        self._node, self._apply_request = node, services.ApplyPlanningScene.Request
        self._moves = ActionClient(node, self._action, MOVE_ACTION, callback_group=group)
        self._scenes = node.create_client(services.ApplyPlanningScene, APPLY_SCENE, callback_group=group)
        self._lines = node.create_client(services.GetCartesianPath, CARTESIAN_PATH, callback_group=group)

    def apply(self, scene: Any) -> None:
        """Take over a scene.

        Raises:
            BackendUnavailableError: no move_group answers.
            PlanningError: it refuses the scene.
        """
        _wait_for(self._scenes.wait_for_service, APPLY_SCENE)
        answer = _await(self._scenes.call_async(self._apply_request(scene=scene)), ANSWER_TIME, APPLY_SCENE)
        if not answer.success:
            raise PlanningError("move_group refuses the scene; its log says why", PlanningFailure.BACKEND)

    def plan(self, request: Any) -> Any:
        """Return a trajectory, without executing it.

        Raises:
            BackendUnavailableError: no move_group answers.
            PlanningError: with MoveIt's reason.
        """
        _wait_for(self._moves.wait_for_server, MOVE_ACTION)
        goal = self._action.Goal(request=request)
        goal.planning_options.plan_only = True
        goal.planning_options.planning_scene_diff.is_diff = True
        goal.planning_options.planning_scene_diff.robot_state.is_diff = True
        sent = call_in_executor(self._node, lambda: self._moves.send_goal_async(goal))
        handle = _await(sent, ANSWER_TIME, MOVE_ACTION)
        if not handle.accepted:
            raise PlanningError("move_group rejected the request", PlanningFailure.BACKEND)
        seconds = request.allowed_planning_time + ANSWER_TIME
        outcome = call_in_executor(self._node, handle.get_result_async)
        result = _await(outcome, seconds, MOVE_ACTION).result
        check_answer(result.error_code)
        return result.planned_trajectory.joint_trajectory

    def straight_line(self, request: Any) -> tuple[Any, float]:
        """Return a trajectory and the share of the way.

        Raises:
            BackendUnavailableError: no move_group answers.
            PlanningError: with MoveIt's reason.
        """
        _wait_for(self._lines.wait_for_service, CARTESIAN_PATH)
        answer = _await(self._lines.call_async(request), ANSWER_TIME, CARTESIAN_PATH)
        if answer.error_code.val != SUCCESS:
            check_answer(answer.error_code)
        return answer.solution.joint_trajectory, float(answer.fraction)


def _wait_for(there: Callable[..., bool], name: str) -> None:
    if not there(timeout_sec=START_TIME):
        raise BackendUnavailableError(
            f"no move_group answers at {name!r} within {START_TIME:g} s. Start one: "
            "launch/parts/moveit.launch.xml, with ros-jazzy-moveit-ros-move-group installed; or choose "
            "planner:=ompl, which needs nothing."
        )


def _await(future: Future, seconds: float, name: str) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    if not done.wait(seconds):
        future.cancel()
        raise BackendUnavailableError(
            f"move_group did not answer at {name!r} within {seconds:g} s. Is it alive?"
        )
    return future.result()
