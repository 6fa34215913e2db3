"""`DirectRobot`: the `Robot` protocol on a simulated world that it steps itself, as fast as it goes.

Nothing here looks at a wall clock: the same seed gives the same motion, to the bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from skillet_control.errors import CommandError
from skillet_control.goals import Goal, GoalStatus
from skillet_control.hardware import HardwareState
from skillet_control.manager import ControllerManager
from skillet_core.errors import CancelledError, ExecutionError
from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Grasp, GraspRequest, Placement, PlaceRequest
from skillet_core.motion import PlanRequest
from skillet_core.robot import RobotDescription
from skillet_core.robot_interface import GripResult, Watch
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.motion_stack import MotionStack, motion_stack
from skillet_sim.hardware import MujocoArm
from skillet_sim.world import World

CONTROL_RATE = 250
"""Control periods a second."""
WATCH_PERIOD = 0.1
"""Simulated time between two calls of a motion's watch [s]."""
_BRAKING_TIME = 1.0
_AT_REST = 1e-3

Hook = Callable[[float, HardwareState], None]
"""Called after every control period with the time [s] and the hardware's state."""


class DirectRobot:
    """Skills run on it in the calling thread; `cancel` alone may be called from another."""

    def __init__(
        self,
        world: World,
        stack: MotionStack | None = None,
        *,
        rate: int = CONTROL_RATE,
        hook: Hook | None = None,
    ) -> None:
        """Take over a world.

        Args:
            world: from now on stepped and reset by this robot alone.
            stack: plans, and finds grasps and placements; None: `motion_stack` for the world's robot
                and task.
            rate: control periods a second; its period is a whole number of physics steps.
            hook: called after every control period, e.g. to record, or to cancel at a given time.

        Raises:
            ValueError: the rate does not fit the world's time step.
        """
        steps = 1.0 / (rate * world.model.opt.timestep)
        if abs(steps - round(steps)) > 1e-6 or steps < 1.0 - 1e-6:  # noqa: PLR2004 - rounding
            message = f"a rate of {rate} Hz is not a whole number of {world.model.opt.timestep} s steps"
            raise ValueError(message)
        self._world, self._hook = world, hook
        self._stack = stack or motion_stack(world.robot, world.task)
        self._steps, self._period = round(steps), 1.0 / rate
        self._cancelled = threading.Event()
        self._ticks = 0
        self._start()

    @property
    def description(self) -> RobotDescription:
        """The robot's data."""
        return self._world.robot

    @property
    def task(self) -> TaskDescription:
        """The scene's data."""
        return self._world.task

    @property
    def time(self) -> float:
        """Seconds that were simulated since the last reset."""
        return self._ticks * self._period

    @property
    def manager(self) -> ControllerManager:
        """The controllers and the safety filter; new ones after every reset."""
        return self._manager

    def reset(self, seed: int) -> None:
        """Put the scene in its seeded start state and the robot in its home position.

        Raises:
            SkilletError: see `skillet_sim.world.World.reset`.
        """
        self._world.reset(seed)
        self._cancelled.clear()
        self._start()

    def state(self) -> RobotState:
        """Return the state after the last control period."""
        positions = self._world.data.qpos[self._world.joint_qpos].copy()
        velocities = self._world.data.qvel[self._world.joint_dofs].copy()
        return RobotState(self.time, positions, velocities, self._world.opening())

    def scene(self) -> SceneState:
        """Return where things are after the last control period, what only the planner knows included."""
        return self._stack.scene.merged(self._world.scene_state(), self.state())

    def grasp_pose(self, positions: Array | None = None) -> Pose:
        """Return the grasp frame's pose in the world frame, at ``positions`` or as measured."""
        return self._stack.planner.grasp_pose(self.state().positions if positions is None else positions)

    def plan(self, request: PlanRequest) -> JointTrajectory:
        """Plan without moving, and without time passing.

        Raises:
            PlanningError: with the reason.
        """
        return self._stack.planner.plan(request, self.state(), self.scene())

    def grasps(self, request: GraspRequest) -> tuple[Grasp, ...]:
        """Return grasps that the arm reaches without a collision, best first, without time passing.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: the object is not in the scene.
        """
        return self._stack.sampler.grasps(request, self.state(), self.scene())

    def placements(self, request: PlaceRequest) -> tuple[Placement, ...]:
        """Return places for what the gripper holds, best first, without time passing.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: an object is not in the scene.
        """
        return self._stack.sampler.placements(request, self.state(), self.scene())

    def follow(self, trajectory: JointTrajectory, watch: Watch | None = None) -> None:
        """Execute to the end.

        Args:
            trajectory: what to execute.
            watch: called every `WATCH_PERIOD`; when it raises, the arm brakes, holds, and it is passed on.

        Raises:
            TrajectoryError: it was refused; nothing moved.
            ExecutionError: it was aborted, with the controller's reason.
            CancelledError: `cancel` was called; the arm holds its position.
        """
        self._finish(self._manager.follow(trajectory), watch)

    def grip(self, opening: float, force: float) -> GripResult:
        """Move the fingers to an opening [m] pushing with at most ``force`` [N].

        Raises:
            ExecutionError: the command was refused or aborted, with the reason.
            CancelledError: `cancel` was called; the fingers keep what they hold.
        """
        try:
            goal = self._manager.move_gripper(opening, force)
        except CommandError as error:
            raise ExecutionError(str(error)) from error
        self._finish(goal)
        return GripResult(goal.opening, goal.stalled, goal.reached)

    def wait(self, seconds: float) -> None:
        """Simulate for a while, in whole control periods.

        Raises:
            CancelledError: `cancel` was called.
        """
        for _ in range(int(np.ceil(seconds / self._period - 1e-9))):
            self._raise_if_cancelled()
            self._tick()
        self._raise_if_cancelled()

    def cancel(self) -> None:
        """Stop the running motion and hold; the blocked call, or the next one, raises."""
        self._cancelled.set()

    def _start(self) -> None:
        """Start controllers that remember nothing, so that the bits depend on the seed alone."""
        self._ticks = 0
        arm = MujocoArm(self._world)
        self._manager = ControllerManager(arm, self._world.robot, period=self._period)
        self._tick()

    def _tick(self) -> None:
        """Run one control period."""
        self._ticks += 1
        self._manager.update(self.time)
        self._world.step(self._steps)
        if self._hook is not None:
            self._hook(self.time, self._manager.state)

    def _finish(self, goal: Goal, watch: Watch | None = None) -> None:
        """Run control periods until a goal has ended; it ends early when the watch raises."""
        between = max(1, round(WATCH_PERIOD / self._period))
        begin = self._ticks
        try:
            while not goal.done:
                self._raise_if_cancelled()
                self._tick()
                if watch is not None and (self._ticks - begin) % between == 0:
                    watch()
        except BaseException:
            self._manager.cancel(goal)
            self._brake()
            raise
        self._raise_if_cancelled()
        if goal.status is not GoalStatus.SUCCEEDED:
            raise ExecutionError(goal.message)

    def _brake(self) -> None:
        """Let the arm come to rest."""
        for _ in range(round(_BRAKING_TIME / self._period)):
            self._tick()
            if float(np.abs(self._manager.state.velocity).max()) < _AT_REST:
                return

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            self._cancelled.clear()
            raise CancelledError("cancelled by request; the arm holds its position")
