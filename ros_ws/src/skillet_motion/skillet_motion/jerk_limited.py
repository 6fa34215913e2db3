"""Straight segments in joint space, from rest to rest, as fast as velocity, acceleration and jerk allow.

All joints keep in step, so that one motion from 0 to 1 times them all. Ruckig (Berscheid and Kröger,
"Jerk-limited Real-time Trajectory Generation with Arbitrary Target States", 2021) finds it: seven phases
of constant jerk. Points lie at the phases' ends, hence the quintic through them, which the controller
follows, is the motion itself: a cubic in each segment.
"""

from __future__ import annotations

import numpy as np
import ruckig

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array
from skillet_core.trajectory import JointTrajectory
from skillet_motion.time_parameterization import SAMPLE_PERIOD, at_rest

RAMP_MIN = 0.02
"""Shortest time to build up full acceleration [s], where the jerk limits would allow less: five periods of
a 250 Hz controller, which would follow a steeper ramp as a jump."""
PHASE_MIN = 0.004
"""Shortest phase of constant jerk [s]. Shorter ones are drawn out: stamps, whole nanoseconds in a message,
would blur them."""
_SIGNS = np.array([1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0])
_UNLIMITED = 10.0


def straight(
    start: Array,
    end: Array,
    joint_names: tuple[str, ...],
    *,
    velocity: Array,
    acceleration: Array,
    jerk: Array,
) -> JointTrajectory:
    """Time the straight segment between two positions, from rest to rest.

    Args:
        start: shape (n,) [rad].
        end: shape (n,) [rad]; equal to the start: the trajectory rests for one `SAMPLE_PERIOD`.
        joint_names: n names.
        velocity: limits, shape (n,), > 0 [rad/s].
        acceleration: limits, shape (n,), > 0 [rad/s^2].
        jerk: limits, shape (n,), > 0 [rad/s^3].

    Returns:
        Points at most `SAMPLE_PERIOD` apart with positions, velocities and accelerations. The quintic
        interpolation between them stays on the segment and within the limits, but for rounding.

    Raises:
        PlanningError: a position is not finite.
    """
    delta = end - start
    if not np.isfinite(delta).all():
        message = f"a straight motion needs finite ends, got {start.tolist()} and {end.tolist()}"
        raise PlanningError(message)
    if not delta.any():
        return at_rest(end, joint_names)
    distance = np.abs(delta)
    jerk = np.minimum(jerk, acceleration / RAMP_MIN)
    ramp, hold, cruise = _phases(
        *(float(np.max(distance / limit)) for limit in (velocity, acceleration, jerk))
    )
    lengths = np.array([ramp, hold, ramp, cruise, ramp, hold, ramp])
    # What a rest-to-rest motion of these phases needs to cover 1; drawn-out phases lower all its peaks.
    peak = 1.0 / (ramp * (ramp + hold) * (2 * ramp + hold + cruise))
    pieces = np.ceil(lengths / SAMPLE_PERIOD - 1e-9).astype(np.intp)
    steps = np.repeat(lengths / np.maximum(pieces, 1), pieces)
    times, shares = _integrated(steps, np.repeat(peak * _SIGNS, pieces))
    positions, velocities, accelerations = shares[:, :, None] * delta
    positions += start
    positions[-1] = end
    velocities[-1] = accelerations[-1] = 0.0
    return JointTrajectory(joint_names, times, positions, velocities, accelerations)


def _phases(slowness: float, sluggishness: float, softness: float) -> tuple[float, float, float]:
    """Return how long [s] jerk, full acceleration and full velocity last on the way from 0 to 1.

    Args:
        slowness: 1 / velocity limit of that motion.
        sluggishness: 1 / acceleration limit.
        softness: 1 / jerk limit.
    """
    # In this unit of time the jerk limit is 1, which keeps Ruckig's numbers near 1 for any distance.
    unit = float(np.cbrt(softness))
    problem = ruckig.InputParameter(1)
    problem.current_position, problem.target_position = [0.0], [1.0]
    problem.max_velocity = [min(unit / slowness, _UNLIMITED)]
    problem.max_acceleration = [min(unit**2 / sluggishness, _UNLIMITED)]
    problem.max_jerk = [1.0]
    solution = ruckig.Trajectory(1)
    result = ruckig.Ruckig(1).calculate(problem, solution)
    if result not in (ruckig.Result.Working, ruckig.Result.Finished):
        message = f"the straight motion cannot be timed within the joints' limits (Ruckig: {result.name})"
        raise PlanningError(message)
    ramp, hold = solution.profiles[0][0].t[:2]
    cruise = max(0.0, solution.duration - 4 * ramp - 2 * hold)
    drawn = [max(phase * unit, PHASE_MIN) if phase > 0 else 0.0 for phase in (ramp, hold, cruise)]
    return drawn[0], drawn[1], drawn[2]


def _integrated(steps: Array, jerks: Array) -> tuple[Array, Array]:
    """Integrate piecewise constant jerk from rest at 0.

    Args:
        steps: lengths of the pieces, shape (k - 1,) [s].
        jerks: shape (k - 1,).

    Returns:
        Times, shape (k,), and position, velocity and acceleration there, shape (3, k).
    """

    def summed(rates: Array) -> Array:
        return np.concatenate([[0.0], np.cumsum(rates)])

    accelerations = summed(jerks * steps)
    velocities = summed((accelerations[:-1] + jerks * steps / 2) * steps)
    positions = summed((velocities[:-1] + (accelerations[:-1] / 2 + jerks * steps / 6) * steps) * steps)
    return summed(steps), np.stack([positions, velocities, accelerations])
