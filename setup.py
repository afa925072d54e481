"""What pyproject.toml cannot say: a wheel holds artifacts/ inside the package, as `ser_core/artifacts`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ser_core", "ser_core.*"]), "ser_core.artifacts"],
    package_dir={"ser_core.artifacts": "artifacts"},
    package_data={"ser_core": ["**/*.png", "**/*.html", "**/*.svg"], "ser_core.artifacts": ["**"]},
    include_package_data=False,
)
