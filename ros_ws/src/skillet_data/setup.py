from setuptools import find_packages, setup

setup(
    name="skillet_data",
    version="0.1.0",
    description="Episodes as rosbags, data sets as zarr, reports.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_data": ["py.typed", "templates/*.j2"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_data"]),
        ("share/skillet_data", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={"console_scripts": ["recorder_node = skillet_data.recorder_node:main"]},
)
