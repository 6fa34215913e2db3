"""``skillet demo``: one sentence through the whole stack, and a report of what happened.

It starts the graph of ``sim.launch.xml``, sends the sentence, stops the graph, converts the
recorded episode and writes the report. Its exit status is 0 only if the task succeeded.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from skillet_cli.task_outcome import TaskOutcome
from skillet_core.errors import SkilletError
from skillet_core.policy_spec import load_policy_spec
from skillet_core.robot import load_robot
from skillet_core.scene import load_task

READY_TIMEOUT = 60.0
"""Time for every node to start [s]."""
STOP_TIMEOUT = 5.0
"""Time for the graph to end after an interrupt [s]."""


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="skillet demo", description=__doc__)
    parser.add_argument("instruction", nargs="?", default="put the red block in the left bin")
    parser.add_argument("--robot", default="ur5e", help="robot in urdf/robots")
    parser.add_argument("--task", default="blocks", help="scene in assets/tasks")
    parser.add_argument("--seed", type=int, default=0, help="of the scene's reset")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder for everything it makes")
    return parser.parse_args(argv)


@contextmanager
def _graph(options: argparse.Namespace, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the simulation graph in processes of its own until the block ends."""
    command = [
        *(sys.executable, "-m", "skillet_cli.main", "launch", "sim.launch.xml"),
        *(f"robot:={options.robot}", f"task:={options.task}", f"seed:={options.seed}"),
        f"episodes:={options.out / 'episodes'}",
    ]
    with log.open("wb") as sink:
        graph = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield graph
        finally:
            graph.send_signal(signal.SIGINT)
            try:
                graph.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                graph.kill()
                graph.wait()


def _clear(out: Path) -> None:
    """Remove what an earlier demonstration left in its folder, and nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("bag", "dataset.zarr", "episodes"):
        shutil.rmtree(out / name, ignore_errors=True)
    for path in (out / "graph.log", out / "report.html", *(out / f"{c}.mp4" for c in ("front", "wrist"))):
        path.unlink(missing_ok=True)


def _run_task(options: argparse.Namespace, console: Console) -> TaskOutcome:
    """Start the graph, send the sentence, show the progress; return the outcome."""
    log = options.out / "graph.log"
    console.print(f"[dim]starting the graph of sim.launch.xml (log: {log})[/]")
    try:
        with _graph(options, log) as graph:
            return _send_sentence(options, console, lambda: graph.poll() is None)
    except SkilletError:
        console.print(log.read_text(errors="replace")[-3000:], markup=False, style="dim")
        raise


def _send_sentence(options: argparse.Namespace, console: Console, running: Callable[[], bool]) -> TaskOutcome:
    # rclpy reads ROS_DOMAIN_ID when it is first used, which main() sets
    from skillet_interfaces.action import ExecuteTask  # noqa: PLC0415

    from skillet_cli.demo_node import TaskClient  # noqa: PLC0415

    marks = {"running": "[cyan]…[/]", "succeeded": "[green]✓[/]", "failed": "[red]✗[/]"}
    started = time.monotonic()

    def show(feedback: ExecuteTask.Feedback) -> None:
        mark, depth = marks.get(feedback.status, " "), feedback.node.count(".")
        console.print(f" {time.monotonic() - started:6.1f} s {'  ' * depth}{mark} {feedback.label}")

    goal = ExecuteTask.Goal(instruction=options.instruction, record=True, seed=options.seed, tags=["demo"])
    limit = 3 * load_task(options.task).time_limit
    with TaskClient() as client:
        client.wait_until_ready(READY_TIMEOUT, running)
        console.print(f"[dim]graph ready after {time.monotonic() - started:.1f} s[/]")
        outcome: TaskOutcome = client.execute(goal, show, timeout=limit, still_running=running)
    return outcome


def _write_results(options: argparse.Namespace, episode: Path, console: Console) -> None:
    """Move the bag to its place, convert it and write the report."""
    from skillet_data.bag_to_zarr import convert  # noqa: PLC0415  (slow imports, wanted late)
    from skillet_data.report import write_report  # noqa: PLC0415

    bag, dataset = options.out / "bag", options.out / "dataset.zarr"
    shutil.move(episode, bag)
    spec = load_policy_spec("demo")
    convert([bag], spec, dataset, failed=True)
    report = write_report(bag, options.out, load_robot(options.robot))
    for label, path in (("report", report), ("bag", bag), ("zarr", dataset)):
        console.print(f"  {label:7s}{path}")


def main(argv: list[str]) -> int:
    """Run the demonstration; return the exit status: 0 only if the task succeeded."""
    options = _arguments(argv)
    console = Console(highlight=False)
    # a graph of one's own: another demo or robot on this host must not hear this one
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    try:
        robot, _ = load_robot(options.robot), load_task(options.task)
        _clear(options.out)
        console.print(f"[bold]“{options.instruction}”[/] on {robot.title}")
        outcome = _run_task(options, console)
        if outcome.refused:
            console.print(f"[yellow]refused, the robot did not move:[/] {outcome.reason}")
            return 1
        if outcome.episode:
            _write_results(options, Path(outcome.episode), console)
    except SkilletError as error:
        console.print(f"[red]error:[/] {error}")
        return 2
    if not outcome.success:
        console.print(f"[red]failed:[/] {outcome.reason}")
        return 1
    console.print("[green]done[/]")
    return 0
