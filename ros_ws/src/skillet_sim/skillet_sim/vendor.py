"""Third-party robot models, taken from installed packages and corrected by data.

No such model is part of this repository. ``urdf/vendor/<name>.yaml`` says which file of which
distribution to take and what to correct; the corrected copy goes to the cache and is then included
by the xacro files in ``urdf/``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pydantic

from skillet_core.errors import InvalidFileError, SkilletError, UnknownNameError
from skillet_core.model import DataModel
from skillet_core.resources import cache_dir, load_yaml, share_dir
from skillet_sim.files import write_atomically

_UNBOUND_PREFIX = re.compile(r"(</?|\s)drake:")


class VendorModel(DataModel):
    """Where a model comes from, and what is corrected in it."""

    distribution: str = pydantic.Field(description="name on PyPI")
    file: str = pydantic.Field(description="file below site-packages: a .urdf, or a mesh")
    package_root: str | None = pydantic.Field(
        default=None, description="folder below site-packages that package:// stands for"
    )
    root: str | None = pydantic.Field(default=None, description="keep only this link and what hangs on it")
    drop: tuple[str, ...] = pydantic.Field(
        default=(), description="links to leave out, with what hangs on them"
    )
    rename: dict[str, str] = pydantic.Field(default_factory=dict, description="link → new name")
    masses: dict[str, float] = pydantic.Field(
        default_factory=dict, description="link → mass [kg]; its inertia is scaled alike"
    )
    meshes: dict[str, tuple[str, ...]] = pydantic.Field(
        default_factory=dict, description="mesh file → files that take its place"
    )
    joint_rpy: dict[str, tuple[float, float, float]] = pydantic.Field(
        default_factory=dict, description="joint → corrected turn of its origin [rad]"
    )


def load_vendor_model(name: str) -> VendorModel:
    """Read ``urdf/vendor/<name>.yaml``.

    Raises:
        UnknownNameError: there is no such file; the message lists those there are.
        InvalidFileError: it does not fit.
    """
    folder = share_dir() / "urdf" / "vendor"
    names = [path.stem for path in folder.glob("*.yaml")]
    if name not in names:
        raise UnknownNameError("vendor model", name, names)
    return load_yaml(folder / f"{name}.yaml", VendorModel)


def _locate(distribution: str, relative: str) -> Path:
    try:
        found = Path(str(importlib.metadata.distribution(distribution).locate_file(relative))).resolve()
    except importlib.metadata.PackageNotFoundError as error:
        msg = f"the robot models need the package {distribution}: pip install {distribution}"
        raise SkilletError(msg) from error
    if not found.exists():
        version = importlib.metadata.version(distribution)
        msg = f"{distribution} {version} has no {relative}; pyproject.toml names the version that has it"
        raise SkilletError(msg)
    return found


def vendor_file(name: str) -> Path:
    """Return the model's file, ready to be included: a URDF is corrected first, a mesh is as it came.

    Mesh paths in the URDF are absolute.

    Raises:
        UnknownNameError: no such model.
        SkilletError: its package is not installed, or holds something else than expected.
    """
    model = load_vendor_model(name)
    path = _locate(model.distribution, model.file)
    if path.suffix != ".urdf":
        return path
    text = _corrected(path, model)
    target = cache_dir() / "urdf" / f"{name}-{hashlib.sha256(text).hexdigest()[:16]}.urdf"
    write_atomically(target, text)
    return target


def _corrected(path: Path, model: VendorModel) -> bytes:
    source = _UNBOUND_PREFIX.sub(r"\1drake_", path.read_text(encoding="utf-8"))
    try:
        robot = ET.fromstring(source)  # noqa: S314 - an installed package's own file
    except ET.ParseError as error:
        msg = f"{path} is not valid XML: {error}"
        raise InvalidFileError(msg) from error
    for element in list(robot):
        if element.tag not in {"link", "joint", "material"}:
            robot.remove(element)
    _keep_subtree(robot, model, path)
    for element in robot.iter():
        for attribute in [key for key in element.attrib if key.startswith("drake_")]:
            del element.attrib[attribute]
    _resolve_meshes(robot, path, model)
    _correct_joints(robot, model, path)
    _correct_masses(robot, model, path)
    _rename(robot, model, path)
    ET.indent(robot)
    return ET.tostring(robot, encoding="unicode").encode()


def _by_name(robot: ET.Element, tag: str, name: str, path: Path) -> ET.Element:
    elements = {element.get("name", ""): element for element in robot.iterfind(tag)}
    if name not in elements:
        raise UnknownNameError(f"{tag} of {path.name}", name, elements)
    return elements[name]


def _end(joint: ET.Element, tag: str) -> str:
    element = joint.find(tag)
    return "" if element is None else element.get("link", "")


def _below(robot: ET.Element, link: str) -> Iterator[str]:
    yield link
    for joint in robot.iterfind("joint"):
        if _end(joint, "parent") == link:
            yield from _below(robot, _end(joint, "child"))


def _keep_subtree(robot: ET.Element, model: VendorModel, path: Path) -> None:
    keep = {link.get("name", "") for link in robot.iterfind("link")}
    for name in (*model.drop, *([model.root] if model.root else [])):
        _by_name(robot, "link", name, path)
    if model.root:
        keep = set(_below(robot, model.root))
    for name in model.drop:
        keep -= set(_below(robot, name))
    for element in list(robot):
        if element.tag == "link" and element.get("name") not in keep:
            robot.remove(element)
        if element.tag == "joint" and not {_end(element, "parent"), _end(element, "child")} <= keep:
            robot.remove(element)


def _mesh_path(filename: str, path: Path, model: VendorModel) -> str:
    if filename.startswith("package://"):
        if model.package_root is None:
            msg = f"{path} refers to {filename}, but the vendor file sets no package_root"
            raise InvalidFileError(msg)
        resolved = _locate(model.distribution, model.package_root) / filename.removeprefix("package://")
    else:
        resolved = (path.parent / filename).resolve()
    if not resolved.exists():
        msg = f"{path} refers to a mesh that is not there: {resolved}"
        raise InvalidFileError(msg)
    return str(resolved)


def _resolve_meshes(robot: ET.Element, path: Path, model: VendorModel) -> None:
    for link in robot.iterfind("link"):
        for shape in [child for child in link if child.tag in {"visual", "collision"}]:
            mesh = shape.find("geometry/mesh")
            if mesh is None:
                continue
            filename = mesh.get("filename", "")
            files = model.meshes.get(filename, (filename,))
            for file in files[1:]:
                mesh.set("filename", _mesh_path(file, path, model))
                link.append(ET.fromstring(ET.tostring(shape)))  # noqa: S314 - a copy of our own tree
            mesh.set("filename", _mesh_path(files[0], path, model))


def _correct_joints(robot: ET.Element, model: VendorModel, path: Path) -> None:
    for name, rpy in model.joint_rpy.items():
        joint = _by_name(robot, "joint", name, path)
        origin = joint.find("origin")
        if origin is None:
            origin = ET.SubElement(joint, "origin", xyz="0 0 0")
        origin.set("rpy", " ".join(map(repr, rpy)))


def _correct_masses(robot: ET.Element, model: VendorModel, path: Path) -> None:
    for name, value in model.masses.items():
        link = _by_name(robot, "link", name, path)
        mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
        if mass is None or inertia is None:
            msg = f"{path}: {name} has no inertia that could be scaled"
            raise InvalidFileError(msg)
        scale = value / float(mass.get("value", "nan"))
        mass.set("value", repr(value))
        for key, component in inertia.items():
            inertia.set(key, repr(float(component) * scale))


def _rename(robot: ET.Element, model: VendorModel, path: Path) -> None:
    for name in model.rename:
        _by_name(robot, "link", name, path)
    for link in robot.iterfind("link"):
        link.set("name", model.rename.get(link.get("name", ""), link.get("name", "")))
    for end in (end for joint in robot.iterfind("joint") for end in joint if end.tag in {"parent", "child"}):
        end.set("link", model.rename.get(end.get("link", ""), end.get("link", "")))
