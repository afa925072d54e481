"""What the registry knows of a model."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A model that can be run.

    `presets["default"]` holds our own parameters, `presets["study"]` the original authors' where they had the model.
    """

    key: str
    name: str
    family: str  # "classical" or "ensemble"
    about: str  # one sentence for someone who meets it for the first time
    build: Callable[[str, dict, int], object]  # preset name, its parameters, seed -> an unfitted classifier
    presets: dict[str, dict]
