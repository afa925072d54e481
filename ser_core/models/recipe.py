"""A recipe: the model, its features and parameters, and where those come from."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace


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
        "plain" (standardised), "tailored" (see `models.preprocessing`) or "internal" (in a network's first layers).
    augmentation : str
        Key of `features.augmentation`; only training clips are augmented.
    parameters : dict
        All hyperparameters, including those of members.
    preset : str
        Name of this set of parameters.
    origin : {"default", "study", "tuned", "nested", "own", "code", "imported"}
        Where the parameters come from. `own`: some were set by hand; `nested`: each fold searches its own; `code`: an
        estimator of one's own code; `imported`: predictions that were made elsewhere.
    target : str
        What is predicted: "class" (emotion and gender, 16 classes).
    seed : int
        Of the model; the split of a protocol has its own seed.

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
        origin, preset : str
            See `Recipe`.

        Returns
        -------
        Recipe
        """
        return replace(self, parameters=parameters, origin=origin, preset=preset)

    @property
    def digest(self) -> str:
        """SHA-256 of all fields."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
