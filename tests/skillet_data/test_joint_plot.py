import numpy as np
from lxml import etree

from skillet_core.robot import load_robot
from skillet_data.joint_plot import JointSeries, joint_plot_svg


def test_the_plot_is_svg_that_names_every_joint_every_step_and_the_largest_share_of_the_limits():
    robot = load_robot("panda")
    times = np.linspace(0.0, 2.0, 50)
    positions = np.tile(robot.home, (50, 1))
    velocities = np.zeros((50, 7))
    velocities[25, 3] = 0.5 * robot.max_velocity[3]
    svg = joint_plot_svg(JointSeries(times, positions, velocities, (("grasp(red_block)", 0.2, 1.0),)), robot)
    assert etree.fromstring(svg.encode()).tag.endswith("svg")
    for name in robot.joint_names:
        assert name in svg
    assert "grasp(red_block)" in svg
    assert "largest: 50 % of the limit" in svg
