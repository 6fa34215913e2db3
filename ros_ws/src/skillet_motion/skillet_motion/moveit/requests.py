"""A `PlanRequest` as MoveIt's messages, and MoveIt's answers as Skillet's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_core.motion import JointGoal, PlanRequest, PoseGoal
from skillet_core.robot import RobotDescription
from skillet_motion.moveit import messages as make
from skillet_motion.moveit.config import ARM, PATH_PIPELINE
from skillet_motion.moveit.messages import Messages

PLANNERS: Final = {"rrt_connect": "RRTConnectkConfigDefault", "rrt_star": "RRTstarkConfigDefault"}
"""Skillet's names → those of ``urdf/moveit/ompl_planning.yaml``."""
JOINT_TOLERANCE = 1e-4
"""Of a joint goal, to either side [rad]."""
POSITION_TOLERANCE, ROTATION_TOLERANCE = 2e-4, 1e-3
"""Radius [m] and turn about each axis [rad] of the region around a pose in which MoveIt may end."""
WORKSPACE = 3.0
"""Half the side of a cube around the base that no arm leaves [m]; MoveIt asks for one."""
LINE_STEP = 0.005
"""Of the grasp frame between two points of a straight line [m]."""
LINE_SCALING = 0.05
"""MoveIt times a straight line and returns a point every 0.1 s: slowly, so that these are dense."""
SUCCESS = 1
_SPHERE = 2


@dataclass(frozen=True)
class Budget:
    """How long MoveIt may search. It counts time where Skillet's own planner counts iterations.

    Attributes:
        seconds: of one search; RRT* uses all of it.
        attempts: searches in parallel, of which the best counts.
    """

    seconds: float = 2.0
    attempts: int = 1


def motion_plan_request(
    messages: Messages, robot: RobotDescription, request: PlanRequest, start_state: Any, budget: Budget
) -> Any:
    """Return a ``moveit_msgs/MotionPlanRequest`` for a joint or pose goal.

    Args:
        messages: makes the messages.
        robot: the robot's description.
        request: what to plan. Its seed and iterations have no counterpart in MoveIt.
        start_state: a ``moveit_msgs/RobotState``.
        budget: how long to search.

    Raises:
        PlanningError: MoveIt does not offer the planner, or the goal is a straight line.
    """
    return messages(
        "MotionPlanRequest",
        workspace_parameters=messages(
            "WorkspaceParameters",
            header=make.header(messages),
            min_corner=messages("Vector3", x=-WORKSPACE, y=-WORKSPACE, z=-WORKSPACE),
            max_corner=messages("Vector3", x=WORKSPACE, y=WORKSPACE, z=WORKSPACE),
        ),
        group_name=ARM,
        pipeline_id=PATH_PIPELINE,
        planner_id=planner_id(request),
        start_state=start_state,
        goal_constraints=goal_constraints(messages, robot, request),
        num_planning_attempts=budget.attempts,
        allowed_planning_time=budget.seconds,
        max_velocity_scaling_factor=request.velocity_scaling,
        max_acceleration_scaling_factor=request.acceleration_scaling or request.velocity_scaling**0.5,
    )


def planner_id(request: PlanRequest) -> str:
    """Return MoveIt's name of a request's planner.

    Raises:
        PlanningError: MoveIt does not offer it.
    """
    if request.planner not in PLANNERS:
        raise PlanningError(
            f"MoveIt does not offer the planner {request.planner!r}. It offers: {', '.join(PLANNERS)}",
            PlanningFailure.INVALID_REQUEST,
        )
    return PLANNERS[request.planner]


def goal_constraints(messages: Messages, robot: RobotDescription, request: PlanRequest) -> list[Any]:
    """Return one ``moveit_msgs/Constraints`` for each way in which a goal can be reached.

    Raises:
        PlanningError: the goal is a straight line, which no constraints describe.
    """
    match request.goal:
        case JointGoal(positions=positions):
            joints = [
                messages(
                    "JointConstraint",
                    joint_name=name,
                    position=float(position),
                    tolerance_above=JOINT_TOLERANCE,
                    tolerance_below=JOINT_TOLERANCE,
                    weight=1.0,
                )
                for name, position in zip(robot.joint_names, positions, strict=True)
            ]
            return [messages("Constraints", joint_constraints=joints)]
        case PoseGoal(poses=poses):
            return [_pose_constraints(messages, robot.gripper.grasp_frame, pose) for pose in poses]
        case _:
            raise PlanningError("a straight line is followed, not searched", PlanningFailure.INVALID_REQUEST)


def _pose_constraints(messages: Messages, link: str, pose: Pose) -> Any:
    region = messages(
        "BoundingVolume",
        primitives=[messages("SolidPrimitive", type=_SPHERE, dimensions=[POSITION_TOLERANCE])],
        primitive_poses=[make.pose(messages, Pose(pose.position))],
    )
    position = messages(
        "PositionConstraint",
        header=make.header(messages),
        link_name=link,
        constraint_region=region,
        weight=1.0,
    )
    orientation = messages(
        "OrientationConstraint",
        header=make.header(messages),
        link_name=link,
        orientation=make.quaternion(messages, pose),
        absolute_x_axis_tolerance=ROTATION_TOLERANCE,
        absolute_y_axis_tolerance=ROTATION_TOLERANCE,
        absolute_z_axis_tolerance=ROTATION_TOLERANCE,
        weight=1.0,
    )
    return messages("Constraints", position_constraints=[position], orientation_constraints=[orientation])


def cartesian_request(
    messages: Messages, robot: RobotDescription, waypoints: Iterable[Pose], start_state: Any
) -> Any:
    """Return a ``moveit_msgs/srv/GetCartesianPath`` request: straight lines, checked for collisions."""
    return messages(
        "GetCartesianPath",
        header=make.header(messages),
        start_state=start_state,
        group_name=ARM,
        link_name=robot.gripper.grasp_frame,
        waypoints=[make.pose(messages, waypoint) for waypoint in waypoints],
        max_step=LINE_STEP,
        avoid_collisions=True,
        max_velocity_scaling_factor=LINE_SCALING,
        max_acceleration_scaling_factor=LINE_SCALING,
    )


def path_of(trajectory: Any, robot: RobotDescription) -> Array:
    """Return the positions of a ``trajectory_msgs/JointTrajectory``, shape (k, n) [rad], without its times.

    Raises:
        PlanningError: it has no points or lacks a joint of the arm, or holds a number that is not finite.
    """
    names = list(trajectory.joint_names)
    lacking = [name for name in robot.joint_names if name not in names]
    if lacking or not trajectory.points:
        what = f"lacks {', '.join(lacking)}" if lacking else "has no points"
        raise PlanningError(f"MoveIt's trajectory {what}", PlanningFailure.BACKEND)
    order = [names.index(name) for name in robot.joint_names]
    path = np.array([point.positions for point in trajectory.points], dtype=np.float64)[:, order]
    if not np.isfinite(path).all():
        raise PlanningError("MoveIt's trajectory holds numbers that are not finite", PlanningFailure.BACKEND)
    return path


_FAILURES: Final = {
    99999: ("MoveIt found no plan and gave no reason; its log may say more", PlanningFailure.NO_PATH),
    -1: ("MoveIt found no path", PlanningFailure.NO_PATH),
    -2: ("MoveIt's path goes through a collision or beyond a limit", PlanningFailure.NO_PATH),
    -6: ("MoveIt found no path in the time it had", PlanningFailure.NO_PATH),
    -10: ("start in collision in MoveIt's planning scene", PlanningFailure.START_IN_COLLISION),
    -11: ("the start violates a constraint of the path", PlanningFailure.START_IN_COLLISION),
    -12: ("goal in collision in MoveIt's planning scene", PlanningFailure.GOAL_IN_COLLISION),
    -13: ("the goal violates a constraint of the path", PlanningFailure.GOAL_UNREACHABLE),
    -14: ("MoveIt's path does not end at the goal", PlanningFailure.GOAL_UNREACHABLE),
    -15: (f"MoveIt knows no group {ARM!r}: is it another robot's SRDF?", PlanningFailure.BACKEND),
    -16: ("MoveIt cannot use the goal's constraints", PlanningFailure.GOAL_UNREACHABLE),
    -17: ("MoveIt cannot use the start state", PlanningFailure.BACKEND),
    -18: ("MoveIt knows no such link: is it another robot's URDF?", PlanningFailure.BACKEND),
    -21: ("MoveIt cannot transform into its planning frame", PlanningFailure.BACKEND),
    -26: ("the start is beyond the joints' limits", PlanningFailure.START_OUT_OF_LIMITS),
    -27: ("MoveIt found no free goal state", PlanningFailure.GOAL_UNREACHABLE),
    -31: ("goal unreachable: MoveIt found no inverse kinematics", PlanningFailure.GOAL_UNREACHABLE),
}
"""Codes of ``moveit_msgs/MoveItErrorCodes`` in words."""


def check_answer(error_code: Any) -> None:
    """Let a success pass.

    Args:
        error_code: a ``moveit_msgs/MoveItErrorCodes``.

    Raises:
        PlanningError: with what the code means, and MoveIt's own words where it has some.
    """
    if error_code.val == SUCCESS:
        return
    what, failure = _FAILURES.get(
        error_code.val, (f"MoveIt answered with error code {error_code.val}", PlanningFailure.BACKEND)
    )
    words = getattr(error_code, "message", "")
    raise PlanningError(f"{what}: {words}" if words else what, failure)
