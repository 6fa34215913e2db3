"""The demonstration, as `make demo` runs it: a graph of processes, one sentence, one report."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import zarr

pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

from skillet_cli.demo import main
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_data.bag_reader import EpisodeReader
from skillet_data.episode import list_episodes

pytestmark = pytest.mark.ros
PATIENCE = 120.0


@pytest.fixture
def demo(tmp_path):
    """Start ``skillet demo`` with its output in a pipe; whatever it leaves running ends with the test."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-u", "-m", "skillet_cli.main", "demo", "--out", tmp_path, *arguments]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            "COLUMNS": "400",
            "ROS_DOMAIN_ID": str(101 + os.getpid() % 100),
        }
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def read_until(process, pattern):
    text = ""
    for line in process.stdout:
        text += line
        if re.search(pattern, line):
            return text
    pytest.fail(f"{pattern!r} never came:\n{text}")


def test_an_unknown_robot_is_refused_with_those_there_are_and_nothing_is_started(tmp_path, capsys):
    assert main(["--robot", "ur6", "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().out
    assert "unknown robot 'ur6'" in printed
    assert "panda, ur5e" in printed
    assert not (tmp_path / "out").exists()


def test_an_unknown_scene_is_refused_with_those_there_are(tmp_path, capsys):
    assert main(["--task", "blosk", "--out", str(tmp_path / "out")]) == 2
    assert "Did you mean 'blocks'" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("robot", ["ur5e", "panda"])
def test_a_sentence_becomes_a_report_a_bag_and_a_data_set(demo, tmp_path, robot):
    process = demo("--robot", robot, "--seed", "4", "put the green block in the right bin")
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, text
    with EpisodeReader(tmp_path / "bag") as episode:
        assert episode.info.outcome.success
        assert episode.info.request.robot == robot
        assert episode.info.request.seed == 4
    data = zarr.open_group(tmp_path / "dataset.zarr", mode="r")
    rows = data["meta/episode_ends"][-1]
    assert data["data/joint_positions"].shape == (rows, len(load_robot(robot).joints))
    assert data["data/front_color"].shape == (rows, 120, 160, 3)
    page = (tmp_path / "report.html").read_text()
    assert "put the green block in the right bin" in page
    assert "<svg" in page
    assert "place_in(green_block, right_bin)" in page
    assert (tmp_path / "front.mp4").stat().st_size > 10_000


def test_a_sentence_that_cannot_be_planned_is_refused_and_offers_what_is_known(demo, tmp_path):
    (tmp_path / "thesis.txt").write_text("somebody else's")
    (tmp_path / "report.html").write_text("an earlier demonstration's")
    process = demo("make me a sandwich")
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "refused, the robot did not move" in text
    assert load_task("blocks").instructions[0] in text
    assert list_episodes(tmp_path / "episodes", partial=True) == []
    assert (tmp_path / "thesis.txt").exists()
    assert not (tmp_path / "report.html").exists()


def test_a_simulator_killed_in_motion_ends_the_task_as_failed_and_its_episode_stays_readable(demo, tmp_path):
    process = demo("put the red block in the left bin")
    read_until(process, r"… grasp\(red_block, left_bin\)")
    time.sleep(1.0)
    simulator = int(
        re.search(r"\[sim_node\] started, process (\d+)", (tmp_path / "graph.log").read_text())[1]
    )
    os.kill(simulator, signal.SIGKILL)
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "joint_states" in text
    assert list_episodes(tmp_path / "episodes") == []
    (partial,) = list_episodes(tmp_path / "episodes", partial=True)
    with EpisodeReader(partial) as episode:
        assert episode.topics["/joint_states"].count > 0
        assert not episode.info.outcome.success
    assert not (tmp_path / "dataset.zarr").exists()
