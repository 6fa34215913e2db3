"""Straight lines of the grasp frame: continuation of the inverse kinematics, step by step."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_motion.collision import CollisionWorld
from skillet_motion.kinematics import ArmKinematics
from skillet_motion.search import segment_is_free

STEP, TURN_STEP = 0.01, 0.05
"""Largest move [m] and turn [rad] of the grasp frame between two solutions on the line."""
JUMP = 0.25
"""Largest change of a joint between two solutions [rad]; more is a jump through a singularity."""
_NOTHING = 1e-6


def straight_line(
    kinematics: ArmKinematics,
    world: CollisionWorld,
    start: Array,
    target: Pose,
    *,
    lower: Array,
    upper: Array,
) -> Array:
    """Follow the straight line from where the frame is at ``start`` to the target.

    Position moves linearly, orientation turns about one fixed axis, both in step.

    Args:
        kinematics: of the frame.
        world: asked whether the way is free.
        start: arm positions, shape (n,) [rad].
        target: pose of the frame in the world frame.
        lower: position limits, shape (n,) [rad].
        upper: position limits, shape (n,) [rad].

    Returns:
        Arm positions along the line, shape (k, n), the start first; k = 1: it is already there.

    Raises:
        PlanningError: the line leaves the arm's reach, jumps or collides; says how far along.
    """
    origin = kinematics.forward(start)
    distance, angle = origin.distance_to(target)
    if distance < _NOTHING and angle < _NOTHING:
        return start[None]
    count = max(2, int(np.ceil(max(distance / STEP, angle / TURN_STEP))))
    turn = Slerp([0.0, 1.0], Rotation.concatenate([origin.rotation, target.rotation]))
    points = [start]
    for fraction in np.arange(1, count + 1) / count:
        pose = Pose(origin.position + fraction * (target.position - origin.position), turn(fraction))
        # The next step resembles the last: extrapolating starts the descent closer to its end.
        guess = points[-1] if len(points) == 1 else np.clip(2 * points[-1] - points[-2], lower, upper)
        where = f"at {100 * (fraction - 1 / count):.0f} % of the {distance:.3f} m"
        solution = kinematics.solve(pose, guess)
        if solution is None:
            raise PlanningError(f"the straight line leaves the arm's reach {where}")
        if float(np.abs(solution - points[-1]).max()) > JUMP:
            raise PlanningError(f"the straight line passes too close to a singularity {where}")
        if not segment_is_free(points[-1], solution, world.is_free):
            overlaps = world.overlaps(solution) or world.overlaps((solution + points[-1]) / 2)
            listed = ", ".join(dict.fromkeys(str(overlap) for overlap in overlaps[:3]))
            raise PlanningError(f"the straight line is blocked {where}: {listed or 'between two steps'}")
        points.append(solution)
    return np.array(points)
