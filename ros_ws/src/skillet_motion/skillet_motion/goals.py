"""Goals become joint positions that are within the limits and free, nearest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_motion.collision import listed
from skillet_motion.planning_scene import PlanningScene

MAX_GOALS = 6
"""How many joint positions, nearest first, a search may end at."""
IK_SEEDS = 12
"""Inverse kinematics seeds for each pose of a goal."""
MANY_SEEDS = 3
"""Seeds for each pose in the first round, where there are many poses."""
MANY_POSES = 4
QUICK_GOALS = 3
_LIMIT_SLACK = 1e-3
# How far a turn of the grasp frame counts in the order of poses: a radian moves the wrist by about this.
_METRES_PER_RADIAN = 0.2


def check_positions(robot: RobotDescription, positions: Array, what: str) -> None:
    """Refuse arm positions of the wrong shape, with NaN or beyond the joints' limits.

    Args:
        robot: whose limits.
        positions: to be of shape (n,) [rad].
        what: ``"start"`` or ``"goal"``; a measured start may lie a hair beyond.

    Raises:
        PlanningError: with the joint that is beyond its limits.
    """
    if positions.shape != robot.lower.shape or not np.isfinite(positions).all():
        raise PlanningError(
            f"the {what} must be {len(robot.joints)} finite joint positions, got {positions.tolist()}",
            PlanningFailure.INVALID_REQUEST,
        )
    start = what == "start"
    slack = 10 * _LIMIT_SLACK if start else _LIMIT_SLACK
    failure = PlanningFailure.START_OUT_OF_LIMITS if start else PlanningFailure.GOAL_UNREACHABLE
    for joint, position in zip(robot.joints, positions, strict=True):
        if not joint.limits.lower - slack <= position <= joint.limits.upper + slack:
            raise PlanningError(
                f"{what} unreachable: {joint.name} at {position:.4f} rad is beyond its limits "
                f"[{joint.limits.lower}, {joint.limits.upper}]",
                failure,
            )


def joint_goal(scene: PlanningScene, positions: Array) -> Array:
    """Return checked goal positions, shape (n,) [rad].

    Raises:
        PlanningError: they are beyond the limits or in collision.
    """
    goal = np.asarray(positions, dtype=np.float64)
    check_positions(scene.robot, goal, "goal")
    overlaps = scene.collisions.overlaps(goal)
    if overlaps:
        raise PlanningError(
            f"goal unreachable: in collision: {listed(overlaps)}", PlanningFailure.GOAL_IN_COLLISION
        )
    return goal


def quick_goals(scene: PlanningScene, poses: Sequence[Pose], start: Array, *, weights: Array) -> list[Array]:
    """Return some free positions for some of the poses, nearest first: those that the start leads to.

    An arm without a closed form has more of them, farther away: see `pose_goals`.

    Args:
        scene: updated, with what the start touches tolerated.
        poses: world frame.
        start: shape (n,) [rad].
        weights: cost of moving each joint by a radian, shape (n,).
    """
    rng = np.random.default_rng(0)  # what it draws is not used: the start is the only seed
    ordered = _by_promise(poses, scene.kinematics.forward(start))
    free, _ = _collect(scene, ordered, start, weights, (rng, 1, QUICK_GOALS))
    return free


def pose_goals(
    scene: PlanningScene, poses: Sequence[Pose], start: Array, *, weights: Array, seed: int
) -> list[Array]:
    """Return free positions that bring the grasp frame to any of some poses, nearest first.

    Poses near the grasp frame come first, and with many of them the search ends when `MAX_GOALS` free
    positions are found; poses are given up only after `IK_SEEDS` seeds each.

    Args:
        scene: updated, with what the start touches tolerated.
        poses: at least one, world frame.
        start: shape (n,) [rad].
        weights: cost of moving each joint by a radian, shape (n,).
        seed: of the random seeds of the inverse kinematics.

    Raises:
        PlanningError: none was found; says how many poses are out of reach and how many collide.
    """
    rng = np.random.default_rng(seed)
    ordered = _by_promise(poses, scene.kinematics.forward(start))
    colliding: dict[int, Array] = {}
    for seeds in (MANY_SEEDS, IK_SEEDS) if len(poses) > MANY_POSES else (IK_SEEDS,):
        free, in_collision = _collect(scene, ordered, start, weights, (rng, seeds, MAX_GOALS))
        if free:
            return free
        colliding = {**in_collision, **colliding}
    raise _no_goal(scene, ordered, colliding)


def _collect(
    scene: PlanningScene,
    poses: Sequence[Pose],
    start: Array,
    weights: Array,
    effort: tuple[np.random.Generator, int, int],
) -> tuple[list[Array], dict[int, Array]]:
    """Solve pose after pose until there are enough free positions.

    Args:
        scene: updated.
        poses: world frame.
        start: shape (n,) [rad].
        weights: shape (n,).
        effort: what draws the seeds, how many for each pose, and how many positions are enough.

    Returns:
        Free positions, nearest first; and by number of the pose those nearest where all collide.
    """
    rng, seeds, enough = effort
    free: list[Array] = []
    colliding: dict[int, Array] = {}
    for number, pose in enumerate(poses):
        reaching = scene.kinematics.solutions(pose, start, rng=rng, seeds=seeds, weights=weights)
        good = [positions for positions in reaching if scene.collisions.is_free(positions)]
        if reaching and not good:
            colliding[number] = reaching[0]
        free += good
        if len(free) >= enough:
            break
    return sorted(free, key=lambda q: float(np.linalg.norm(weights * (q - start)))), colliding


def _by_promise(poses: Sequence[Pose], current: Pose) -> list[Pose]:
    if len(poses) == 1:
        return list(poses)

    def effort(pose: Pose) -> float:
        distance, angle = current.distance_to(pose)
        return distance + _METRES_PER_RADIAN * angle

    return sorted(poses, key=effort)


def _no_goal(scene: PlanningScene, poses: Sequence[Pose], colliding: dict[int, Array]) -> PlanningError:
    count, frame = len(poses), scene.robot.gripper.grasp_frame
    if not colliding:
        where = "; ".join(str(np.round(pose.position, 3).tolist()) for pose in poses[:3])
        more = f" and {count - 3} more" if count > 3 else ""  # noqa: PLR2004 - as many as are listed
        return PlanningError(
            f"goal unreachable: the arm cannot bring its {frame} to {where}{more} m "
            "in the orientation asked for",
            PlanningFailure.GOAL_UNREACHABLE,
        )
    first = colliding[min(colliding)]
    reached = "all joint positions that reach it collide"
    if count > 1:
        reached = (
            f"of {count} poses {count - len(colliding)} are out of reach and {len(colliding)} collide "
            "in all joint positions that reach them"
        )
    return PlanningError(
        f"goal unreachable: {reached}, the nearest with {listed(scene.collisions.overlaps(first))}",
        PlanningFailure.GOAL_IN_COLLISION,
    )
