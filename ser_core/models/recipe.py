"""What an experiment is, in one value: the model, its features and parameters, and where those come from."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

# Where parameters come from. `own`: someone chose some of them by hand; `nested`: each fold searches its own.
ORIGINS = ("default", "study", "tuned", "nested", "own")


@dataclass(frozen=True)
class Recipe:
    """A model, its features and how it is fitted. Runs with equal recipes give equal numbers.

    Parameters
    ----------
    model : str
        Key of `models.registry`.
    features : str
        Key of `features.registry`; of a vote of saved runs, those of its members.
    preprocessing : str
        "plain" (standardised), "tailored" (as `models.preprocessing` says, for this kind of model) or "internal"
        (inside a network's first layers).
    augmentation : str
        Key of `features.augmentation`; changed copies are made of training clips only.
    parameters : dict
        All that is set, members' parameters too.
    preset : str
        What this set of parameters is called.
    origin : str
        One of `ORIGINS`.
    target : str
        What is learned: "class" (emotion and gender, 16 classes).
    seed : int
        Of the model; a protocol's split has a seed of its own.

    Examples
    --------
    >>> from ser_core.models import registry
    >>> registry.recipe("krr", features="functionals").parameters["alpha"]
    0.01
    """

    model: str
    features: str
    preprocessing: str
    augmentation: str
    parameters: dict
    preset: str = "default"
    origin: str = "default"
    target: str = "class"
    seed: int = 9

    def with_parameters(self, parameters: dict, *, origin: str = "own", preset: str = "own") -> "Recipe":
        """The same recipe with other parameters.

        Parameters
        ----------
        parameters : dict
        origin : str
            One of `ORIGINS`.
        preset : str
        """
        return replace(self, parameters=parameters, origin=origin, preset=preset)

    @property
    def digest(self) -> str:
        """SHA-256 of all fields."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
