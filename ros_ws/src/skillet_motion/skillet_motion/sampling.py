"""`SceneSampler`: grasps and placements that the arm of a planning scene reaches without a collision.

Cheap looks come first: the object's surface, then the hand alone, then the arm. The best candidates go
through all of them one by one until there are enough.
"""

from __future__ import annotations

from dataclasses import replace

from skillet_core.manipulation import Grasp, GraspRequest, Placement, PlaceRequest
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState
from skillet_motion.grasping.hand import Hand
from skillet_motion.grasping.search import GraspSearch
from skillet_motion.placing.search import PlaceSearch
from skillet_motion.planning_scene import PlanningScene


class SceneSampler:
    """Implements `skillet_core.manipulation.ManipulationSampler`. Not thread-safe."""

    def __init__(self, scene: PlanningScene) -> None:
        """Take a scene.

        Args:
            scene: what to look for grasps and places in.
        """
        self._scene = scene
        self._model = scene.model
        self._hand = Hand(scene.model, scene.robot)

    def grasps(self, request: GraspRequest, state: RobotState, scene: SceneState) -> tuple[Grasp, ...]:
        """Return grasps that the arm reaches without a collision, best first.

        Raises:
            PlanningError: there is none, and why: see `GraspSearch.run`.
            UnknownNameError: the object is not in the scene.
            ValueError: the request has no candidates, or a negative seed.
        """
        return GraspSearch(self._scene, self._hand_now(), request, state, scene).run()

    def placements(
        self, request: PlaceRequest, state: RobotState, scene: SceneState
    ) -> tuple[Placement, ...]:
        """Return places for what the gripper holds, best first.

        Raises:
            PlanningError: there is none, and why: see `PlaceSearch.run`.
            UnknownNameError: an object is not in the scene.
        """
        grasp = request.held_by
        if grasp is not None:
            state = replace(state, positions=grasp.positions, opening=grasp.width)
        return PlaceSearch(self._scene, self._hand_now(), request, state, scene).run()

    def _hand_now(self) -> Hand:
        """Return the hand in the scene as it is compiled now: additions replace the model."""
        if self._model is not self._scene.model:
            self._model = self._scene.model
            self._hand = Hand(self._model, self._scene.robot)
        return self._hand
