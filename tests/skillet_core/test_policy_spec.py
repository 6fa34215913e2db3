from __future__ import annotations

import pytest

from skillet_core.errors import InvalidFileError
from skillet_core.policy_spec import load_policy_spec

SPEC = """
name: test
rate: 4.0
observations:
  - {kind: joint_positions, key: joints}
  - {kind: color, key: front, camera: front}
"""


def write(tmp_path, text: str):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    return path


def test_the_demos_spec_is_valid_and_reads_both_cameras():
    topics = load_policy_spec("demo").topics
    assert {"camera/front/color/image_raw", "camera/wrist/color/image_raw", "joint_states"} <= set(topics)


def test_an_action_is_due_one_period_after_its_observation_unless_said_otherwise(tmp_path):
    assert load_policy_spec(write(tmp_path, SPEC)).action_offset == 0.25
    assert load_policy_spec(write(tmp_path, SPEC + "action: {offset: 0.0}")).action_offset == 0.0


def test_topics_are_listed_once(tmp_path):
    topics = load_policy_spec(write(tmp_path, SPEC)).topics
    assert len(topics) == len(set(topics)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SPEC.replace("rate: 4.0", "rate: 0"), "rate"),
        (SPEC.replace("key: front", "key: joints"), "used twice: joints"),
        (SPEC.replace("key: front", "key: action"), "used twice: action"),
        (SPEC.replace("kind: color", "kind: smell"), "smell"),
        (SPEC.replace("camera: front", "camera: front, size: [0, 4]"), "size"),
        (SPEC + "horizon: 16", "horizon"),
        ("name: [", "not valid YAML"),
    ],
)
def test_a_spec_that_does_not_fit_says_where(tmp_path, text, said):
    with pytest.raises(InvalidFileError, match=said):
        load_policy_spec(write(tmp_path, text))


def test_a_spec_that_is_not_there_is_named():
    with pytest.raises(InvalidFileError, match="sniff"):
        load_policy_spec("sniff")
