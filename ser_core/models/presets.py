"""Presets that tuning found, saved as `presets/<model>/<name>.json` in a store; the other presets are in the code."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ser_core.errors import ArtifactError, ModelError
from ser_core.files import atomically
from ser_core.models.model import Model, Preset

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class TunedPreset:
    """Tuned parameters, and how they were found.

    Parameters
    ----------
    model, name : str
    parameters : dict
    space : {"ours", "study"}
        The search space; with "study", the features are only standardised.
    study : str
        Name of the study.
    trial : int
        Number of its best trial.
    trials : int
        Trials that had ended when it was chosen.
    cv : {"study", "actors"}
        The folds: at random, or speaker-independent.
    folds : int
    score : float
        Mean over the folds: accuracy, or UAR where the folds are speaker-independent.
    run : str
        Id of the run that evaluates it on the test part.
    features : str
        Feature set of the study; the model's default if empty.
    """

    model: str
    name: str
    parameters: dict
    space: str
    study: str
    trial: int
    trials: int
    cv: str
    folds: int
    score: float
    run: str = ""
    features: str = ""

    def as_preset(self, model: Model) -> Preset:
        """The preset as `Model` has them.

        Parameters
        ----------
        model : Model

        Returns
        -------
        Preset
        """
        return model.tuned_preset(self.parameters, self.space, self.features or None, self.facts)

    @property
    def facts(self) -> dict:
        """The record of its tuning, as runs keep it."""
        return {
            name: value for name, value in asdict(self).items() if name not in ("model", "name", "parameters", "run")
        }


def check_name(name: str, model: Model) -> None:
    """Check that a tuned preset of a model can have this name.

    Parameters
    ----------
    name : str
    model : Model

    Raises
    ------
    ModelError
        If the name cannot be a file's name, or the model has a preset of that name in the code.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name for a preset: letters, digits, '.', '_' and '-', at most 80")
    if name == "own" or name in model.presets:
        raise ModelError(
            f"{name!r} is no name for a preset that was tuned: {', '.join(model.presets)} and own are taken for "
            f"{model.key}. Choose another"
        )


def save(preset: TunedPreset, store: Path) -> Path:
    """Write a preset into a store. Its name must pass `check_name`.

    Parameters
    ----------
    preset : TunedPreset
    store : Path

    Returns
    -------
    Path
        The file.
    """
    file = store / "presets" / preset.model / f"{preset.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomically(file) as part:
        part.write_text(json.dumps(asdict(preset), indent=1) + "\n")
    return file


def list_all(stores: Iterable[Path], model: str = "*") -> list[TunedPreset]:
    """The tuned presets of a model, or of all models.

    Where two stores have a preset of the same name, the later store's is taken.

    Parameters
    ----------
    stores : iterable of Path
    model : str, optional

    Returns
    -------
    list of TunedPreset

    Raises
    ------
    ArtifactError
        If a file cannot be read.
    """
    found = {}
    for store in stores:
        for file in sorted(store.glob(f"presets/{model}/[!.]*.json")):
            preset = _read(file)
            found[preset.model, preset.name] = preset
    return list(found.values())


def _read(file: Path) -> TunedPreset:
    try:
        return TunedPreset(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"The preset {file} cannot be read ({error}). Delete it and save it anew") from error
