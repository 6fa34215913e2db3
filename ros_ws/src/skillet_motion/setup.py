from setuptools import find_packages, setup

setup(
    name="skillet_motion",
    version="0.1.0",
    description="Kinematics, motion planning and skills.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_motion": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_motion"]),
        ("share/skillet_motion", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "move_group_node = skillet_motion.move_group_node:main",
            "skill_node = skillet_motion.skill_node:main",
        ]
    },
)
