"""Planning through a real MoveIt 2, and executing in the simulator, through the contract."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from moveit_stand_ins import FIELDS

pytest.importorskip("moveit_msgs", reason="moveit_msgs of a full ROS 2 installation is not importable")

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future

from skillet_core.collision_objects import AddObject, BoxShape, CollisionObject, RemoveObject
from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_motion.motion_stack import MotionStack
from skillet_motion.moveit.requests import Budget, motion_plan_request, path_of
from skillet_motion.moveit.scene_messages import robot_state
from skillet_motion.moveit_planner_node import MoveGroup, MoveItPy, _reach, moveit_messages, moveit_stack
from skillet_ros.robot_client import RosRobot

pytestmark = [pytest.mark.full_ros, pytest.mark.timeout(300)]
PATIENCE = 60.0


def start(module: str, **parameters: str) -> subprocess.Popen[bytes]:
    settings = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-m", module, "--ros-args", *settings], env=environment, start_new_session=True
    )


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def spin(executor: EventsExecutor, over: threading.Event) -> None:
    """Spin in turns: without a time-out this executor keeps Python's lock."""
    never: Future = Future()
    while not over.is_set():
        executor.spin_until_future_complete(never, timeout_sec=0.1)


@dataclass(frozen=True)
class Setup:
    """A simulator with controllers, a MoveIt, and a robot that plans through it."""

    stack: MotionStack
    robot: RosRobot

    def aside(self, angle: float) -> PlanRequest:
        goal = self.robot.description.home + angle * np.eye(len(self.robot.description.joints))[0]
        return PlanRequest(JointGoal(goal), 0.5)


@pytest.fixture(
    scope="module", params=["ur5e-move_group", "panda-move_group", "ur5e-moveit"], ids=lambda param: param
)
def setup(request: pytest.FixtureRequest) -> Iterator[Setup]:
    name, backend = request.param.split("-")
    if backend == "moveit":
        pytest.importorskip("moveit.planning", reason="moveit_py is not importable")
    robot, task = load_robot(name), load_task("blocks")
    processes = [start("skillet_sim.sim_node", robot=name, seed="3", cameras="false")]
    if backend == "move_group":
        processes.append(start("skillet_motion.move_group_node", robot=name, use_sim_time="true"))
    rclpy.init()
    clock = [Parameter("use_sim_time", value=True)]
    node = Node("plans_through_moveit", parameter_overrides=clock)
    executor, over = EventsExecutor(), threading.Event()
    executor.add_node(node)
    thread = threading.Thread(target=spin, args=(executor, over))
    thread.start()
    try:
        stack = moveit_stack(node, robot, task, backend)
        client = RosRobot(node, robot, task, stack)
        client.wait_until_ready(PATIENCE)
        yield Setup(stack, client)
    finally:
        over.set()
        thread.join()
        for process in processes:
            end(process)
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()


def home(setup: Setup) -> None:
    setup.robot.follow(setup.robot.plan(PlanRequest(JointGoal(setup.robot.description.home))))


def test_the_backend_is_the_one_that_was_asked_for(setup: Setup, request: pytest.FixtureRequest) -> None:
    moveit = setup.stack.planner._moveit
    wanted = MoveItPy if request.node.callspec.params["setup"].endswith("-moveit") else MoveGroup
    assert isinstance(moveit, wanted)


def test_it_plans_to_a_pose_and_the_arm_goes_there(setup: Setup) -> None:
    above = Pose.from_xyz_rpy((0.45, 0.15, 0.3), (np.pi, 0.0, 0.0))
    setup.robot.follow(setup.robot.plan(PlanRequest(PoseGoal((above,)), 0.5)))
    distance, turn = setup.robot.grasp_pose().distance_to(above)
    assert distance < 0.003
    assert turn < 0.02
    home(setup)


def test_it_plans_to_joint_positions_and_the_arm_goes_there(setup: Setup) -> None:
    request = setup.aside(0.6)
    setup.robot.follow(setup.robot.plan(request))
    assert setup.robot.state().positions == pytest.approx(request.goal.positions, abs=0.01)
    home(setup)


def test_a_straight_line_stays_on_its_line(setup: Setup) -> None:
    begin = setup.robot.grasp_pose()
    target = begin @ Pose(np.array([0.0, 0.0, 0.08]))
    trajectory = setup.robot.plan(PlanRequest(CartesianGoal((target,)), 0.3))
    for positions in trajectory.positions:
        place = begin.inverse() @ setup.robot.grasp_pose(positions)
        assert np.linalg.norm(place.position[:2]) < 0.002
    setup.robot.follow(trajectory)
    assert setup.robot.grasp_pose().distance_to(target)[0] < 0.003
    home(setup)


def test_a_goal_in_the_table_is_refused_in_words(setup: Setup) -> None:
    below = Pose.from_xyz_rpy((0.45, 0.0, -0.05), (np.pi, 0.0, 0.0))
    with pytest.raises(PlanningError, match="collide") as caught:
        setup.robot.plan(PlanRequest(PoseGoal((below,))))
    assert caught.value.failure is PlanningFailure.GOAL_IN_COLLISION


def asked_of_moveit_alone(setup: Setup, request: PlanRequest) -> Callable[[], np.ndarray]:
    """Send what the planner would send, without Skillet's own checks before and after."""
    planner, robot = setup.stack.planner, setup.robot.description
    state, scene = setup.robot.state(), setup.robot.scene()
    start = planner._embedded.begin(request, state, scene)
    content = planner._content(request, start, state, scene)
    planner._apply(content)
    messages = moveit_messages()
    made = motion_plan_request(
        messages, robot, request, robot_state(messages, robot, content), Budget(seconds=2.0)
    )
    return lambda: path_of(planner._moveit.plan(made), robot)


def length(path: np.ndarray) -> float:
    """Length of a path in joint space [rad]."""
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def wall(setup: Setup) -> AddObject:
    """A wall where the gripper passes on the way aside."""
    middle = setup.robot.grasp_pose(setup.aside(0.35).goal.positions).position
    shape = BoxShape(size=(0.3, 0.02, 0.3))
    yaw = float(np.arctan2(middle[1], middle[0]))
    return AddObject("wall", CollisionObject(shapes=(shape,), xyz=tuple(middle), rpy=(0.0, 0.0, yaw)))


def test_moveit_goes_around_what_a_user_has_added(setup: Setup) -> None:
    request = setup.aside(0.7)
    state, scene = setup.robot.state(), setup.robot.scene()
    without = asked_of_moveit_alone(setup, request)()
    setup.stack.scene.apply(wall(setup), state, scene)
    try:
        around = asked_of_moveit_alone(setup, request)()
        setup.stack.scene.update(state, scene)
        free = setup.stack.scene.collisions.is_free
        assert not all(free(place) for place in without)
        assert length(around) > 1.1 * length(without)
        setup.robot.follow(setup.robot.plan(request))
        setup.robot.follow(setup.robot.plan(setup.aside(0.0)))
    finally:
        setup.stack.scene.apply(RemoveObject("wall"), state, scene)


def test_moveit_minds_what_the_gripper_carries(setup: Setup) -> None:
    """Over a low wall the gripper passes alone, but not with a bar that hangs down from it."""
    request, state, scene = setup.aside(0.7), setup.robot.state(), setup.robot.scene()
    hand = setup.robot.grasp_pose().position
    below = (hand[0], hand[1], hand[2] - 0.06)
    bar = CollisionObject(shapes=(BoxShape(size=(0.02, 0.02, 0.12)),), movable=True, xyz=below)
    high = wall(setup).object
    low = high.model_copy(update={"xyz": (high.xyz[0], high.xyz[1], hand[2] - 0.07 - 0.15)})
    for name, item in (("bar", bar), ("wall", low)):
        setup.stack.scene.apply(AddObject(name, item), state, scene)
    try:
        with_bar = asked_of_moveit_alone(setup, replace(request, attached=frozenset({"bar"})))()
        free = setup.stack.scene.collisions.is_free
        straight = np.linspace(with_bar[0], request.goal.positions, 200)
        assert not all(free(place) for place in straight), "with the bar the straight way is blocked"
        assert length(with_bar) > 1.1 * length(straight)
        setup.stack.scene.apply(RemoveObject("bar"), state, scene)
        alone = asked_of_moveit_alone(setup, request)()
        assert length(alone) < 1.02 * length(straight), "without it, it is free"
    finally:
        for name in {"bar", "wall"} & setup.stack.scene.added.keys():
            setup.stack.scene.apply(RemoveObject(name), state, scene)


@pytest.mark.parametrize("kind", FIELDS)
def test_the_stand_ins_of_the_other_tests_are_like_the_real_messages(kind: str) -> None:
    if kind == "GetCartesianPath":
        real = importlib.import_module("moveit_msgs.srv").GetCartesianPath.Request
    else:
        packages = (
            "geometry_msgs",
            "moveit_msgs",
            "sensor_msgs",
            "shape_msgs",
            "std_msgs",
            "trajectory_msgs",
        )
        modules = [importlib.import_module(f"{package}.msg") for package in packages]
        real = next(getattr(module, kind) for module in modules if hasattr(module, kind))
    types = real.get_fields_and_field_types()
    for name, default in FIELDS[kind].items():
        assert name in types
        if isinstance(default, str) and default:
            assert types[name].endswith(f"/{default}")
        else:
            made = getattr(real(), name)
            assert (list(made) if isinstance(default, list) else made) == default


def test_without_moveit_py_a_warning_is_given_and_move_group_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moveit.planning", None)
    warnings: list[str] = []
    context = rclpy.Context()
    context.init()
    node = Node("has_no_moveit_py", context=context)
    try:
        monkeypatch.setattr(node.get_logger(), "warning", warnings.append, raising=True)
        assert isinstance(_reach(node, load_robot("ur5e"), "moveit"), MoveGroup)
    finally:
        node.destroy_node()
        context.shutdown()
    assert "ros-jazzy-moveit-py" in warnings[0]
    assert "move_action" in warnings[0]
