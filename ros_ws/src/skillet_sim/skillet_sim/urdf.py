"""What the simulator needs of a URDF beyond what MuJoCo imports itself: shapes, colours, mimic joints."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Pose

_SAME = 1e-6


@dataclass(frozen=True)
class Shape:
    """A visual or collision shape of a link.

    Attributes:
        link: that it belongs to.
        kind: URDF's kinds, and ``capsule``.
        pose: in the link's frame; cylinders and capsules lie along z.
        size: box: side lengths; sphere: radius; cylinder and capsule: radius, length [m]
            (a capsule's without its caps); mesh: scale along x, y, z.
        mesh: file, for meshes.
        rgba: each 0 to 1; None: the URDF does not say.
    """

    link: str
    kind: Literal["box", "sphere", "cylinder", "capsule", "mesh"]
    pose: Pose
    size: tuple[float, ...]
    mesh: Path | None = None
    rgba: tuple[float, ...] | None = None


def shapes(robot: ET.Element, role: Literal["visual", "collision"]) -> Iterator[Shape]:
    """Yield every shape of a role in a robot's URDF.

    Raises:
        InvalidFileError: a shape is of no kind that URDF knows.
    """
    materials = {m.get("name", ""): m for m in robot.iterfind("material") if m.find("color") is not None}
    for link in robot.iterfind("link"):
        for element in link.iterfind(role):
            yield _shape(link.get("name", ""), element, materials)


def joint_values(robot: ET.Element, joint: str, element: str, attribute: str) -> float:
    """Return a number from a joint, e.g. ``limit``'s ``velocity``.

    Raises:
        InvalidFileError: there is no such joint, or it does not say.
    """
    found = robot.find(f"joint[@name='{joint}']/{element}")
    if found is None or attribute not in found.attrib:
        msg = f"the URDF has no {attribute} in <{element}> of joint {joint}"
        raise InvalidFileError(msg)
    return float(found.attrib[attribute])


def merge_capsules(parts: list[Shape]) -> list[Shape]:
    """Replace each cylinder with a sphere of its radius at both ends by one capsule.

    One shape instead of three is a third of the collision checks.
    """
    merged, used = [], set()
    for shape in parts:
        if shape.kind != "cylinder":
            continue
        radius, length = shape.size
        caps = [_cap(parts, shape, end * length / 2) for end in (-1, 1)]
        if None in caps:
            continue
        used |= {id(shape), *map(id, caps)}
        merged.append(Shape(shape.link, "capsule", shape.pose, (radius, length), rgba=shape.rgba))
    return merged + [shape for shape in parts if id(shape) not in used]


def _cap(parts: list[Shape], cylinder: Shape, z: float) -> Shape | None:
    for shape in parts:
        if shape.kind == "sphere" and shape.link == cylinder.link:
            offset = cylinder.pose.inverse().apply(shape.pose.position)
            same_radius = abs(shape.size[0] - cylinder.size[0]) < _SAME
            if same_radius and abs(offset - (0.0, 0.0, z)).max() < 1e-3:  # noqa: PLR2004 - one millimetre
                return shape
    return None


def _numbers(element: ET.Element, attribute: str, default: str) -> tuple[float, ...]:
    return tuple(map(float, element.get(attribute, default).split()))


def _shape(link: str, element: ET.Element, materials: dict[str, ET.Element]) -> Shape:
    origin = element.find("origin")
    pose = (
        Pose.identity()
        if origin is None
        else Pose.from_xyz_rpy(_numbers(origin, "xyz", "0 0 0"), _numbers(origin, "rpy", "0 0 0"))
    )
    rgba = _color(element.find("material"), materials)
    match geometry := element.find("geometry/*"):
        case ET.Element(tag="box"):
            return Shape(link, "box", pose, _numbers(geometry, "size", ""), rgba=rgba)
        case ET.Element(tag="sphere"):
            return Shape(link, "sphere", pose, _numbers(geometry, "radius", ""), rgba=rgba)
        case ET.Element(tag="cylinder"):
            size = (*_numbers(geometry, "radius", ""), *_numbers(geometry, "length", ""))
            return Shape(link, "cylinder", pose, size, rgba=rgba)
        case ET.Element(tag="mesh"):
            file = Path(geometry.get("filename", "").removeprefix("file://"))
            return Shape(link, "mesh", pose, _numbers(geometry, "scale", "1 1 1"), file, rgba)
        case _:
            msg = f"link {link} has a {element.tag} that is not a box, sphere, cylinder or mesh"
            raise InvalidFileError(msg)


def _color(material: ET.Element | None, materials: dict[str, ET.Element]) -> tuple[float, ...] | None:
    if material is None:
        return None
    color = material.find("color")
    if color is None and (shared := materials.get(material.get("name", ""))) is not None:
        color = shared.find("color")
    return None if color is None else _numbers(color, "rgba", "")
