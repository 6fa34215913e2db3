from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import bootstrap


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own for the module's paths."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["some-thing[extra]==1.2"]\noptional-dependencies = {dev = ["Other<5"]}\n'
    )
    (tmp_path / "constraints.txt").write_text("# made\nsome_thing==1.2\nother==4.0\n")
    (tmp_path / "out/log").mkdir(parents=True)
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCK": tmp_path / "constraints.txt",
    }.items():
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.setattr(bootstrap, "LOGS", tmp_path / "out/log")
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / ".venv/stamps.json")
    return tmp_path


def test_the_lock_file_holds_all_that_the_project_asks_for() -> None:
    bootstrap._python_inputs()


def test_a_requirement_that_the_lock_file_lacks_is_named(project: Path) -> None:
    bootstrap._python_inputs()
    text = (project / "pyproject.toml").read_text()
    for old, new in (("==1.2", "==1.3"), ("Other<5", "another")):
        (project / "pyproject.toml").write_text(text.replace(old, new))
        with pytest.raises(bootstrap.SetupError, match=r"does not hold.*tools/lock\.py"):
            bootstrap._python_inputs()


def test_without_root_a_missing_package_is_one_line_to_copy(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_loads", lambda _library: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap._install_system_packages()
    (line,) = [line for line in str(error.value).splitlines() if "apt-get" in line]
    assert line.strip().startswith("sudo apt-get update && sudo apt-get install -y")
    assert {"libegl1", "libegl-mesa0", "libgl1-mesa-dri"} <= set(line.split())


def test_nothing_is_installed_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_missing_packages", list)
    monkeypatch.setattr(bootstrap, "_run", lambda *_: pytest.fail("something was run"))
    bootstrap._install_system_packages()


def test_a_command_that_fails_shows_the_end_of_its_log_and_where_it_is(project: Path) -> None:
    code = "print('first'); print('the reason'); raise SystemExit(3)"
    with pytest.raises(bootstrap.SetupError, match=r"(?s)exit status 3.*do-a-thing\.log.*the reason"):
        bootstrap._run("do a thing", [sys.executable, "-c", code], os.environ)
    assert (project / "out/log/do-a-thing.log").read_text() == "first\nthe reason\n"


def test_the_paths_of_the_build_image_are_replaced_once(project: Path) -> None:
    share = project / ".venv/share/pkg/cmake"
    share.mkdir(parents=True)
    file = share / "export.cmake"
    file.write_text(
        "A /opt/python/cp311-cp311/include/python3.11;"
        "/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include Z"
    )
    bootstrap._mend_cmake_paths(Path(sys.executable))
    mended = file.read_text()
    assert "/opt/python/cp" not in mended
    assert mended.startswith("A /")
    assert mended.endswith("numpy/_core/include Z")
    bootstrap._mend_cmake_paths(Path(sys.executable))
    assert file.read_text() == mended


def test_a_step_runs_again_only_when_its_inputs_change(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".venv").mkdir()
    ran: list[str] = []
    inputs = {"python": "1"}
    monkeypatch.setattr(bootstrap, "_missing_packages", list)
    monkeypatch.setattr(bootstrap, "_python_inputs", lambda: inputs["python"])
    monkeypatch.setattr(bootstrap, "_workspace_inputs", lambda: "same")
    monkeypatch.setattr(bootstrap, "_install_python_packages", lambda: ran.append("python"))
    monkeypatch.setattr(bootstrap, "_build_workspace", lambda: ran.append("workspace"))
    monkeypatch.setattr(bootstrap, "_write_commands", lambda: ran.append("commands"))
    assert bootstrap._run_steps()
    assert ran == ["python", "workspace", "commands"]
    assert not bootstrap._run_steps()
    inputs["python"] = "2"
    assert bootstrap._run_steps()
    assert ran[3:] == ["python"]


def test_a_step_that_fails_is_due_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise bootstrap.SetupError("no network")

    monkeypatch.setattr(bootstrap, "_missing_packages", list)
    monkeypatch.setattr(bootstrap, "_install_python_packages", fails)
    for _ in range(2):
        with pytest.raises(bootstrap.SetupError, match="no network"):
            bootstrap._run_steps()
