"""What the simulator needs of a URDF beyond what MuJoCo imports itself: shapes, colours, mimic joints."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Pose


@dataclass(frozen=True)
class Shape:
    """A visual or collision shape of a link.

    Attributes:
        link: that it belongs to.
        kind: as URDF has them.
        pose: in the link's frame; cylinders lie along z.
        size: box: side lengths; sphere: radius; cylinder: radius, length [m]; mesh: scale along x, y, z.
        mesh: file, for meshes.
        rgba: each 0 to 1; None: the URDF does not say.
    """

    link: str
    kind: Literal["box", "sphere", "cylinder", "mesh"]
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
