from setuptools import find_packages, setup

setup(
    name="skillet_control",
    version="0.1.0",
    description="Controllers and the safety filter in front of every hardware.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_control": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_control"]),
        ("share/skillet_control", ["package.xml"]),
    ],
    entry_points={"console_scripts": ["robot_state_node = skillet_control.robot_state_node:main"]},
    zip_safe=False,
)
