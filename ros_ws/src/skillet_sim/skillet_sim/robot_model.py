"""From a `RobotDescription` to its URDF, and from the URDF to a MuJoCo specification.

The URDF is the single source: MuJoCo imports joints, limits, frames and inertias from the very text
that is published as ``robot_description``, so the two agree by construction. What a URDF cannot say
(drives, armature, contact parameters, cheaper shapes) is added from the robot's YAML and here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import mujoco
import numpy as np
import xacro

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.resources import share_dir
from skillet_core.robot import RobotDescription
from skillet_sim import urdf
from skillet_sim.meshes import collision_hull, visual_submeshes
from skillet_sim.vendor import vendor_file

VISUAL_GROUP, COLLISION_GROUP = 2, 3
"""MuJoCo's geometry groups; renderers show the first and hide the second."""
GRIPPER_ACTUATOR = "gripper"
_SHELL = int(mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
_GEOM_TYPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "mesh": mujoco.mjtGeom.mjGEOM_MESH,
}
_PAD_FRICTION = (1.2, 0.02, 0.0005)
_GREY = (0.7, 0.7, 0.7, 1.0)
# A stiff constraint within the time step's stability: see MuJoCo's documentation of solref.
_STIFF_SOLREF, _STIFF_SOLIMP = (0.004, 1.0), (0.99, 0.999, 0.001, 0.5, 2.0)


def compose_urdf(robot: RobotDescription) -> str:
    """Return the robot's URDF: arm, gripper and cameras, mesh paths absolute as ``file://``.

    Raises:
        SkilletError: a package with a model is not installed; the message says which.
        InvalidFileError: the xacro files do not give a URDF.
    """
    folder = share_dir() / "urdf"
    arguments = {"robot": str(folder / "robots" / f"{robot.name}.yaml")}
    arguments["gripper_xacro"] = str(folder / robot.gripper.xacro)
    for argument, model in {**robot.models, **robot.gripper.models}.items():
        arguments[argument] = str(vendor_file(model))
    source = folder / robot.xacro
    try:
        document = xacro.process_file(str(source), mappings=arguments)
    except (xacro.XacroException, OSError) as error:
        msg = f"{source} does not give a URDF: {error}"
        raise InvalidFileError(msg) from error
    tree = ET.fromstring(document.toxml())  # noqa: S314 - made by xacro from our own files
    for mesh in tree.iter("mesh"):
        mesh.set("filename", f"file://{mesh.get('filename')}")
    ET.indent(tree)
    return ET.tostring(tree, encoding="unicode", xml_declaration=True)


def robot_spec(robot: RobotDescription) -> mujoco.MjSpec:
    """Return the robot alone as an editable MuJoCo specification, names as in the URDF.

    Visual geometry is in `VISUAL_GROUP` and does not collide; collision geometry is in
    `COLLISION_GROUP`. Every body's weight is compensated, as real arms do. Joints have position
    actuators of the same name; the gripper has one, `GRIPPER_ACTUATOR`, whose length is the
    driven joint's position.

    Raises:
        SkilletError: see `compose_urdf`.
        UnknownNameError: the description names a joint or link that the URDF does not have.
    """
    tree = ET.fromstring(compose_urdf(robot))  # noqa: S314 - composed above
    spec = _import_skeleton(tree, robot)
    for shape in urdf.shapes(tree, "visual"):
        _add_visual(spec, shape)
    for shape in urdf.shapes(tree, "collision"):
        _add_collision(spec, shape, is_pad=shape.link in robot.gripper.finger_links)
    for body in spec.bodies:
        body.gravcomp = 1.0
    _add_arm_drives(spec, robot)
    _add_gripper_drive(spec, robot)
    _add_exclusions(spec, robot)
    _add_sites_and_cameras(spec, robot)
    return spec


def _import_skeleton(tree: ET.Element, robot: RobotDescription) -> mujoco.MjSpec:
    """Let MuJoCo import everything but the shapes, which are added afterwards."""
    bare = ET.fromstring(ET.tostring(tree))  # noqa: S314 - a copy
    for link in bare.iterfind("link"):
        for shape in [child for child in link if child.tag in {"visual", "collision"}]:
            link.remove(shape)
    extension = ET.SubElement(bare, "mujoco")
    ET.SubElement(extension, "compiler", fusestatic="false", discardvisual="false", strippath="false")
    spec = mujoco.MjSpec.from_string(ET.tostring(bare, encoding="unicode"))
    joints = [joint.name for joint in spec.joints]
    for name in (*robot.joint_names, *robot.gripper.joint_names):
        if name not in joints:
            raise UnknownNameError(f"joint of {robot.name}", name, joints)
    bodies = [body.name for body in spec.bodies]
    for name in (robot.base_frame, robot.flange_frame, robot.gripper.grasp_frame, *robot.gripper.links):
        if name not in bodies:
            raise UnknownNameError(f"link of {robot.name}", name, bodies)
    return spec


def _quaternion(pose: Pose) -> tuple[float, float, float, float]:
    """Return a pose's orientation in MuJoCo's order w, x, y, z."""
    x, y, z, w = pose.quaternion
    return (w, x, y, z)


def _add_visual(spec: mujoco.MjSpec, shape: urdf.Shape) -> None:
    if shape.mesh is None:
        geom = _add_geom(spec, shape)
        geom.rgba = shape.rgba or _GREY
        _make_visual(geom)
        return
    for part in visual_submeshes(shape.mesh, max(shape.size)):
        name = _add_mesh(spec, str(part.file), part.file.stem, shape.size)
        geom = _add_geom(spec, shape, name)
        geom.rgba = part.rgba or shape.rgba or _GREY
        _make_visual(geom)


def _make_visual(geom: mujoco.MjsGeom) -> None:
    geom.contype, geom.conaffinity, geom.group, geom.mass = 0, 0, VISUAL_GROUP, 0.0


def _add_collision(spec: mujoco.MjSpec, shape: urdf.Shape, *, is_pad: bool) -> None:
    name = ""
    if shape.mesh is not None:
        hull = collision_hull(shape.mesh)
        name = _add_mesh(spec, str(hull), f"{hull.stem}-hull", shape.size)
    geom = _add_geom(spec, shape, name)
    geom.group, geom.mass, geom.rgba = COLLISION_GROUP, 0.0, (0.2, 0.8, 0.4, 0.4)
    if is_pad:
        # rubber: resists turning about the normal too; its own parameters rule in every contact
        geom.condim, geom.friction, geom.priority = 4, _PAD_FRICTION, 1
        geom.solref, geom.solimp = _STIFF_SOLREF, (0.95, 0.99, 0.001, 0.5, 2.0)


def _add_mesh(spec: mujoco.MjSpec, file: str, name: str, scale: tuple[float, ...]) -> str:
    """Add a mesh asset unless the same file at the same scale is there; return its name."""
    if len(set(scale)) > 1 or scale[0] != 1.0:
        name = f"{name}-{'x'.join(f'{s:g}' for s in scale)}"
    if spec.mesh(name) is None:
        mesh = spec.add_mesh(name=name, file=file, scale=scale)
        mesh.inertia = _SHELL  # thin and open parts have no volume that MuJoCo accepts
    return name


def _add_geom(spec: mujoco.MjSpec, shape: urdf.Shape, mesh: str = "") -> mujoco.MjsGeom:
    geom = spec.body(shape.link).add_geom(type=_GEOM_TYPES[shape.kind])
    geom.pos, geom.quat = shape.pose.position, _quaternion(shape.pose)
    match shape.kind:
        case "mesh":
            geom.meshname = mesh
        case "box":
            geom.size = np.array(shape.size) / 2
        case "sphere":
            geom.size = (shape.size[0], 0.0, 0.0)
        case "cylinder":
            geom.size = (shape.size[0], shape.size[1] / 2, 0.0)
    return geom


def _add_arm_drives(spec: mujoco.MjSpec, robot: RobotDescription) -> None:
    """Add drives: effort = stiffness (command - position) - damping velocity, within its limit.

    With ``command = q* + damping / stiffness * v*`` this is a position and velocity servo about
    the reference (q*, v*).
    """
    for joint in robot.joints:
        element = spec.joint(joint.name)
        element.armature = joint.armature
        drive = spec.add_actuator(name=joint.name, target=joint.name)
        drive.trntype = mujoco.mjtTrn.mjTRN_JOINT
        drive.set_to_position(kp=joint.stiffness, kv=joint.damping)
        drive.forcelimited, drive.forcerange = 1, (-joint.max_effort, joint.max_effort)


def _add_gripper_drive(spec: mujoco.MjSpec, robot: RobotDescription) -> None:
    """Couple the gripper's joints and drive their mean, so that both fingers push alike."""
    gripper = robot.gripper
    for name in gripper.joint_names:
        spec.joint(name).armature = gripper.armature
    for name, factor in gripper.mimic.items():
        follow = spec.add_equality(name=f"{name}_mimic", name1=name, name2=gripper.joint)
        follow.type, follow.objtype = mujoco.mjtEq.mjEQ_JOINT, mujoco.mjtObj.mjOBJ_JOINT
        follow.data[:5] = (0.0, factor, 0.0, 0.0, 0.0)
        follow.solref, follow.solimp = _STIFF_SOLREF, _STIFF_SOLIMP
    fingers = {gripper.joint: 1.0, **gripper.mimic}
    tendon = spec.add_tendon(name=GRIPPER_ACTUATOR)
    for name, factor in fingers.items():
        tendon.wrap_joint(name, 1.0 / (factor * len(fingers)))
    drive = spec.add_actuator(name=GRIPPER_ACTUATOR, target=GRIPPER_ACTUATOR)
    drive.trntype = mujoco.mjtTrn.mjTRN_TENDON
    drive.set_to_position(kp=gripper.stiffness, kv=gripper.damping)
    effort = gripper.drive_effort(gripper.opening_to_joint[0][1], gripper.max_force)
    drive.forcelimited, drive.forcerange = 1, (-effort, effort)


def _add_exclusions(spec: mujoco.MjSpec, robot: RobotDescription) -> None:
    """Leave out contacts that are there by design: neighbours at the base, the gripper with itself."""
    links = robot.gripper.links
    pairs = {*robot.ignored_collisions, *((a, b) for i, a in enumerate(links) for b in links[i + 1 :])}
    for first, second in sorted(pairs):
        spec.add_exclude(name=f"{first}-{second}", bodyname1=first, bodyname2=second)


def _add_sites_and_cameras(spec: mujoco.MjSpec, robot: RobotDescription) -> None:
    frame = robot.gripper.grasp_frame
    spec.body(frame).add_site(name=frame, size=(0.005, 0.005, 0.005), group=COLLISION_GROUP)
    for camera in robot.cameras:
        # MuJoCo's cameras look along -z with y up, optical frames along z with y down
        view = spec.body(camera.optical_frame).add_camera(name=camera.name, quat=(0.0, 1.0, 0.0, 0.0))
        view.fovy = np.rad2deg(camera.vertical_fov)
