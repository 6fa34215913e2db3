"""Sets up everything that Skillet needs, and only what has changed since the last time.

    python3 tools/bootstrap.py

Runs on a plain Python 3.11 to 3.13 with nothing installed. Steps, each skipped while its inputs are as they
were: the distribution's packages, the virtual environment with the pinned Python packages, the paths that the
ROS wheels carry from the machine they were built on, the ROS workspace, and the commands in ``.venv/bin``.
Full output goes to ``out/log/``.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WORKSPACE = ROOT / "ros_ws"
LOGS = ROOT / "out" / "log"
LOCK = ROOT / "constraints.txt"
STAMPS = VENV / "skillet-stamps.json"
PYTHONS = ((3, 11), (3, 13))
"""The first and last version of Python that the pinned packages exist for."""
SHARED_FOLDERS = ("launch", "urdf", "assets", "config", "policies")
"""What the root package installs; a file that comes or goes there needs a new install."""
QUIET_PERIOD = 10.0
"""Without a terminal, a sign of life is printed this often [s]."""


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def main() -> int:
    """Run every step that is due; return the exit status."""
    begin = time.monotonic()
    try:
        _check_python()
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once must not build into each other
            worked = _run_steps()
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        return 1
    if worked:
        print(f"setup: done in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


def _run_steps() -> bool:
    """Run what is due; return whether anything was."""
    steps: Sequence[tuple[str, Callable[[], str], Callable[[], None]]] = (
        ("system packages", _system_inputs, _install_system_packages),
        ("Python packages", _python_inputs, _install_python_packages),
        ("ROS workspace", _workspace_inputs, _build_workspace),
        ("commands", lambda: _COMMAND + _SKILLET, _write_commands),
    )
    done = json.loads(STAMPS.read_text()) if STAMPS.is_file() else {}
    worked = False
    for name, inputs, action in steps:
        if done.get(name) == _digest(inputs()):
            continue
        worked = True
        action()
        # taken again: what is there afterwards is what the next run finds
        done[name] = _digest(inputs())
        if VENV.is_dir():
            STAMPS.write_text(json.dumps(done, indent=1))
    return worked


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_python() -> None:
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return
    for minor in range(PYTHONS[1][1], PYTHONS[0][1] - 1, -1):
        if other := shutil.which(f"python3.{minor}"):
            os.execv(other, [other, *sys.argv])  # noqa: S606 - the same script by a Python that can run it
    raise SetupError(
        f"Python {sys.version.split()[0]} is not supported and no python3.11 to 3.13 was found on PATH; "
        "install one, e.g. sudo apt-get install python3.12"
    )


# --- system packages -------------------------------------------------------------------------------------


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _missing_packages() -> list[str]:
    """The packages that are needed and not there, found by what they provide."""
    missing = []
    if not (shutil.which("c++") and shutil.which("cc")):
        missing.append("g++")
    if not _loads("libOSMesa.so.8") and not (_loads("libEGL.so.1") and _loads("libEGL_mesa.so.0")):
        missing += ["libegl1", "libegl-mesa0", "libgl1-mesa-dri"]
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        missing.append(f"python3.{sys.version_info.minor}-dev")
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python3.{sys.version_info.minor}-venv")
    if not shutil.which("setpriv"):
        missing.append("util-linux")
    return missing


def _system_inputs() -> str:
    return " ".join(_missing_packages())


def _install_system_packages() -> None:
    missing = _missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetupError(
            f"system packages are missing. Copy this line, then run make again:\n\n"
            f"    sudo apt-get update && sudo {' '.join(command)}\n"
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("update the package list", ["apt-get", "update"], quiet)
    _run(f"install {' '.join(missing)}", command, quiet)
    if still := _missing_packages():
        raise SetupError(f"installed, but still not usable: {' '.join(still)}; see {LOGS}")


# --- Python packages -------------------------------------------------------------------------------------


def _python_inputs() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = dict(re.findall(r"^([^=\s#]+)==(\S+)$", LOCK.read_text(), re.MULTILINE))
    pins = {_normal(name): version for name, version in locked.items()}
    for requirement in wanted:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[.*\])?(==)?(.*)", requirement)
        name, exact, version = match.groups() if match else (requirement, None, "")
        if _normal(name) not in pins or (exact and pins[_normal(name)] != version):
            raise SetupError(
                f"pyproject.toml asks for {requirement!r}, which {LOCK.name} does not hold; "
                "renew it with: python3 tools/lock.py"
            )
    here = f"{sys.version} {sys.executable} {VENV}"
    return here + json.dumps(wanted) + LOCK.read_text()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _install_python_packages() -> None:
    python = VENV / "bin" / "python"
    if not _usable(python):
        for folder in (VENV, WORKSPACE / "build", WORKSPACE / "install"):  # all made for another Python
            shutil.rmtree(folder, ignore_errors=True)
        _run("make the virtual environment", [sys.executable, "-m", "venv", str(VENV)], _clean_environment())
    # the lock file holds every package, so pip has nothing to resolve; byte code is made in the background
    install = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-compile",
        "--no-input",
        "--disable-pip-version-check",
    ]
    _run(
        "install Python packages",
        [str(python), *install, "-r", str(LOCK)],
        _clean_environment(),
        total=len(LOCK.read_text().splitlines()),
    )
    _mend_cmake_paths(python)
    _compile_in_background(python)


def _compile_in_background(python: Path) -> None:
    """Make the packages' byte code while the workspace is built; nothing depends on its being there."""
    subprocess.Popen(
        ["nice", "-n", "19", python, "-m", "compileall", "-q", *(VENV / "lib").glob("python*/site-packages")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _usable(python: Path) -> bool:
    """Whether the virtual environment is of this Python, and still in the place that it was made for."""
    scripts = VENV / "bin" / "pip"
    if not python.exists() or not scripts.is_file():
        return False
    if not scripts.read_text().startswith(f"#!{python}"):
        return False
    code = "import sys; print(sys.version)"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == sys.version.strip()


def _mend_cmake_paths(python: Path) -> None:
    """Replace the build image's Python and NumPy header folders in the wheels' CMake files by those here."""
    code = "import numpy, sysconfig; print(sysconfig.get_path('include')); print(numpy.get_include())"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    include, numpy_include = answer.stdout.splitlines()
    image = r"/opt/python/cp\d+-cp\d+"
    for file in (VENV / "share").rglob("*.cmake"):
        text = file.read_text()
        if "/opt/python/" in text:
            text = re.sub(image + r"/lib/python3\.\d+/site-packages/numpy/_core/include", numpy_include, text)
            file.write_text(re.sub(image + r"/include/python3\.\d+", include, text))


# --- ROS workspace ---------------------------------------------------------------------------------------


def _workspace_inputs() -> str:
    """What a build depends on. Python modules are linked, not copied, so their text is not among it."""
    parts = [_python_inputs()]
    for manifest in sorted([ROOT / "package.xml", *(WORKSPACE / "src").glob("**/package.xml")]):
        package = manifest.parent
        if package == ROOT:
            parts += [_text(package / name) for name in ("package.xml", "CMakeLists.txt")]
            parts += sorted(str(file) for folder in SHARED_FOLDERS for file in _files(package / folder))
        else:
            built = (package / "CMakeLists.txt").is_file()
            parts += [
                f"{file}: {_text(file)}"
                for file in _files(package)
                if built or file.name in ("package.xml", "setup.py", "setup.cfg")
            ]
    parts.append(str((WORKSPACE / "install" / "setup.sh").is_file()))
    return "\n".join(parts)


def _files(folder: Path) -> Iterator[Path]:
    hidden = ("__pycache__", ".egg-info")
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(part.endswith(hidden) for part in file.parts):
            yield file


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


def _build_workspace() -> None:
    python = VENV / "bin" / "python"
    cmake = [
        "-GNinja",
        f"-DPython3_EXECUTABLE={python}",
        "-DPython3_FIND_VIRTUALENV=ONLY",
        "-DBUILD_TESTING=OFF",
    ]
    command = [
        *(str(VENV / "bin" / "colcon"), "--log-base", str(WORKSPACE / "log"), "build", "--symlink-install"),
        *("--base-paths", str(ROOT), str(WORKSPACE / "src")),
        *("--build-base", str(WORKSPACE / "build"), "--install-base", str(WORKSPACE / "install")),
        *("--event-handlers", "console_cohesion+", "--cmake-args", *cmake, "--no-warn-unused-cli"),
    ]
    environment = _clean_environment()
    environment |= {"AMENT_PREFIX_PATH": str(VENV), "CMAKE_PREFIX_PATH": str(VENV)}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment['PATH']}"
    packages = len(list((WORKSPACE / "src").glob("**/package.xml"))) + 1
    _run("build the ROS workspace", command, environment, total=packages, count=r"^Finished <<<")


# --- commands --------------------------------------------------------------------------------------------

_COMMAND = f"""#!/bin/sh
# Runs a command with the ROS workspace sourced. Written by tools/bootstrap.py.
unset COLCON_PREFIX_PATH CMAKE_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH
# a Python of this environment that starts this has set it; its child would not look for the wheels' libraries
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
export PATH="{VENV}/bin:$PATH" AMENT_PREFIX_PATH="{VENV}"
COLCON_CURRENT_PREFIX="{WORKSPACE}/install" . "{WORKSPACE}/install/local_setup.sh"
# as launch/parts/middleware.launch.xml sets it, for programs that are started without a launch file
export RMW_IMPLEMENTATION=rmw_fastrtps_cpp MALLOC_MMAP_THRESHOLD_=16777216 MALLOC_TRIM_THRESHOLD_=67108864
: "${{FASTRTPS_DEFAULT_PROFILES_FILE:={ROOT}/config/fastdds.xml}}"
: "${{ROS_AUTOMATIC_DISCOVERY_RANGE:=LOCALHOST}}"
export FASTRTPS_DEFAULT_PROFILES_FILE ROS_AUTOMATIC_DISCOVERY_RANGE
"""
_SKILLET = 'exec python -m skillet_cli.main "$@"\n'


def _write_commands() -> None:
    for name, last in (("with-ros", 'exec "$@"\n'), ("skillet", _SKILLET)):
        file = VENV / "bin" / name
        file.write_text(_COMMAND + last)
        file.chmod(0o755)


# --- running ---------------------------------------------------------------------------------------------


def _clean_environment() -> dict[str, str]:
    """The environment without another Python's or another ROS installation's settings."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH"}
    foreign |= {"VIRTUAL_ENV", "LD_LIBRARY_PATH", "ROS_DISTRO"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


def _run(
    title: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    total: int = 0,
    count: str = r"^Collecting ",
) -> None:
    """Run a command with its output in a log and one line of progress here.

    Args:
        title: what it does.
        command: program and arguments.
        environment: all environment variables.
        total: how many lines that match ``count`` there will be; 0 where that is not known.
        count: pattern of the lines that tell the progress.
    """
    log = LOGS / f"{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')[:40]}.log"
    begin = shown = time.monotonic()
    matching = re.compile(count)
    seen, last = 0, ""
    print(f"setup: {title} ...", flush=True)
    with (
        log.open("w") as sink,
        subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        for lines in _output(process):
            for line in lines:
                sink.write(f"{line}\n")
                seen += bool(matching.match(line))
                last = line.strip() or last
            now = time.monotonic()
            if now - shown >= (0.2 if sys.stdout.isatty() else QUIET_PERIOD):
                shown = now
                _show_progress(now - begin, seen, total, last)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.returncode != 0:
        tail = "\n".join(log.read_text().splitlines()[-25:])
        raise SetupError(f"could not {title} (exit status {process.returncode}). The end of {log}:\n\n{tail}")
    print(f"setup: {title}: {time.monotonic() - begin:.0f} s", flush=True)


def _output(process: subprocess.Popen[bytes]) -> Iterator[list[str]]:
    """Yield new lines as they come, and nothing once a second while none do."""
    if process.stdout is None:
        raise SetupError("the command was started without a pipe for its output")
    rest = b""
    while True:
        if not select.select([process.stdout], [], [], 1.0)[0]:
            yield []
            continue
        data = os.read(process.stdout.fileno(), 65536)
        *lines, rest = (rest + data).split(b"\n") if data else (rest, b"")
        yield [line.decode(errors="replace") for line in lines if data or line]
        if not data:
            return


def _show_progress(elapsed: float, seen: int, total: int, line: str) -> None:
    share = f"{seen}/{total} " if total else ""
    text = f"  {elapsed:4.0f} s  {share}{line.strip()}"[:100]
    print(
        f"\r\033[K{text}" if sys.stdout.isatty() else text,
        end="" if sys.stdout.isatty() else "\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
