"""The way from a request to grasps: sample, rank, check with the hand alone, check with the arm."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Grasp, GraspRequest, Surface
from skillet_core.scene import ObjectDescription, SceneState
from skillet_core.trajectory import RobotState
from skillet_motion.grasping import ranking
from skillet_motion.grasping.antipodal import Candidates, sample
from skillet_motion.grasping.closing import Closed, close, obstacle
from skillet_motion.grasping.hand import Hand
from skillet_motion.grasping.reach import HALF_TURN, Target, free_posture, line
from skillet_motion.grasping.surface import cropped, surface_of, thinned
from skillet_motion.planning_scene import PlanningScene

SURFACE_POINTS = 350
"""Points of the surface that are looked at."""
_CROP_FACTOR = 12
FINGER_GAPS = (0.012, 0.006, 0.003)
"""Gap between finger and object on each side before they close, the widest that there is room for [m]."""
RETREATS = (0.0, 0.004, 0.008, 0.012, 0.018)
"""How far a candidate is moved back where the hand does not fit [m]."""
LEAST_DEPTH = 0.006
"""How far an object reaches in between the fingers at least [m]."""
APPROACH_DISTANCE = 0.09
"""Length of the straight way to a grasp [m]."""
LIFT = 0.1
"""Straight up from there, the arm has to reach as high as this with what can be carried [m]."""
SPREAD_POSITION, SPREAD_ANGLE = 0.012, np.deg2rad(20.0)
"""Grasps closer to a better one than both are left out [m], [rad]."""
_OPENING_STEP = 0.004
_HOPELESS = 60


@dataclass(frozen=True)
class _Fit:
    """A candidate that the hand alone can do: grasp frame in the world frame."""

    pose: Pose
    opening: float
    closed: Closed
    depth: float


class GraspSearch:
    """One request on its way."""

    def __init__(
        self, scene: PlanningScene, hand: Hand, request: GraspRequest, state: RobotState, reported: SceneState
    ) -> None:
        """Take over the request and where things are.

        Args:
            scene: to look in.
            hand: of its model.
            request: what to grasp.
            state: of the robot.
            reported: where things are.

        Raises:
            UnknownNameError: the object is not in the scene.
            PlanningError: a handle is asked for that is not described.
        """
        self._scene, self._hand, self._request, self._state = scene, hand, request, state
        self._world = scene.merged(reported, state)
        self._object = self._world.object(request.object).pose
        self._rng = np.random.default_rng(request.seed)
        self._described = scene.task.objects.get(request.object)
        self._reasons: Counter[str] = Counter()
        self._opening = -1.0
        hand.update(self._world)

    def run(self) -> tuple[Grasp, ...]:
        """Return grasps, best first.

        Raises:
            PlanningError: NO_GRASP, with how many candidates failed for which reason.
        """
        candidates, qualities = self._ranked()
        found: list[Grasp] = []
        tried: list[int] = []
        for index in range(len(candidates)):
            if len(found) == self._request.limit or (not found and len(tried) == _HOPELESS):
                break
            if _like_one(candidates, index, tried):
                continue
            pose = self._pose(candidates, index)
            fit = self._fit(candidates, index, pose)
            if isinstance(fit, str):
                self._reasons[fit] += 1
                continue
            tried.append(index)
            rated = {name: float(values[index]) for name, values in qualities.items()}
            grasp = self._reached(fit, rated)
            if isinstance(grasp, str):
                self._reasons[grasp] += 1
                continue
            found.append(grasp)
        if not found:
            raise PlanningError(self._complaint(candidates), PlanningFailure.NO_GRASP)
        return tuple(sorted(found, key=lambda grasp: -grasp.score))

    def _ranked(self) -> tuple[Candidates, dict[str, Array]]:
        """Return candidates in the object's frame by falling score, and their qualities."""
        down = self._object.rotation.inv().apply([0.0, 0.0, -1.0])
        toward = self._toward(down)
        candidates = sample(
            self._surface(),
            toward,
            self._hand.pads,
            self._request.candidates,
            self._rng,
            mode=self._request.mode,
        )
        center = self._center_of_mass()
        qualities = ranking.surface_qualities(candidates, toward, down, center)
        if self._is_fixed():
            del qualities["balance"]
        order = np.argsort(-np.asarray(ranking.score(qualities)), kind="stable")
        return candidates.chosen(order), {name: values[order] for name, values in qualities.items()}

    def _surface(self) -> Surface:
        request = self._request
        if request.surface is not None:
            surface = request.surface
        else:
            count = SURFACE_POINTS * (_CROP_FACTOR if request.handle else 1)
            surface = surface_of(self._scene.model, request.object, count, self._rng)
        if request.handle:
            if self._described is None or self._described.handle is None:
                objects = self._scene.task.objects
                handled = sorted(name for name, entry in objects.items() if entry.handle is not None)
                raise PlanningError(
                    f"{request.object} has no handle. Valid: {', '.join(handled) or '(none)'}",
                    PlanningFailure.INVALID_REQUEST,
                )
            surface = cropped(surface, self._described.handle)
        return thinned(surface, SURFACE_POINTS, self._rng)

    def _toward(self, down: Array) -> Array:
        """Return the preferred approach in the object's frame: down, or towards what a handle is fixed to."""
        described = self._described
        if self._request.mode == "planar" or not self._request.handle or described is None:
            return down
        if described.handle is None or not self._is_fixed():
            return down
        inward = np.array(described.bounds.center) - np.array(described.handle.center)
        longest = int(np.argmax(np.abs(inward) / np.array(described.bounds.size)))
        return np.asarray(np.sign(inward[longest]) * np.eye(3)[longest])

    def _is_fixed(self) -> bool:
        described: ObjectDescription | None = self._described
        return described is not None and described.kind != "movable"

    def _center_of_mass(self) -> Array:
        body = self._scene.model.body(self._request.object)
        return np.asarray(body.ipos)

    def _pose(self, candidates: Candidates, index: int) -> Pose:
        rotation = Rotation.from_matrix(candidates.axes[index])
        return self._object @ Pose(candidates.positions[index], rotation)

    def _fit(self, candidates: Candidates, index: int, pose: Pose) -> _Fit | str:
        """Find a depth and an opening at which the hand alone can grasp, or say what is in the way."""
        hand, name = self._hand, self._request.object
        width, depth = float(candidates.widths[index]), float(candidates.depths[index])
        quaternion = np.roll(pose.quaternion, 1)
        approach = pose.rotation.as_matrix()[:, 2]
        retreats = [retreat for retreat in RETREATS if depth - retreat >= LEAST_DEPTH]
        if not retreats:
            return "the object reaches too little between the fingers"
        reason = self._blocked(pose.position - retreats[-1] * approach, quaternion, width)
        if reason:
            return reason
        for retreat in retreats:
            position = pose.position - retreat * approach
            opening = self._free_opening(position, quaternion, width)
            if isinstance(opening, str):
                reason = opening
                continue
            closed = close(hand, name, position, quaternion, opening=opening, expected=width)
            if isinstance(closed, Closed):
                return _Fit(Pose(position, pose.rotation), opening, closed, depth - retreat)
            reason = closed
        return reason

    def _blocked(self, position: Array, quaternion: Array, width: float) -> str:
        """Return what is in the way of the narrowest opening, or nothing: a wider one needs more room."""
        opening = self._opening_for(width, FINGER_GAPS[-1])
        hit = obstacle(self._hand, self._request.object, position, quaternion, opening)
        return "" if hit is None else f"the hand would hit {'it' if hit == self._request.object else hit}"

    def _opening_for(self, width: float, gap: float) -> float:
        """Return the opening with a gap on both sides, in steps so that grasps can share it [m]."""
        opening = float(np.ceil((width + 2 * gap) / _OPENING_STEP)) * _OPENING_STEP
        return min(float(self._hand.pads.openings[-1]), opening)

    def _free_opening(self, position: Array, quaternion: Array, width: float) -> float | str:
        """Return the widest of the openings that there is room for, or what is in the way of all."""
        reason = ""
        for opening in sorted({self._opening_for(width, gap) for gap in FINGER_GAPS}, reverse=True):
            hit = obstacle(self._hand, self._request.object, position, quaternion, opening)
            if hit is None:
                return opening
            reason = f"the hand would hit {'it' if hit == self._request.object else hit}"
        return reason

    def _reached(self, fit: _Fit, qualities: dict[str, float]) -> Grasp | str:
        """Bring the arm there, or say why not."""
        if fit.opening != self._opening:
            state = replace(self._state, opening=fit.opening)
            self._scene.update(state, self._world, touching=(self._request.object,))
            self._opening = fit.opening
        back = -APPROACH_DISTANCE * fit.pose.rotation.as_matrix()[:, 2]
        lift = np.array([0.0, 0.0, 0.0 if self._is_fixed() else LIFT])
        targets = [
            Target(pose, line(pose, back), line(pose, lift))
            for pose in (fit.pose, Pose(fit.pose.position, fit.pose.rotation * HALF_TURN))
        ]
        found = free_posture(self._scene, targets, self._state, self._rng)
        if isinstance(found, str):
            return found
        index, positions = found
        robot = self._scene.robot
        reach = ranking.reach_quality(positions, self._state.positions, robot.lower, robot.upper)
        qualities = qualities | {"clearance": ranking.clearance_quality(fit.closed.gap), "reach": reach}
        return Grasp(
            pose=targets[index].pose,
            width=fit.closed.opening,
            opening=fit.opening,
            depth=fit.depth,
            score=float(ranking.score(qualities)),
            qualities=qualities,
            positions=positions,
        )

    def _complaint(self, candidates: Candidates) -> str:
        name, widest = self._request.object, self._scene.robot.gripper.max_opening
        if len(candidates) == 0:
            if candidates.too_wide:
                return f"no grasp of {name}: it is wider than the gripper opens ({1e3 * widest:.0f} mm)"
            return f"no grasp of {name}: its surface has no two sides that face each other across the fingers"
        listed = ", ".join(f"{count} {reason}" for reason, count in self._reasons.most_common(4))
        return f"no grasp of {name} among {len(candidates)} candidates: {listed}"


def _like_one(candidates: Candidates, index: int, others: list[int]) -> bool:
    """Whether a candidate is closer than `SPREAD_POSITION` and `SPREAD_ANGLE` to one of some others."""
    if not others:
        return False
    away = candidates.positions[others] - candidates.positions[index]
    turned = np.einsum("kij,ij->kj", candidates.axes[others], candidates.axes[index])
    # Half a turn about the approach is the same grasp: the fingers change places. The cosine of the
    # angle between two frames is half of the trace less one.
    x, y, z = np.abs(turned[:, 0]), np.abs(turned[:, 1]), turned[:, 2]
    cosine = (np.minimum(x, y) * 2 + z - 1.0) / 2
    near = np.einsum("ki,ki->k", away, away) < SPREAD_POSITION**2
    return bool((near & (cosine > np.cos(SPREAD_ANGLE))).any())
