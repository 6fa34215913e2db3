"""Runs the benchmarks of this folder, each in a process of its own, and writes ``out/bench.json``.

    python benchmarks/run.py            # all of them
    python benchmarks/run.py plan       # bench_plan.py only; the other figures in the file stay

A benchmark is a file ``bench_<name>.py`` with a function ``run() -> dict[str, float]``, keyed by the names
of its figures.
"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parent
OUT = FOLDER.parent / "out" / "bench.json"


@dataclass(frozen=True)
class Target:
    """A bound that a figure has to keep."""

    bound: float
    at_least: bool

    def kept(self, value: float) -> bool:
        """Whether the figure is on the right side; one that could not be measured is not."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        """The bound with its direction."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


TARGETS: Mapping[str, Target] = {
    "sim.realtime_factor": Target(1.0, at_least=True),
    "sim.direct_steps_ratio": Target(0.9, at_least=True),
    "transport.image_loss_pct": Target(0.5, at_least=False),
    "transport.image_latency_p99_ms": Target(5.0, at_least=False),
    "plan.median_ms": Target(10.0, at_least=False),
    "plan.drawer_median_ms": Target(15.0, at_least=False),
    "plan.success_pct": Target(99.0, at_least=True),
    "plan.speedup_vs_python_rrt": Target(20.0, at_least=True),
    "grasp.success_pct": Target(95.0, at_least=True),
    "skill.ros_vs_direct_pct": Target(2.0, at_least=False),
}
"""On two cores without a GPU."""


def available() -> dict[str, Path]:
    """The benchmarks by name."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}


def measure(name: str, path: Path, console: Console) -> dict[str, float] | None:
    """Run one benchmark in a process of its own; ``None`` where it failed, which is then shown."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "figures.json"
        command = [sys.executable, __file__, "--one", str(path), str(answer)]
        with console.status(f"{name} ..."):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            console.print(f"{name}: {time.monotonic() - begin:.0f} s")
            figures: dict[str, float] = json.loads(answer.read_text())
            return figures
    console.print(f"{name}: FAILED (exit status {done.returncode})", style="red")
    console.print((done.stdout + done.stderr)[-3000:], style="dim", markup=False, highlight=False)
    return None


def run_here(path: Path, answer: Path) -> None:
    """Run a benchmark in this process and write its figures to a file.

    Raises:
        ValueError: a figure is not a number.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(FOLDER))
    spec.loader.exec_module(module)
    figures = {name: float(value) for name, value in module.run().items()}
    if bad := [name for name, value in figures.items() if not math.isfinite(value)]:
        raise ValueError(f"no number was measured for {', '.join(bad)}")
    answer.write_text(json.dumps(figures))


def show(figures: Mapping[str, float], console: Console) -> None:
    """Print the figures with their targets."""
    table = Table("figure", "value", "target", "")
    for column in table.columns[1:3]:
        column.justify = "right"
    for name, value in sorted(figures.items()):
        target = TARGETS.get(name)
        kept = "" if target is None else "[green]kept[/]" if target.kept(value) else "[red]missed[/]"
        table.add_row(name, f"{value:.4g}", str(target or ""), kept)
    console.print(table)


def main(words: Sequence[str]) -> int:
    """Run what is asked for; return the exit status: 1 where a benchmark failed, 2 for an unknown name."""
    console = Console()
    known = available()
    if unknown := [word for word in words if word not in known]:
        console.print(f"unknown benchmark {', '.join(unknown)}. Valid: {', '.join(known)}", style="red")
        return 2
    results = {name: measure(name, known[name], console) for name in words or known}
    figures: dict[str, float] = {}
    for result in results.values():
        figures |= result or {}
    before = json.loads(OUT.read_text()) if words and OUT.is_file() else {}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(dict(sorted({**before, **figures}.items())), indent=1) + "\n")
    show(figures, console)
    console.print(f"written to {OUT}")
    return 1 if None in results.values() else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_here(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
