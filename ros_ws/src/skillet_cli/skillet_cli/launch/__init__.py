"""``skillet launch``: runs ``.launch.xml`` files without a full ROS 2 installation.

`read_launch` turns a file and its arguments into a list of `ProcessDescription`; `Supervisor` runs them.
"""

from skillet_cli.launch.arguments import DeclaredArgument, declared_arguments, parse_given
from skillet_cli.launch.description import NodeOptions, ProcessDescription, Respawn
from skillet_cli.launch.errors import LaunchError, SubstitutionError
from skillet_cli.launch.reader import find_launch_file, read_launch
from skillet_cli.launch.shared_memory import remove_abandoned_segments
from skillet_cli.launch.supervisor import Supervisor

__all__ = [
    "DeclaredArgument",
    "LaunchError",
    "NodeOptions",
    "ProcessDescription",
    "Respawn",
    "SubstitutionError",
    "Supervisor",
    "declared_arguments",
    "find_launch_file",
    "parse_given",
    "read_launch",
    "remove_abandoned_segments",
]
