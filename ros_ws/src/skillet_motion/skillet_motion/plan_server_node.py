"""The service ``plan_motion``: motions for whoever wants to see or execute them elsewhere."""

from __future__ import annotations

import time
import typing

import numpy as np
from rclpy.node import Node
from skillet_interfaces.srv import PlanMotion

from skillet_core import contract
from skillet_core.errors import (
    BackendUnavailableError,
    PlanningError,
    PlanningFailure,
    SkilletError,
    StaleStateError,
    UnknownNameError,
)
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, MotionGoal, PlannerName, PlanRequest, PoseGoal
from skillet_core.trajectory import JointTrajectory
from skillet_motion.frames import frame_pose
from skillet_motion.planning_scene import PlanningScene
from skillet_ros.convert import (
    InvalidMessageError,
    joint_positions_from_msg,
    stamped_pose_from_msg,
    trajectory_to_msg,
)
from skillet_ros.robot_client import RosRobot
from skillet_ros.worker import service_in_thread

_METRES_PER_RADIAN = 0.1
"""What an angle counts in telling which of several poses was reached."""
_PLANNERS: dict[str, PlannerName] = {name: name for name in typing.get_args(PlannerName)}


class PlanServer:
    """Plans from where the robot is, with what its scene is now. Nothing moves."""

    def __init__(self, node: Node, robot: RosRobot, known: PlanningScene) -> None:
        """Serve it.

        Args:
            node: that hosts it.
            robot: plans.
            known: the scene that it plans in.
        """
        self._node, self._robot, self._known = node, robot, known
        self._service = service_in_thread(node, PlanMotion, contract.PLAN_MOTION, self._answer)

    def _answer(self, request: PlanMotion.Request, response: PlanMotion.Response) -> PlanMotion.Response:
        """Plan; every reason for which there is no plan is in the response."""
        begin = time.monotonic()
        try:
            wanted = self._request(request)
            trajectory = self._robot.plan(wanted)
        except SkilletError as error:
            response.failure, response.reason = _failure(error), str(error)
            self._node.get_logger().info(f"{contract.PLAN_MOTION}: {response.failure}: {error}")
        else:
            response.success = True
            response.trajectory = trajectory_to_msg(trajectory)
            response.goal_index = self._reached(wanted.goal, trajectory)
        response.planning_time = time.monotonic() - begin
        return response

    def _request(self, msg: PlanMotion.Request) -> PlanRequest:
        """Turn a message into a request.

        Raises:
            SkilletError: it means nothing here; says what and why.
        """
        if msg.planner and msg.planner not in _PLANNERS:
            raise UnknownNameError("planner", msg.planner, _PLANNERS)
        arm, others = self._robot.description.joint_names, self._robot.description.gripper.joint_names
        return PlanRequest(
            self._goal(msg),
            velocity_scaling=msg.velocity_scaling or 1.0,
            acceleration_scaling=msg.acceleration_scaling or None,
            attached=frozenset(msg.attached),
            touching=frozenset(msg.touching),
            allowed_contacts=frozenset((pair.first, pair.second) for pair in msg.allowed_contacts),
            start=joint_positions_from_msg(msg.start, arm, others) if msg.start.name else None,
            planner=_PLANNERS[msg.planner or "rrt_connect"],
            iterations=msg.iterations or None,
            seed=msg.seed,
        )

    def _goal(self, msg: PlanMotion.Request) -> MotionGoal:
        robot = self._robot.description
        if msg.goal == PlanMotion.Request.JOINT:
            return JointGoal(
                joint_positions_from_msg(msg.goal_joints, robot.joint_names, robot.gripper.joint_names)
            )
        if msg.goal not in (PlanMotion.Request.POSE, PlanMotion.Request.CARTESIAN):
            raise InvalidMessageError(f"a goal is JOINT (0), POSE (1) or CARTESIAN (2), got {msg.goal}")
        if not msg.goal_poses:
            raise InvalidMessageError("goal_poses is empty: give at least one pose")
        state, scene = self._robot.state(), self._robot.scene()

        def frame(name: str) -> Pose:
            return frame_pose(name, self._known, state, scene)

        poses = tuple(stamped_pose_from_msg(pose, frame) for pose in msg.goal_poses)
        return PoseGoal(poses) if msg.goal == PlanMotion.Request.POSE else CartesianGoal(poses)

    def _reached(self, goal: MotionGoal, trajectory: JointTrajectory) -> int:
        """Return the index of the pose that a trajectory ends at; 0 for a joint goal."""
        if isinstance(goal, CartesianGoal):
            return len(goal.waypoints) - 1
        if isinstance(goal, JointGoal):
            return 0
        end = self._robot.grasp_pose(trajectory.positions[-1])
        off = np.array([end.distance_to(pose) for pose in goal.poses])
        return int(np.argmin(off @ (1.0, _METRES_PER_RADIAN)))


def _failure(error: SkilletError) -> PlanningFailure:
    if isinstance(error, PlanningError):
        return error.failure
    if isinstance(error, StaleStateError):
        return PlanningFailure.NO_STATE
    if isinstance(error, BackendUnavailableError):
        return PlanningFailure.BACKEND
    return PlanningFailure.INVALID_REQUEST
