"""Runs a task tree: skills in order, each verified by its success condition and tried again.

Pure: the skills, the scene, the clock and the waiting are given, so that the same code runs a tree
directly on a simulator and through ROS 2, and under test on neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from skillet_core.errors import CancelledError, StaleStateError, UnknownNameError
from skillet_core.evaluation import holds
from skillet_core.robot import GripperDescription
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.task_tree import (
    FallbackNode,
    Node,
    NodeReport,
    SequenceNode,
    SkillNode,
    TaskReport,
    TaskTree,
)

Arguments = dict[str, str | float | bool]
RunSkill = Callable[[str, Arguments], tuple[bool, str]]
"""Runs a skill to its end; returns whether it succeeded, and the reason if not."""
NodeListener = Callable[[NodeReport, Node], None]
"""Told whenever a node starts and whenever it ends."""

_LOOK_PERIOD = 0.1
_LOOKS = 2


@dataclass(frozen=True)
class ExecutorPorts:
    """What the executor needs of the world.

    Attributes:
        run_skill: runs a skill, blocking. May raise `StaleStateError` or `CancelledError`.
        scene: returns the newest scene. May raise `StaleStateError`.
        clock: seconds, any origin, never jumping back.
        wait: lets that clock advance by so many seconds. May raise the same.
        listener: told of every node's start and end.
    """

    run_skill: RunSkill
    scene: Callable[[], SceneState]
    clock: Callable[[], float]
    wait: Callable[[float], None]
    listener: NodeListener = field(default=lambda _report, _node: None)


class TaskExecutor:
    """Runs task trees in one scene, one at a time."""

    def __init__(
        self, ports: ExecutorPorts, task: TaskDescription, gripper: GripperDescription, settle: float = 1.0
    ) -> None:
        """Prepare.

        Args:
            ports: the world.
            task: names the objects of the conditions.
            gripper: whose fingers "grasped" means.
            settle: time that physics is given to make a condition true [s]. It counts as true once it
                holds at two looks 0.1 s apart, so that an object falling through does not.
        """
        self._ports, self._task, self._gripper, self._settle = ports, task, gripper, settle
        self._cancelled = threading.Event()
        self._start = 0.0

    def cancel(self) -> None:
        """End the run before its next step, from any thread. Stopping a running skill is the caller's."""
        self._cancelled.set()

    def run(self, tree: TaskTree) -> TaskReport:
        """Execute a tree and report; every failure of the robot or the scene is in the report."""
        self._cancelled.clear()
        self._start = self._ports.clock()
        root = _blank(tree.root, "")
        try:
            success, reason = self._tick(tree.root, root), ""
            if not success:
                reason = root.reason
        except (StaleStateError, CancelledError, UnknownNameError) as error:
            success, reason = False, str(error)
            self._end_running(root, tree.root, reason)
        _skip_pending(root)
        return TaskReport(instruction=tree.instruction, success=success, reason=reason, root=root)

    def _now(self) -> float:
        return self._ports.clock() - self._start

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError("cancelled by request")

    def _tick(self, node: Node, report: NodeReport) -> bool:
        """Run a node with its attempts; returns whether it succeeded."""
        report.status, report.reason, report.finished = "running", "", None
        report.started = self._now()
        self._ports.listener(report, node)
        for attempt in range(1, node.attempts + 1):
            self._check_cancelled()
            report.attempts += 1
            if attempt > 1:
                _reset(report.children)
            report.reason = self._attempt(node, report) or self._verify(node)
            if not report.reason:
                break
        self._end(report, node)
        return not report.reason

    def _attempt(self, node: Node, report: NodeReport) -> str:
        """Do a node's work once; returns why it failed, or nothing."""
        match node:
            case SkillNode():
                ok, reason = self._ports.run_skill(node.skill, dict(node.arguments))
                return "" if ok else reason or f"{node.label()} failed without a reason"
            case SequenceNode():
                for child, part in zip(node.children, report.children, strict=True):
                    if not self._tick(child, part):
                        return f"{part.label}: {part.reason}"
                return ""
            case FallbackNode():
                reasons = []
                for child, part in zip(node.children, report.children, strict=True):
                    if self._tick(child, part):
                        return ""
                    reasons.append(f"{part.label}: {part.reason}")
                return "; ".join(reasons)

    def _verify(self, node: Node) -> str:
        """Give the success condition time to hold; returns why it does not, or nothing."""
        if node.success is None:
            return ""
        deadline, seen = self._now() + self._settle, 0
        while True:
            self._check_cancelled()
            seen = seen + 1 if holds(node.success, self._ports.scene(), self._task, self._gripper) else 0
            if seen == _LOOKS:
                return ""
            if self._now() >= deadline and not seen:
                return f"{node.success} does not hold"
            self._ports.wait(_LOOK_PERIOD)

    def _end(self, report: NodeReport, node: Node) -> None:
        report.status = "failed" if report.reason else "succeeded"
        report.finished = self._now()
        self._ports.listener(report, node)

    def _end_running(self, report: NodeReport, node: Node, reason: str) -> None:
        """Close what an interruption left open, innermost first."""
        if not isinstance(node, SkillNode):
            for part, child in zip(report.children, node.children, strict=True):
                self._end_running(part, child, reason)
        if report.status == "running":
            report.reason = reason
            self._end(report, node)


def _blank(node: Node, path: str) -> NodeReport:
    children = () if isinstance(node, SkillNode) else node.children
    return NodeReport(
        path=path,
        label=node.label(),
        success_condition="" if node.success is None else str(node.success),
        children=[_blank(child, f"{path}.{k}".lstrip(".")) for k, child in enumerate(children)],
    )


def _reset(reports: list[NodeReport]) -> None:
    """Make nodes pending again for another attempt; how often each was tried stays."""
    for report in reports:
        report.status, report.reason, report.started, report.finished = "pending", "", None, None
        _reset(report.children)


def _skip_pending(report: NodeReport) -> None:
    if report.status == "pending":
        report.status = "skipped"
    for child in report.children:
        _skip_pending(child)
