from setuptools import find_packages, setup

setup(
    name="skillet_planner",
    version="0.1.0",
    description="From a sentence to a task tree, and its execution.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_planner": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_planner"]),
        ("share/skillet_planner", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={"console_scripts": ["planner_node = skillet_planner.planner_node:main"]},
)
