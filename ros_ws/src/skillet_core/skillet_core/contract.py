"""The names of the contract: the same in simulation and on hardware. See docs/contract.md.

All names are relative, so that a namespace works.
"""

from __future__ import annotations

JOINT_STATES = "joint_states"
ROBOT_DESCRIPTION = "robot_description"
FOLLOW_JOINT_TRAJECTORY = "joint_trajectory_controller/follow_joint_trajectory"
JOINT_TRAJECTORY = "joint_trajectory_controller/joint_trajectory"
CONTROLLER_STATE = "joint_trajectory_controller/controller_state"
FORWARD_POSITION = "forward_position_controller/commands"
GRIPPER = "gripper_controller/gripper_cmd"
SAFETY_STATUS = "safety/status"
SAFETY_STOP = "safety/stop"
SAFETY_RESET = "safety/reset"
SCENE_STATE = "scene/state"
SCENE_RESET = "scene/reset"
SCENE_STEP = "scene/step"
EPISODE_START = "episode/start"
EPISODE_STOP = "episode/stop"
EPISODE_EVENTS = "episode/events"
SCENE_APPLY = "scene/apply"
PLAN_MOTION = "plan_motion"
EXECUTE_SKILL = "execute_skill"
EXECUTE_TASK = "execute_task"

MAX_SILENCE = 0.75
"""Silence of joint states or scene after which their source counts as lost [s], on the steady clock."""


def color_image(camera: str) -> str:
    """Topic of a camera's rgb8 images."""
    return f"camera/{camera}/color/image_raw"


def color_info(camera: str) -> str:
    """Topic of the colour camera's intrinsics."""
    return f"camera/{camera}/color/camera_info"


def depth_image(camera: str) -> str:
    """Topic of the 16UC1 depth images [mm], aligned to colour; 0 is no reading."""
    return f"camera/{camera}/aligned_depth_to_color/image_raw"


def depth_info(camera: str) -> str:
    """Topic of the aligned depth images' intrinsics."""
    return f"camera/{camera}/aligned_depth_to_color/camera_info"
