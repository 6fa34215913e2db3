from setuptools import find_packages, setup

setup(
    name="skillet_cli",
    version="0.1.0",
    description="The skillet command: launch, demo.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"skillet_cli": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/skillet_cli"]),
        ("share/skillet_cli", ["package.xml"]),
    ],
    entry_points={"console_scripts": ["skillet = skillet_cli.main:main"]},
    zip_safe=False,
)
