from setuptools import find_packages, setup

setup(
    name="skillet_ros",
    version="0.1.0",
    description="What every Skillet node shares: parameters, quality of service, message conversion.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_ros": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_ros"]),
        ("share/skillet_ros", ["package.xml"]),
    ],
    zip_safe=False,
)
