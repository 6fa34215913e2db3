"""The simulation's graph as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODES = ("sim_node", "robot_state_node", "skill_node", "planner_node")


@pytest.mark.ros
def test_the_simulation_starts_and_ends_with_all_its_nodes(run_launch, gone) -> None:
    run = run_launch("sim", "cameras:=false", "recorder:=false", "robot:=panda")
    pids = {}
    for node in NODES:
        pids[node] = int(run.until(rf"\[{node}\] started, process (\d+)")[1])
    run.until(r"\[sim_node\] .*Panda")
    run.process.send_signal(signal.SIGINT)
    run.finish()
    assert "DIED" not in run.text
    assert [node for node, pid in pids.items() if not gone(pid)] == []


@pytest.mark.ros
def test_an_unknown_robot_is_reported_with_those_there_are(run_launch) -> None:
    run = run_launch("sim", "robot:=ur6", "cameras:=false", "recorder:=false")
    run.until(r"\[sim_node\] DIED")
    run.until(r"\[sim_node\] .*'ur6'.*Valid: .*panda.*ur5e")
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 1


def test_an_unknown_argument_is_refused_before_anything_starts(run_launch) -> None:
    run = run_launch("sim", "robt:=panda")
    assert run.finish() == 2
    assert re.search(r"no argument 'robt'.*robot.*a file name in urdf/robots", run.text, re.DOTALL)
    assert "started" not in run.text


def test_an_unknown_launch_file_is_refused_with_those_there_are(run_launch) -> None:
    run = run_launch("simulation")
    assert run.finish() == 2
    assert "sim.launch.xml" in run.text


@pytest.mark.ros
def test_programs_outside_a_launch_file_get_the_same_middleware(read) -> None:
    include = f'<include file="{ROOT}/launch/parts/middleware.launch.xml"/>'
    (process,) = read(include + '<executable cmd="true"/>')
    outside = subprocess.run(
        [ROOT / ".venv/bin/with-ros", "env"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    values = dict(line.split("=", 1) for line in outside.stdout.decode().splitlines() if "=" in line)
    for name, value in process.environment.items():
        if value.endswith("fastdds.xml"):
            assert Path(values[name]).samefile(value)
        else:
            assert values[name] == value


@pytest.mark.ros
def test_the_command_works_when_a_python_of_the_environment_starts_it() -> None:
    # such a Python says that it has found the wheels' libraries, which its children take for their own
    started = subprocess.run(
        [ROOT / ".venv/bin/with-ros", "python", "-c", "import rclpy"],
        env={"PATH": os.environ["PATH"], "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
