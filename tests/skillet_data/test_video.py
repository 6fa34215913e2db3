import av
import numpy as np

from skillet_data.video import write_video


def test_a_video_has_the_frames_the_size_and_the_rate_it_was_given(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    frames = [np.full((48, 64, 3), colour, np.uint8) for colour in colours for _ in range(5)]
    assert write_video(tmp_path / "v.mp4", frames, 15.0) == 15
    with av.open(str(tmp_path / "v.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 64, 48)
        assert float(stream.average_rate) == 15.0
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(decoded) == 15
    for image, (k, colour) in zip(decoded[2::5], enumerate(colours), strict=True):
        assert np.abs(image.mean(axis=(0, 1)) - colour).max() < 12, k


def test_no_frames_give_no_frames(tmp_path):
    assert write_video(tmp_path / "v.mp4", [], 15.0) == 0
