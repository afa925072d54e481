"""Presets that tuning found: `presets/<model>/<name>.json` in a store, beside those that stand in the code."""

import dataclasses
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ser_core.errors import ArtifactError, ModelError
from ser_core.files import atomically
from ser_core.models import registry
from ser_core.models.deep import Network
from ser_core.models.model import INSIDE, OWN, Model, SingleModel

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
# Names that say what a preset is, or what it sees: one that was tuned and called so would be taken for another.
RESERVED = {OWN, *(name for model in registry.MODELS.values() for name in model.presets)}


@dataclass(frozen=True)
class Preset:
    """Parameters, and how they were found."""

    model: str
    name: str
    parameters: dict
    space: str  # "ours" or "study": which view of the features goes with it
    study: str
    trial: int
    trials: int  # that were judged before this one was chosen
    cv: str  # "study" or "actors"
    folds: int
    score: float  # mean over the folds: accuracy, or UAR where actors were held out
    run: str = ""  # its one evaluation on the test part

    @property
    def facts(self) -> dict:
        """What a run of it says of its tuning."""
        return {
            name: value for name, value in asdict(self).items() if name not in ("model", "name", "parameters", "run")
        }


def check_name(name: str) -> None:
    """Assert that a preset can have that name.

    Raises
    ------
    ModelError
        If the name cannot be a file's name or is one that the code gives a meaning.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name for a preset: letters, digits, '.', '_' and '-', at most 80")
    if name in RESERVED or name.endswith(INSIDE):
        meant = ", ".join(sorted(RESERVED))
        raise ModelError(
            f"{name!r} is no name for a preset that was tuned: {meant}, and what ends with {INSIDE}, have a meaning of "
            "their own. Choose another"
        )


def save(preset: Preset, store: Path) -> Path:
    """Write a preset into a store.

    Raises
    ------
    ModelError
        As `check_name`.
    """
    check_name(preset.name)
    file = store / "presets" / preset.model / f"{preset.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomically(file) as part:
        part.write_text(json.dumps(asdict(preset), indent=1) + "\n")
    return file


def list_all(stores: Iterable[Path], model: str = "*") -> list[Preset]:
    """The tuned presets of a model, or of all; where two stores have one of the same name, the later one's."""
    found = {}
    for store in stores:
        for file in sorted(store.glob(f"presets/{model}/[!.]*.json")):
            preset = _read(file)
            found[preset.model, preset.name] = preset
    return list(found.values())


def model(key: str, stores: Iterable[Path]) -> Model:
    """A model with its tuned presets beside those of the code.

    Raises
    ------
    ModelError, ArtifactError
        If there is no such model, or a preset's file is damaged.
    """
    return with_tuned(key, list_all(stores, registry.get(key).key))


def with_tuned(key: str, tuned: list[Preset]) -> Model:
    """A model with these presets of it beside those of the code."""
    known = registry.get(key)
    if not isinstance(known, SingleModel | Network):
        return known
    return dataclasses.replace(
        known,
        presets=known.presets | {preset.name: preset.parameters for preset in tuned},
        tuned={preset.name: preset.facts for preset in tuned},
    )


def _read(file: Path) -> Preset:
    try:
        return Preset(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"The preset {file} cannot be read ({error}). Delete it and save it anew") from error
