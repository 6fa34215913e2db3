"""The command that measures grasps: from its arguments to table, file, picture and advice."""

import csv
import io

import pytest
from rich.console import Console

import benchmark_grasp
from skillet_motion.grasp_benchmark import Outcome, Trial, summarise


def outcome(name, success, seed=0):
    trial = Trial("panda", "blocks", name, "planar", seed)
    return Outcome(trial, success, "" if success else f"grasp: {name} slipped", "lift")


def text_of(table):
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_the_table_shows_counts_intervals_and_reasons_worst_first():
    outcomes = [outcome("red_block", success=seed > 0, seed=seed) for seed in range(10)]
    outcomes += [outcome("blue_block", success=True, seed=seed) for seed in range(10)]
    shown = text_of(benchmark_grasp.table(summarise(outcomes)))
    assert "9/10" in shown
    assert "60-98 %" in shown
    assert "1x it slipped" in shown
    assert shown.index("red_block") < shown.index("blue_block")


def test_one_failure_of_each_object_is_shown_before_a_second_of_any():
    failures = [outcome("red_block", success=False, seed=seed) for seed in range(12)]
    failures.append(outcome("blue_block", success=False))
    worst = benchmark_grasp._worst(failures, summarise(failures))
    assert {entry.trial.object for entry in worst[:2]} == {"red_block", "blue_block"}
    assert len(worst) == benchmark_grasp.WORST


def test_the_command_writes_every_outcome(tmp_path, monkeypatch, capsys):
    arguments = [
        "--object",
        "red_block",
        "--robot",
        "panda",
        "--mode",
        "planar",
        "--trials",
        "2",
        "--jobs",
        "1",
    ]
    monkeypatch.setattr("sys.argv", ["benchmark_grasp.py", *arguments, "--out", str(tmp_path)])
    assert benchmark_grasp.main() == 0
    with (tmp_path / "grasps.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["object"], row["robot"], row["mode"], row["seed"]) for row in rows] == [
        ("red_block", "panda", "planar", "0"),
        ("red_block", "panda", "planar", "1"),
    ]
    assert "red_block" in capsys.readouterr().out


def test_failures_are_drawn(tmp_path):
    benchmark_grasp.draw_worst(tmp_path / "worst.png", [outcome("red_block", success=False)])
    assert (tmp_path / "worst.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("wrong", [["--object", "red_blok"], ["--trials", "0"], ["--mode", "sideways"]])
def test_wrong_arguments_are_refused_with_what_is_valid(wrong, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmark_grasp.py", *wrong])
    with pytest.raises(SystemExit, match="2"):
        benchmark_grasp.main()
    assert "error" in capsys.readouterr().err
