"""The frames of a URDF: each joint's transform from its parent link to its child, by joint position.

Only the kinematic tree is read; inertias and shapes are none of this module's business.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.geometry import Array

_TURNING = ("revolute", "continuous")
_SLIDING = ("prismatic",)


@dataclass(frozen=True)
class FrameLink:
    """One joint of the tree. ``source`` is the joint whose position moves it; itself unless it mimics."""

    joint: str
    kind: str
    parent: str
    child: str
    xyz: tuple[float, ...]
    rpy: tuple[float, ...]
    axis: tuple[float, ...]
    source: str
    factor: float
    offset: float

    @property
    def fixed(self) -> bool:
        """Whether it never moves."""
        return self.kind == "fixed"


@dataclass(frozen=True, eq=False)
class Transforms:
    """Transforms of m joints, each from its parent frame to its child frame.

    Attributes:
        parents: m frames.
        children: m frames.
        translations: shape (m, 3) [m].
        quaternions: shape (m, 4), x, y, z, w.
    """

    parents: tuple[str, ...]
    children: tuple[str, ...]
    translations: Array
    quaternions: Array


def _numbers(element: ET.Element | None, attribute: str, default: str) -> tuple[float, ...]:
    text = default if element is None else element.get(attribute, default)
    return tuple(float(word) for word in text.split())


def _read_joint(element: ET.Element) -> FrameLink:
    name, kind = element.get("name", ""), element.get("type", "")
    if kind not in (*_TURNING, *_SLIDING, "fixed"):
        raise InvalidFileError(
            f"joint {name!r} of the URDF is of type {kind!r}; fixed, revolute, continuous and prismatic ones "
            "are supported"
        )
    parent, child, mimic = element.find("parent"), element.find("child"), element.find("mimic")
    if parent is None or child is None:
        raise InvalidFileError(f"joint {name!r} of the URDF lacks its parent or child link")
    origin = element.find("origin")
    axis = np.array(_numbers(element.find("axis"), "xyz", "1 0 0"))
    return FrameLink(
        joint=name,
        kind=kind,
        parent=parent.get("link", ""),
        child=child.get("link", ""),
        xyz=_numbers(origin, "xyz", "0 0 0"),
        rpy=_numbers(origin, "rpy", "0 0 0"),
        axis=tuple((axis / np.linalg.norm(axis)).tolist()) if kind != "fixed" else (1.0, 0.0, 0.0),
        source=name if mimic is None else mimic.get("joint", ""),
        factor=1.0 if mimic is None else float(mimic.get("multiplier", "1")),
        offset=0.0 if mimic is None else float(mimic.get("offset", "0")),
    )


def read_urdf(text: str) -> tuple[FrameLink, ...]:
    """Read the joints of a URDF.

    Raises:
        InvalidFileError: it is not XML, not a robot, or has a joint that cannot be placed.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314  (the standard library's expat refuses entity bombs)
    except ET.ParseError as error:
        raise InvalidFileError(f"the robot description is not XML: {error}") from error
    if root.tag != "robot":
        raise InvalidFileError(f"the robot description is a <{root.tag}>, not a URDF's <robot>")
    try:
        links = tuple(_read_joint(element) for element in root.findall("joint"))
    except ValueError as error:
        raise InvalidFileError(f"the URDF has a joint with unreadable numbers: {error}") from error
    names = {link.joint for link in links}
    for link in links:
        if link.source not in names:
            raise InvalidFileError(f"joint {link.joint!r} mimics {link.source!r}, which the URDF lacks")
    return links


def multiply_quaternions(a: Array, b: Array) -> Array:
    """Return the Hamilton products of quaternions x, y, z, w, shape (m, 4) each."""
    av, aw, bv, bw = a[:, :3], a[:, 3:], b[:, :3], b[:, 3:]
    vector = aw * bv + bw * av + np.cross(av, bv)
    return np.hstack([vector, aw * bw - np.sum(av * bv, axis=1, keepdims=True)])


class JointFrames:
    """The transforms of some joints as a function of the positions that move them, vectorised."""

    def __init__(self, links: Sequence[FrameLink]) -> None:
        """Take the joints; fixed ones may be among them."""
        self.parents = tuple(link.parent for link in links)
        self.children = tuple(link.child for link in links)
        self._moving = np.array([float(not link.fixed) for link in links])
        self._turning = np.array([float(link.kind in _TURNING) for link in links])
        self._factors = np.array([link.factor for link in links]) * self._moving
        self._offsets = np.array([link.offset for link in links]) * self._moving
        self._origins = np.array([link.xyz for link in links]).reshape(-1, 3)
        rotations = Rotation.from_euler("xyz", np.array([link.rpy for link in links]).reshape(-1, 3))
        self._rotations = rotations.as_quat()
        self._axes = np.array([link.axis for link in links]).reshape(-1, 3)
        slides = rotations.apply(self._axes)
        self._slides = slides * ((1.0 - self._turning) * self._moving)[:, np.newaxis]
        self.sources = tuple(dict.fromkeys(link.source for link in links if not link.fixed))
        index = {name: k for k, name in enumerate(self.sources)}
        self._index = np.array([index.get(link.source, 0) for link in links], dtype=np.intp)

    def at(self, positions: Array) -> Transforms:
        """Return the transforms at the positions of ``sources``, in their order [rad] or [m]."""
        values = positions[self._index] if len(self.sources) else np.zeros(len(self.parents))
        values = values * self._factors + self._offsets
        half = 0.5 * values * self._turning
        turns = np.hstack([self._axes * np.sin(half)[:, np.newaxis], np.cos(half)[:, np.newaxis]])
        return Transforms(
            self.parents,
            self.children,
            self._origins + self._slides * values[:, np.newaxis],
            multiply_quaternions(self._rotations, turns),
        )


class UrdfTree:
    """A URDF's kinematic tree."""

    def __init__(self, text: str) -> None:
        """Read a URDF.

        Raises:
            InvalidFileError: as for `read_urdf`.
        """
        self._links = read_urdf(text)
        self._to = {link.child: link for link in self._links}
        self.fixed = JointFrames([link for link in self._links if link.fixed])
        self.moving = JointFrames([link for link in self._links if not link.fixed])

    @property
    def frames(self) -> tuple[str, ...]:
        """Every link, the root included."""
        return tuple(dict.fromkeys(name for link in self._links for name in (link.parent, link.child)))

    def moving_for(self, known: Mapping[str, float]) -> JointFrames:
        """Return the moving joints whose sources are known."""
        return JointFrames([link for link in self._links if not link.fixed and link.source in known])

    def chain(self, base: str, tip: str) -> tuple[FrameLink, ...]:
        """Return the joints from one link to another below it.

        Raises:
            UnknownNameError: there is no such link, or the tip is not below the base.
        """
        for frame in (base, tip):
            if frame not in self.frames:
                raise UnknownNameError("frame", frame, self.frames)
        links: list[FrameLink] = []
        frame = tip
        while frame != base:
            if frame not in self._to:
                raise UnknownNameError(f"frame below {base!r}", tip, self.frames)
            links.append(self._to[frame])
            frame = self._to[frame].parent
        return tuple(reversed(links))

    def position_of(self, tip: str, base: str, joint_names: Sequence[str]) -> Callable[[Array], Array]:
        """Return forward kinematics: joint positions (n,) to the tip's position in the base frame (3,).

        Args:
            tip: frame to place.
            base: frame to express it in; above the tip.
            joint_names: order of the positions. Other joints on the way stay at 0.

        Raises:
            UnknownNameError: as for `chain`.
        """
        frames = JointFrames(self.chain(base, tip))
        order = [joint_names.index(name) if name in joint_names else -1 for name in frames.sources]

        def position(positions: Array) -> Array:
            padded = np.append(positions, 0.0)
            transforms = frames.at(padded[order])
            rotations = Rotation.from_quat(transforms.quaternions).as_matrix()
            point = np.zeros(3)
            for rotation, translation in zip(rotations[::-1], transforms.translations[::-1], strict=True):
                point = rotation @ point + translation
            return point

        return position
