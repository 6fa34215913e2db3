"""Real processes: short shell scripts under the real command."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest


def script(name: str, commands: str, attributes: str = "") -> str:
    return f'<executable name="{name}" cmd="sh -c \'{commands}\'" output="screen" {attributes}/>'


SLEEP = "echo ready; exec sleep 1000"


def test_output_is_shown_line_by_line_under_the_name(launch) -> None:
    run = launch(script("a", "echo one; echo two; printf three"))
    assert run.finish() == 0
    assert "[a] one\n[a] two\n[a] three\n[a] ended" in run.text


def test_output_that_goes_to_the_log_is_kept_there_with_errors_still_shown(launch, tmp_path: Path) -> None:
    run = launch('<executable name="a" cmd="sh -c \'echo quiet; echo loud &gt;&amp;2\'"/>')
    assert run.finish() == 0
    assert "[a] loud" in run.text
    assert "quiet" not in run.text
    assert (tmp_path / "log/a.log").read_text().split() == ["quiet", "loud"]


def test_a_process_that_dies_is_reported_with_its_last_lines_and_the_others_go_on(launch) -> None:
    run = launch(script("lives", SLEEP) + script("dies", "seq 1 40; exit 3"))
    run.until(r"\[dies\] DIED: exit status 3")
    run.until(r"\[dies\]   \| 40")
    assert next(line for line in run.lines if "  | " in line).endswith("| 26")
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 1


def test_a_signal_that_kills_a_process_is_named(launch) -> None:
    run = launch(script("a", "kill -SEGV $$"))
    assert run.finish() == 1
    assert "[a] DIED: killed by SIGSEGV" in run.text


def test_a_process_is_started_again_as_often_as_the_file_says(launch) -> None:
    run = launch(script("a", "exit 1", 'respawn="true" respawn_delay="0.01" respawn_max_retries="2"'))
    assert run.finish() == 1
    assert run.text.count("[a] started") == 3


def test_the_end_of_a_process_ends_the_launch_where_the_file_says_so(launch) -> None:
    run = launch(script("stays", SLEEP) + script("leads", "sleep 0.2", 'on_exit="shutdown"'))
    run.until(r"\[leads\] the launch ends with it")
    assert run.finish() == 0
    assert "stopped" in run.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_in_reverse_order(number: signal.Signals, launch) -> None:
    leave = 'trap "echo leaving; exit 0" INT; echo ready; while :; do sleep 0.01; done'.replace('"', "&quot;")
    run = launch(script("first", leave) + script("second", leave))
    for _ in range(2):
        run.until("ready")
    run.process.send_signal(number)
    assert run.finish() == 0
    assert [line for line in run.lines if "leaving" in line] == ["[second] leaving", "[first] leaving"]


def test_a_process_that_ignores_signals_is_killed(launch, gone) -> None:
    stubborn = "trap : INT TERM; echo ready; while :; do sleep 0.05; done"
    run = launch(script("stubborn", stubborn))
    pid = int(run.until(r"process (\d+)")[1])
    run.until("ready")
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 0
    assert "[stubborn] still running, SIGKILL" in run.text
    assert gone(pid)


def test_no_process_outlives_a_supervisor_that_is_killed(launch, gone) -> None:
    run = launch(script("a", SLEEP) + script("b", SLEEP))
    pids = [int(run.until(r"process (\d+)")[1]) for _ in range(2)]
    run.process.kill()
    run.process.wait()
    assert all(gone(pid) for pid in pids)


def test_what_a_dead_process_had_started_ends_with_it(launch, gone) -> None:
    run = launch(script("parent", "sleep 1000 &amp; echo child $!; exit 1"))
    child = int(run.until(r"child (\d+)")[1])
    assert run.finish() == 1
    assert gone(child)


def test_a_program_that_does_not_exist_is_reported(launch) -> None:
    run = launch('<executable cmd="surely-no-such-program"/>')
    assert run.finish() == 1
    assert "cannot be started: no program 'surely-no-such-program' on PATH" in run.text
