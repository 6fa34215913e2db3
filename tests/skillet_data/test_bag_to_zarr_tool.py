from __future__ import annotations

import zarr

import bag_to_zarr

SPEC = """
name: test
rate: 10.0
observations:
  - {kind: joint_positions, key: joints}
"""


def test_the_tool_converts_every_finished_episode_of_a_folder(tmp_path, record, open_writer, capsys):
    episodes, spec = tmp_path / "episodes", tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    record(episodes, seconds=1.0)
    record(episodes, seconds=1.0)
    open_writer(episodes, "20261121-040000-blocks")
    arguments = [str(episodes), "--spec", str(spec), "--output", str(tmp_path / "set.zarr")]
    assert bag_to_zarr.main(arguments) == 0
    assert "2 episodes, 20 rows" in capsys.readouterr().out
    assert zarr.open_group(tmp_path / "set.zarr", mode="r")["data/joints"].shape[0] == 20
    assert bag_to_zarr.main(arguments) == 1
    assert "exists already" in capsys.readouterr().err


def test_the_tool_says_why_an_episode_was_left_out(tmp_path, record, capsys):
    episodes, spec = tmp_path / "episodes", tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    record(episodes, seconds=1.0)
    failed = record(episodes, seconds=1.0, success=False)
    assert bag_to_zarr.main([str(episodes), "--spec", str(spec), "--output", str(tmp_path / "set.zarr")]) == 0
    assert f"left out {failed.name}: its task failed: dropped" in capsys.readouterr().err
