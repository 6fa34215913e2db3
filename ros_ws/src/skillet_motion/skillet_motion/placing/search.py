"""The way from a request to placements: rests, turns, spots, then hand and arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.evaluation import INSIDE_FRACTION, inside_fraction
from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Placement, PlaceRequest
from skillet_core.scene import Box, ObjectState, SceneState
from skillet_core.trajectory import RobotState
from skillet_motion.grasping.hand import Hand
from skillet_motion.grasping.ranking import reach_quality
from skillet_motion.grasping.reach import Target, free_posture, line
from skillet_motion.grasping.surface import body_vertices
from skillet_motion.placing.floors import floor_of, outlines_beside
from skillet_motion.placing.rests import stable_rests
from skillet_motion.placing.spots import Outline, spots
from skillet_motion.planning_scene import PlanningScene

WEIGHTS = {"stability": 0.35, "clearance": 0.25, "nearness": 0.30, "reach": 0.10}
"""What each quality is worth; they sum to one."""
WISH_WEIGHTS = {"stability": 0.25, "clearance": 0.04, "nearness": 0.68, "reach": 0.03}
"""The same where a pose is wished for: what is near to it comes first."""
TURN_WAY = 0.05
"""A turn by a radian away from the wish counts like this much of a way [m]."""
TURNS = tuple(np.deg2rad([0.0, 90.0, -90.0, 180.0, 45.0, -45.0, 135.0, -135.0]))
"""About the vertical, from how the object is held or wished [rad]."""
DROPS = (0.005, 0.015, 0.03, 0.05)
"""Heights above the floor at which the object is let go, lowest first [m]."""
RISE = 0.06
"""Length of the straight way down that is looked at, above the container's depth [m]."""
NEIGHBOUR_GAP = 0.006
"""Least gap to other objects [m]."""
RELEASE = 0.012
"""How far each finger opens to let go [m]."""
_RESTS = 3
_SAFE_MARGIN, _ROOMY, _FAR = 0.02, 0.04, 0.3
_HELD_STABILITY = 0.1
_HOPELESS = 60
_PER_TURN = 12
_TILT_COST, _HAND_COST = 0.6, 0.6


@dataclass(frozen=True, eq=False)
class _Option:
    """An object pose to try, and how good it would be."""

    pose: Pose
    score: float
    qualities: dict[str, float]


class PlaceSearch:
    """One request on its way."""

    def __init__(
        self, scene: PlanningScene, hand: Hand, request: PlaceRequest, state: RobotState, reported: SceneState
    ) -> None:
        """Take over the request and where things are.

        Args:
            scene: to look in.
            hand: of its model.
            request: what to put where.
            state: of the robot: how it holds the object.
            reported: where things are.

        Raises:
            UnknownNameError: an object is not in the scene.
        """
        self._scene, self._hand, self._request, self._state = scene, hand, request, state
        self._world = scene.merged(reported, state)
        self._held = self._world.object(request.object).pose
        self._from_object = self._held.inverse() @ scene.kinematics.forward(state.positions)
        self._vertices = body_vertices(scene.model, request.object)
        self._center = np.asarray(scene.model.body(request.object).ipos)
        self._rng = np.random.default_rng(request.seed)
        self._reasons: Counter[str] = Counter()
        self._weights = WEIGHTS if request.pose is None else WISH_WEIGHTS

    def run(self) -> tuple[Placement, ...]:
        """Return placements, best first.

        Raises:
            PlanningError: NO_ROOM, with what is in the way; INVALID_REQUEST: neither target nor pose.
        """
        self._hand.update(self._world)
        self._scene.update(self._state, self._world, attached=(self._request.object,))
        for options, rise in self._rounds():
            found = self._placements(options, rise)
            if found:
                return tuple(sorted(found, key=lambda placement: -placement.score))
        listed = ", ".join(f"{count} {reason}" for reason, count in self._reasons.most_common(4))
        why = (
            f"{self._reasons.total()} places tried: {listed}"
            if listed
            else "other objects leave no free place"
        )
        where = self._request.target or "the wished pose"
        raise PlanningError(f"no room for {self._request.object} at {where}: {why}", PlanningFailure.NO_ROOM)

    def _placements(self, options: list[_Option], rise: float) -> list[Placement]:
        """Return what hand and arm can do of some options, up to the request's limit."""
        found: list[Placement] = []
        for failures, option in enumerate(options):
            if len(found) == self._request.limit or (not found and failures == _HOPELESS):
                break
            placement = self._placed(option, rise)
            if isinstance(placement, str):
                self._reasons[placement] += 1
            else:
                found.append(placement)
        return found

    def _rounds(self) -> Iterator[tuple[list[_Option], float]]:
        """Yield what to try, best first, and how long the way down to it is.

        One round a side to lie on: the next is for when nothing of the one before can be done.
        """
        request = self._request
        if request.target is None:
            if request.pose is None:
                raise PlanningError("name a target or a pose", PlanningFailure.INVALID_REQUEST)
            ones = dict.fromkeys(("stability", "clearance", "nearness"), 1.0)
            yield [_Option(request.pose, self._score(ones), ones)], RISE
            return
        floor, frame = floor_of(self._scene.task, self._world, request.target)
        is_hollow = self._scene.task.object(request.target).interior is not None
        height = float(np.ptp(self._vertices @ self._held.rotation.as_matrix()[2])) + max(DROPS)
        below = float(frame.apply(np.append(floor.center[:2], floor.lower[2]))[2])
        others = outlines_beside(
            self._scene, self._world, request.target, request.object, span=(below, below + height)
        )
        for base, stability in self._sides(is_hollow=is_hollow):
            options: list[_Option] = []
            for turn in TURNS:
                rotation = Rotation.from_euler("z", turn) * base
                options += self._spread(rotation, stability, floor, frame, others)
            if is_hollow:
                options = [option for option in options if self._is_inside(option.pose, request.target)]
            yield sorted(options, key=lambda option: -option.score), RISE + float(floor.size[2])

    def _sides(self, *, is_hollow: bool) -> Iterator[tuple[Rotation, float]]:
        """Yield orientations of the object in the world frame, best first, and how stable each is, 0 to 1."""
        wish = self._held.rotation if self._request.pose is None else self._request.pose.rotation
        approach = self._from_object.rotation.apply([0.0, 0.0, 1.0])
        sides = []
        for rest in stable_rests(self._vertices, self._center):
            rotation, angle = rest.rotation(wish)
            stability = min(1.0, rest.margin / _SAFE_MARGIN)
            # Round things lie on any side: the one that is good has the hand above.
            from_above = -float(rotation.apply(approach)[2])
            cost = _TILT_COST * angle + _HAND_COST * (1.0 - from_above) / 2
            sides.append((stability - cost, rotation, stability))
        for _, rotation, stability in sorted(sides, key=lambda side: -side[0])[:_RESTS]:
            yield rotation, stability
        if is_hollow:
            # Walls keep what falls over: as it is held is possible too, where no rest is.
            yield wish, _HELD_STABILITY

    def _spread(
        self, rotation: Rotation, stability: float, floor: Box, frame: Pose, others: list[Outline]
    ) -> Iterator[_Option]:
        """Yield options at free spots for one orientation."""
        turned = rotation.apply(self._vertices)
        # The grid is of the outline's middle.
        middle = np.append((turned[:, :2].min(axis=0) + turned[:, :2].max(axis=0)) / 2, turned[:, 2].min())
        outline = Outline.of(turned - middle)
        wish = self._wish(floor, frame)
        places = spots(floor, frame, outline, wish)
        room = np.full(len(places), _ROOMY)
        for other in others:
            room = np.minimum(room, outline.room(other, places[:, :2], _ROOMY))
        away = np.linalg.norm((places - wish)[:, :2], axis=1)
        if self._request.pose is not None:
            away += TURN_WAY * (rotation * self._request.pose.rotation.inv()).magnitude()
        free = np.flatnonzero(room > NEIGHBOUR_GAP)
        clearance, nearness = np.clip(room / _ROOMY, 0.0, 1.0), np.clip(1.0 - away / _FAR, 0.0, 1.0)
        merit = self._weights["clearance"] * clearance + self._weights["nearness"] * nearness
        for index in free[np.argsort(-merit[free], kind="stable")][:_PER_TURN]:
            rated = {
                "stability": stability,
                "clearance": float(clearance[index]),
                "nearness": float(nearness[index]),
            }
            yield _Option(Pose(places[index] - middle, rotation), self._score(rated), rated)

    def _is_inside(self, pose: Pose, container: str) -> bool:
        """Whether the object would count as inside of a container; what is not described always does."""
        objects = self._scene.task.objects
        if self._request.object not in objects:
            return True
        state, outer = ObjectState(pose), self._world.object(container)
        share = inside_fraction(objects[self._request.object], state, objects[container], outer)
        if share < INSIDE_FRACTION:
            self._reasons[f"it would be only {100 * share:.0f} % inside"] += 1
        return share >= INSIDE_FRACTION

    def _wish(self, floor: Box, frame: Pose) -> Array:
        """Return where the object should come: at the wish, in a container's middle, or where it is."""
        if self._request.pose is not None:
            return self._request.pose.apply(self._vertices.mean(axis=0))
        if floor.size[2] > 0.0:
            return frame.apply(np.array(floor.center))
        return self._held.apply(self._vertices.mean(axis=0))

    def _placed(self, option: _Option, rise: float) -> Placement | str:
        """Bring hand and arm there, at the lowest height from which it works, or say why not."""
        reason = ""
        for drop in DROPS if self._request.target else (0.0,):
            pose = Pose(option.pose.position + np.array([0.0, 0.0, drop]), option.pose.rotation)
            grasp = pose @ self._from_object
            hit = self._hit(grasp)
            if hit is not None:
                reason = f"the opening fingers would hit {hit}"
                continue
            target = Target(grasp, line(grasp, np.array([0.0, 0.0, rise])))
            found = free_posture(self._scene, [target], self._state, self._rng)
            if isinstance(found, str):
                reason = found
                if found == "out of reach":
                    break
                continue
            robot, positions = self._scene.robot, found[1]
            reach = reach_quality(positions, self._state.positions, robot.lower, robot.upper)
            rated = option.qualities | {"reach": reach}
            return Placement(pose, grasp, self._score(rated), rated, positions)
        return reason

    def _hit(self, grasp: Pose) -> str | None:
        """Return what the fingers would hit when they let go, or None."""
        opening = min(self._scene.robot.gripper.max_opening, self._state.opening + 2 * RELEASE)
        quaternion = np.roll(grasp.quaternion, 1)
        for touch in self._hand.touches(grasp.position, quaternion, opening):
            if touch.other != self._request.object and touch.distance < 0.0:
                return touch.other
        return None

    def _score(self, qualities: dict[str, float]) -> float:
        total = sum(self._weights[name] for name in qualities)
        return sum(self._weights[name] * value for name, value in qualities.items()) / total
