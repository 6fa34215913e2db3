from setuptools import find_packages, setup

setup(
    name="skillet_sim",
    version="0.1.0",
    description="MuJoCo behind the contract of the real robots and cameras.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_sim": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_sim"]),
        ("share/skillet_sim", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={"console_scripts": ["sim_node = skillet_sim.sim_node:main"]},
)
