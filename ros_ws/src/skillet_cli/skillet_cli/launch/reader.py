"""From a launch file and its arguments to the list of processes it describes.

The semantics are those of ``launch``, ``launch_xml`` and ``launch_ros`` of ROS 2 Jazzy:
``tests/full_ros/test_launch_agrees.py`` compares the two wherever the originals are installed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from skillet_cli.launch import fields
from skillet_cli.launch.arguments import declaration, declared_arguments, refuse_unknown
from skillet_cli.launch.description import NodeOptions, ProcessDescription
from skillet_cli.launch.document import Element, read_document
from skillet_cli.launch.errors import LaunchError
from skillet_cli.launch.substitution import Scope
from skillet_core.errors import UnknownNameError
from skillet_core.resources import share_dir

_NAMESPACE = "ros_namespace"
"""The configuration in which the pushed namespace is kept, as in ``launch_ros``."""


def find_launch_file(name: str) -> Path:
    """Return a launch file by path, or by its name in Skillet's ``launch/`` folder.

    Raises:
        UnknownNameError: there is no such file; those in the folder are listed.
    """
    if Path(name).is_file():
        return Path(name).resolve()
    folder = share_dir() / "launch"
    valid = {path.name: path for path in folder.glob("*.launch.xml")}
    full_name = name if name.endswith(".xml") else f"{name}.launch.xml"
    if full_name not in valid:
        raise UnknownNameError("launch file", full_name, valid)
    return valid[full_name]


def read_launch(
    path: Path, given: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[ProcessDescription, ...]:
    """Read a launch file.

    Args:
        path: the file.
        given: launch arguments by name.
        environment: the environment that the processes start from.

    Returns:
        The processes in the order in which the file starts them.

    Raises:
        LaunchError: the file, an argument or a value in it is wrong; the message names the line.
    """
    path = path.absolute()
    refuse_unknown(given, declared_arguments(path, environment), path)
    scope = Scope(dict(given), dict(environment), path)
    processes: list[ProcessDescription] = []
    _Visit(processes, (path,)).inside(read_document(path), scope)
    return tuple(processes)


@dataclass
class _Visit:
    """Walks the elements in order; ``scope`` carries what the ones before have set."""

    processes: list[ProcessDescription]
    including: tuple[Path, ...]

    def inside(self, element: Element, scope: Scope) -> None:
        for child in element.children:
            if fields.condition(child, scope):
                self._actions()[child.tag](child, scope)

    def _actions(self) -> Mapping[str, Callable[[Element, Scope], None]]:
        return {
            "arg": self._arg,
            "let": self._let,
            "include": self._include,
            "group": self._group,
            "node": self._node,
            "executable": self._executable,
            "set_env": self._set_env,
            "unset_env": self._unset_env,
            "push_ros_namespace": self._push_namespace,
            "push-ros-namespace": self._push_namespace,
        }

    def _arg(self, element: Element, scope: Scope) -> None:
        argument = declaration(element)
        if argument.name not in scope.configurations:
            if argument.default is None:
                raise LaunchError(
                    f"{element.where}: the argument {argument.name!r} is required "
                    f"({argument.description}); give {argument.name}:=VALUE"
                )
            scope.configurations[argument.name] = fields.text(element, "default", scope)
        value = scope.configurations[argument.name]
        if argument.choices and value not in argument.choices:
            raise LaunchError(
                f"{element.where}: {argument.name}:={value} is not a choice; "
                f"valid: {', '.join(argument.choices)} ({argument.description})"
            )

    def _let(self, element: Element, scope: Scope) -> None:
        scope.configurations[fields.text(element, "name", scope)] = fields.text(element, "value", scope)

    def _include(self, element: Element, scope: Scope) -> None:
        path = Path(fields.text(element, "file", scope)).absolute()
        if path in self.including:
            raise LaunchError(f"{element.where}: {path} includes itself")
        for child in element.children:
            self._let(child, scope)
        try:
            root = read_document(path)
        except LaunchError as error:
            raise LaunchError(f"{element.where}: included here: {error}") from error
        _check_required(element, root, scope)
        _Visit(self.processes, (*self.including, path)).inside(root, scope.in_file(path))

    def _group(self, element: Element, scope: Scope) -> None:
        scoped = element.attributes.get("scoped", "true").lower()
        if scoped not in ("true", "false", "1", "0"):
            raise LaunchError(f"{element.where}: scoped={scoped!r}; valid: true, false")
        self.inside(element, scope.nested() if scoped in ("true", "1") else scope)

    def _set_env(self, element: Element, scope: Scope) -> None:
        scope.environment[fields.text(element, "name", scope)] = fields.text(element, "value", scope)

    def _unset_env(self, element: Element, scope: Scope) -> None:
        scope.environment.pop(fields.text(element, "name", scope), None)

    def _push_namespace(self, element: Element, scope: Scope) -> None:
        pushed = scope.configurations.get(_NAMESPACE)
        joined = fields.namespace(pushed, fields.text(element, "namespace", scope), element)
        scope.configurations[_NAMESPACE] = joined or "/"

    def _executable(self, element: Element, scope: Scope) -> None:
        words = fields.words(element, "cmd", scope)
        if not words:
            raise LaunchError(f"{element.where}: cmd is empty")
        name = fields.optional(element, "name", scope) or Path(words[0]).name
        self._add(element, scope, name, words, None)

    def _node(self, element: Element, scope: Scope) -> None:
        package = fields.optional(element, "pkg", scope) or ""
        executable = fields.text(element, "exec", scope)
        program = fields.executable(package, executable, element) if package else executable
        pushed = scope.configurations.get(_NAMESPACE)
        node = NodeOptions(
            package=package,
            name=fields.node_name(element, scope),
            namespace=fields.namespace(pushed, fields.optional(element, "namespace", scope), element),
            parameters=tuple(fields.parameters(child, scope) for child in element.named("param")),
            remappings=tuple(
                (fields.text(child, "from", scope), fields.text(child, "to", scope))
                for child in element.named("remap")
            ),
            ros_arguments=tuple(fields.words(element, "ros_args", scope)),
        )
        label = fields.optional(element, "exec_name", scope) or Path(executable).name
        self._add(element, scope, label, [program, *fields.words(element, "args", scope)], node)

    def _add(
        self, element: Element, scope: Scope, name: str, words: list[str], node: NodeOptions | None
    ) -> None:
        environment = dict(scope.environment)
        for child in element.named("env"):
            environment[fields.text(child, "name", scope)] = fields.text(child, "value", scope)
        taken = {process.label for process in self.processes}
        label, number = name, 1
        while label in taken:
            number += 1
            label = f"{name}-{number}"
        prefix = shlex.split(fields.optional(element, "launch-prefix", scope) or "")
        self.processes.append(
            ProcessDescription(
                label=label,
                program=(*prefix, *words),
                environment=environment,
                where=element.where,
                node=node,
                respawn=fields.respawn(element, scope),
                ends_all=fields.ends_all(element),
                to_terminal=fields.to_terminal(element, scope),
                cwd=fields.optional(element, "cwd", scope),
            )
        )


def _check_required(include: Element, root: Element, scope: Scope) -> None:
    """Refuse an include that leaves a required argument to be inherited, as ``launch`` does."""
    passed = {fields.text(child, "name", scope) for child in include.children}
    for element in root.named("arg"):
        argument = declaration(element)
        conditional = {"if", "unless"} & element.attributes.keys()
        if argument.default is None and not conditional and argument.name not in passed:
            raise LaunchError(
                f"{include.where}: {root.file.name} requires the argument {argument.name!r} "
                f"({argument.description}); put <arg name={argument.name!r} value=.../> inside the <include>"
            )
