"""Measures how dependably each object is grasped, and says what to do about those that are not.

    python tools/benchmark_grasp.py                       # every shipped object, both robots, both modes
    python tools/benchmark_grasp.py --object mug --robot panda --mode planar --trials 20

Prints success by object with Wilson's 95 % interval and the reasons of failures, writes every outcome to
``OUT/grasps.csv``, pictures of the worst cases to ``OUT/worst.png``, and advice where objects fail often.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from skillet_core.robot import robot_names
from skillet_motion.grasp_benchmark import (
    GraspBench,
    Outcome,
    Summary,
    Trial,
    advise,
    graspable_objects,
    run_trials,
    summarise,
)
from skillet_sim.cameras import CameraRenderer

MODES = ("6dof", "planar")
WORST = 8
"""How many failures are shown in pictures."""
ADVICE_BELOW, ADVICE_TRIALS = 0.9, 8
"""Success rate below which an object gets advice, and how many of its failures are looked into."""
_BATCH = 10
_SIZE = 320, 240


def main() -> int:
    """Parse the command line, run, report."""
    objects = graspable_objects()
    options = _parse(objects)
    chosen = {name: objects[name] for name in options.object or objects}
    trials = [
        Trial(robot, task, name, mode, seed)
        for robot in options.robot or robot_names()
        for name, task in chosen.items()
        for mode in options.mode or MODES
        for seed in range(options.trials)
    ]
    console = Console()
    outcomes = list(run_all(trials, options.jobs, console))
    summaries = summarise(outcomes)
    console.print(table(summaries))
    options.out.mkdir(parents=True, exist_ok=True)
    write_csv(options.out / "grasps.csv", outcomes)
    failures = [outcome for outcome in outcomes if not outcome.success]
    if failures:
        draw_worst(options.out / "worst.png", _worst(failures, summaries))
        for sentence in _advice(failures, summaries):
            console.print(f"• {sentence}")
    console.print(f"written to {options.out}")
    return 0


def _parse(objects: dict[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--robot", action="append", choices=robot_names(), help="default: every one")
    parser.add_argument("--object", action="append", choices=sorted(objects), help="default: every one")
    parser.add_argument("--mode", action="append", choices=MODES, help="default: both")
    parser.add_argument("--trials", type=int, default=50, help="seeded poses of each object")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--out", type=Path, default=Path("out/grasps"))
    options = parser.parse_args()
    if options.trials < 1 or options.jobs < 1:
        parser.error("--trials and --jobs are 1 or more")
    return options


def run_all(trials: Sequence[Trial], jobs: int, console: Console) -> Iterator[Outcome]:
    """Run trials in several processes; yields outcomes in the order of the trials."""
    batches = [trials[k : k + _BATCH] for k in range(0, len(trials), _BATCH)]
    context = multiprocessing.get_context("spawn")
    with Progress(console=console) as progress, ProcessPoolExecutor(jobs, mp_context=context) as pool:
        bar = progress.add_task("grasps", total=len(trials))
        for outcomes in pool.map(run_trials, batches):
            progress.advance(bar, len(outcomes))
            yield from outcomes


def table(summaries: Sequence[Summary]) -> Table:
    """Return the counts as a table, worst first."""
    result = Table("object", "robot", "mode", "success", "95 % interval", "failures")
    for summary in summaries:
        lower, upper = summary.interval
        reasons = "; ".join(f"{count}x {reason}" for reason, count in summary.reasons[:3])
        counted = f"{summary.successes}/{summary.trials}"
        interval = f"{100 * lower:.0f}-{100 * upper:.0f} %"
        result.add_row(summary.object, summary.robot, summary.mode, counted, interval, reasons)
    return result


def write_csv(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write one line a trial."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["robot", "task", "object", "mode", "seed", "success", "phase", "reason"])
        for outcome in outcomes:
            trial = outcome.trial
            row = (trial.robot, trial.task, trial.object, trial.mode, trial.seed)
            writer.writerow([*row, int(outcome.success), outcome.phase, outcome.reason])


def _worst(failures: Sequence[Outcome], summaries: Sequence[Summary]) -> list[Outcome]:
    """Return failures of the objects that fail most, one of each object before a second of any."""
    rank = {(s.robot, s.object, s.mode): k for k, s in enumerate(summaries)}
    seen: dict[tuple[str, str, str], int] = {}
    order = []
    for outcome in failures:
        key = (outcome.trial.robot, outcome.trial.object, outcome.trial.mode)
        seen[key] = seen.get(key, 0) + 1
        order.append((seen[key], rank[key], outcome))
    return [outcome for *_, outcome in sorted(order, key=lambda entry: entry[:2])[:WORST]]


def draw_worst(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Repeat failed trials and draw how each ended, with its reason."""
    mpl.use("Agg")
    columns = min(4, len(outcomes))
    rows = -(-len(outcomes) // columns)
    figure = Figure(figsize=(4 * columns, 3.6 * rows), layout="constrained")
    for number, outcome in enumerate(outcomes):
        trial = outcome.trial
        bench = GraspBench(trial.robot, trial.task)
        bench.run(trial)
        with CameraRenderer(bench.world.model, *_SIZE) as renderer:
            picture = renderer.color(bench.world.data, "front")
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.imshow(picture)
        axes.set_axis_off()
        title = f"{trial.object} · {trial.robot} · {trial.mode} · seed {trial.seed}"
        axes.set_title(f"{title}\n{outcome.reason[:70]}\n{outcome.reason[70:140]}", fontsize=8)
    figure.savefig(path, dpi=100)


def _advice(failures: Sequence[Outcome], summaries: Sequence[Summary]) -> Iterator[str]:
    for summary in summaries:
        if summary.rate >= ADVICE_BELOW:
            continue
        key = summary.robot, summary.object, summary.mode
        own = [f for f in failures if (f.trial.robot, f.trial.object, f.trial.mode) == key]
        for sentence in advise(own[:ADVICE_TRIALS]):
            yield f"{summary.robot}, {summary.mode}: {sentence}"


if __name__ == "__main__":
    raise SystemExit(main())
