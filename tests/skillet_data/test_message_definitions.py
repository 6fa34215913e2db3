from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from skillet_core.errors import UnknownNameError
from skillet_data.message_definitions import message_definition

INSTALLED = Path(sys.prefix)


@pytest.mark.parametrize(
    "name", ["sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo", "trajectory_msgs/msg/JointTrajectory"]
)
def test_the_type_hash_is_the_one_that_rosidl_computed(name):
    package, _, message = name.split("/")
    described = json.loads((INSTALLED / "share" / package / "msg" / f"{message}.json").read_text())
    hashes = {entry["type_name"]: entry["hash_string"] for entry in described["type_hashes"]}
    assert message_definition(name, [INSTALLED]).digest == hashes[name]


def test_the_text_holds_each_needed_type_once_behind_a_rule():
    text = message_definition("sensor_msgs/msg/CameraInfo", [INSTALLED]).text
    rules = [line for line in text.splitlines() if line.startswith("MSG: ")]
    assert rules == [
        "MSG: std_msgs/Header",
        "MSG: sensor_msgs/RegionOfInterest",
        "MSG: builtin_interfaces/Time",
    ]


def test_an_unknown_type_is_refused_and_the_nearest_is_named():
    with pytest.raises(UnknownNameError, match="sensor_msgs/msg/Image"):
        message_definition("sensor_msgs/msg/Imagee", [INSTALLED])
