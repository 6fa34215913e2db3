from setuptools import find_packages, setup

setup(
    name="skillet_core",
    version="0.1.0",
    description="Types, robot and task descriptions, task trees and specifications.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_core": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_core"]),
        ("share/skillet_core", ["package.xml"]),
    ],
    zip_safe=False,
)
