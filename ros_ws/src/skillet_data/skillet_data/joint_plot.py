"""A picture of the arm's motion against its limits."""

from __future__ import annotations

import io
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np

from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription

mpl.use("svg")
from matplotlib import pyplot as plt


@dataclass(frozen=True, eq=False)
class JointSeries:
    """Arm joints over time, in the robot description's order.

    Attributes:
        times: shape (k,) [s].
        positions: shape (k, n) [rad].
        velocities: shape (k, n) [rad/s].
        spans: (label, start, end) of the sub-tasks on the same time axis [s].
    """

    times: Array
    positions: Array
    velocities: Array
    spans: tuple[tuple[str, float, float], ...] = ()


def joint_plot_svg(series: JointSeries, robot: RobotDescription) -> str:
    """Draw positions and velocities, each as a share of its limit, as an SVG element.

    A position of 1 is the upper limit, -1 the lower; a velocity of 1 is the highest allowed.
    """
    middle, half = (robot.upper + robot.lower) / 2, (robot.upper - robot.lower) / 2
    panels = (
        ("position / limit", (series.positions - middle) / half),
        ("velocity / limit", series.velocities / robot.max_velocity),
    )
    with mpl.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}):
        figure, axes = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
        for axis, (title, values) in zip(axes, panels, strict=True):
            for k, name in enumerate(robot.joint_names):
                axis.plot(series.times, values[:, k], lw=1.2, label=name)
            for limit in (-1.0, 1.0):
                axis.axhline(limit, color="crimson", lw=1, ls="--")
            for k, (_, start, end) in enumerate(series.spans):
                axis.axvspan(start, end, color="0.5", alpha=0.10 if k % 2 else 0.20, lw=0)
            peak = float(np.abs(values).max(initial=0.0))
            axis.set(ylabel=title, ylim=(-1.15, 1.15))
            axis.set_title(f"largest: {100 * peak:.0f} % of the limit", loc="right", fontsize=8, color="0.4")
            axis.grid(alpha=0.2)
            axis.spines[["top", "right"]].set_visible(False)
        for label, start, end in series.spans:
            axes[0].text((start + end) / 2, 1.02, label, ha="center", va="bottom", fontsize=7, color="0.3")
        axes[1].set_xlabel("time in the episode [s]")
        axes[0].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        plt.close(figure)
    svg = out.getvalue()
    return svg[svg.index("<svg") :]
