"""Presets that tuning found, saved as `presets/<model>/<name>.json` in a store; the other presets are in the code."""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ser_core import records
from ser_core.errors import DamagedError, ModelError
from ser_core.files import atomically
from ser_core.models.model import Model, Preset
from ser_core.records import Unreadable

logger = logging.getLogger(__name__)

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


def read_all(stores: Iterable[Path], model: str = "*") -> tuple[list[TunedPreset], list[Unreadable]]:
    """The tuned presets of a model, or of all models; and the unreadable ones.

    Where two stores have a preset of the same name, the later store's is taken.

    Parameters
    ----------
    stores : iterable of Path
        The shipped store first.
    model : str, optional

    Returns
    -------
    presets : list of TunedPreset
    unreadable : list of Unreadable
        Each with `MODEL/NAME` as its id.
    """
    found, unreadable = {}, []
    for number, store in enumerate(stores):
        for file in sorted(store.glob(f"presets/{model}/[!.]*.json")):
            shipped, key = number == 0, (file.parent.name, file.stem)
            try:
                found[key] = _read(file)
            except DamagedError as error:
                found.pop(key, None)  # an older one of that name is not what was saved
                way_out = f"Restore it (git checkout {file})" if shipped else f"Delete {file} and save it anew"
                unreadable.append(Unreadable("Preset", "/".join(key), str(error), way_out, shipped))
    return list(found.values()), unreadable


def list_all(stores: Iterable[Path], model: str = "*") -> list[TunedPreset]:
    """The presets of `read_all`; those that cannot be read are logged.

    Parameters
    ----------
    stores : iterable of Path
    model : str, optional

    Returns
    -------
    list of TunedPreset
    """
    found, unreadable = read_all(stores, model)
    for one in unreadable:
        logger.warning("%s", one)
    return found


def _read(file: Path) -> TunedPreset:
    try:
        preset = records.as_record(TunedPreset, records.read_json(file), file.name)
    except FileNotFoundError as error:
        raise DamagedError(f"{file.name} is gone") from error
    if (preset.model, preset.name) != (file.parent.name, file.stem):
        raise DamagedError(f"{file.name} is of {preset.model}/{preset.name}")
    return preset
