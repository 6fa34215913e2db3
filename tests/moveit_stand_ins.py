"""Stand-ins for the messages that MoveIt is spoken to in: same names, same fields, nothing behind them.

`tests/full_ros/test_moveit.py` holds them against the real ones.
"""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import Any

NUMBER, WORD, LIST, TRUTH = 0.0, "", [], False
"""Defaults; a type's name stands for a message of it."""

FIELDS: dict[str, dict[str, Any]] = {
    "Point": dict.fromkeys("xyz", NUMBER),
    "Vector3": dict.fromkeys("xyz", NUMBER),
    "Quaternion": dict.fromkeys("xyz", NUMBER) | {"w": 1.0},
    "Pose": {"position": "Point", "orientation": "Quaternion"},
    "Header": {"frame_id": WORD},
    "JointState": {"header": "Header", "name": LIST, "position": LIST},
    "SolidPrimitive": {"type": 0, "dimensions": LIST},
    "MeshTriangle": {"vertex_indices": [0, 0, 0]},
    "Mesh": {"triangles": LIST, "vertices": LIST},
    "CollisionObject": {
        "header": "Header",
        "pose": "Pose",
        "id": WORD,
        "operation": b"\x00",
        "primitives": LIST,
        "primitive_poses": LIST,
        "meshes": LIST,
        "mesh_poses": LIST,
    },
    "AttachedCollisionObject": {"link_name": WORD, "object": "CollisionObject", "touch_links": LIST},
    "RobotState": {"joint_state": "JointState", "attached_collision_objects": LIST, "is_diff": TRUTH},
    "AllowedCollisionEntry": {"enabled": LIST},
    "AllowedCollisionMatrix": {"entry_names": LIST, "entry_values": LIST},
    "LinkPadding": {"link_name": WORD, "padding": NUMBER},
    "PlanningSceneWorld": {"collision_objects": LIST},
    "PlanningScene": {
        "robot_model_name": WORD,
        "robot_state": "RobotState",
        "allowed_collision_matrix": "AllowedCollisionMatrix",
        "link_padding": LIST,
        "world": "PlanningSceneWorld",
        "is_diff": TRUTH,
    },
    "JointConstraint": {
        "joint_name": WORD,
        "position": NUMBER,
        "tolerance_above": NUMBER,
        "tolerance_below": NUMBER,
        "weight": NUMBER,
    },
    "BoundingVolume": {"primitives": LIST, "primitive_poses": LIST},
    "PositionConstraint": {
        "header": "Header",
        "link_name": WORD,
        "constraint_region": "BoundingVolume",
        "weight": NUMBER,
    },
    "OrientationConstraint": {
        "header": "Header",
        "orientation": "Quaternion",
        "link_name": WORD,
        "absolute_x_axis_tolerance": NUMBER,
        "absolute_y_axis_tolerance": NUMBER,
        "absolute_z_axis_tolerance": NUMBER,
        "weight": NUMBER,
    },
    "Constraints": {"joint_constraints": LIST, "position_constraints": LIST, "orientation_constraints": LIST},
    "WorkspaceParameters": {"header": "Header", "min_corner": "Vector3", "max_corner": "Vector3"},
    "MotionPlanRequest": {
        "workspace_parameters": "WorkspaceParameters",
        "start_state": "RobotState",
        "goal_constraints": LIST,
        "pipeline_id": WORD,
        "planner_id": WORD,
        "group_name": WORD,
        "num_planning_attempts": 0,
        "allowed_planning_time": NUMBER,
        "max_velocity_scaling_factor": NUMBER,
        "max_acceleration_scaling_factor": NUMBER,
    },
    "GetCartesianPath": {
        "header": "Header",
        "start_state": "RobotState",
        "group_name": WORD,
        "link_name": WORD,
        "waypoints": LIST,
        "max_step": NUMBER,
        "avoid_collisions": TRUTH,
        "max_velocity_scaling_factor": NUMBER,
        "max_acceleration_scaling_factor": NUMBER,
    },
    "JointTrajectoryPoint": {"positions": LIST},
    "JointTrajectory": {"joint_names": LIST, "points": LIST},
    "MoveItErrorCodes": {"val": 0, "message": WORD},
}


def _default(value: Any) -> Any:
    if isinstance(value, str) and value in FIELDS:
        return message(value)
    return list(value) if isinstance(value, list) else value


_TYPES = {
    kind: make_dataclass(
        kind,
        [(name, Any, field(default_factory=lambda v=value: _default(v))) for name, value in fields.items()],
        slots=True,
    )
    for kind, fields in FIELDS.items()
}


def message(kind: str, /, **fields: Any) -> Any:
    """A message of a type; a field that the type does not have is an error, as with the real ones."""
    return _TYPES[kind](**fields)
