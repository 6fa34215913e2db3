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
    zip_safe=False,
)
