"""Images to an MP4 that every browser plays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


def write_video(path: Path, frames: Iterable[npt.NDArray[np.uint8]], rate: float) -> int:
    """Encode frames as H.264.

    Args:
        path: file to write, ``.mp4``.
        frames: rgb8 images of one size, shape (h, w, 3), with even h and w.
        rate: frames per second.

    Returns:
        How many frames were written.
    """
    count = 0
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"}
        for image in frames:
            if not count:  # the first frame opens the codec
                stream.height, stream.width = image.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            count += 1
        if count:
            container.mux(stream.encode(None))
    return count
