"""What the page of runs offers: the choices, the command of a choice, the run that exists, and the expected time."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pandas as pd

from ser_core import extras
from ser_core.corpus import manifest, registered
from ser_core.errors import ModelError, ProtocolError
from ser_core.evaluation import protocols
from ser_core.experiments.runner import check
from ser_core.features import elsewhere, smile, tables
from ser_core.features import registry as feature_sets
from ser_core.jobs import Task
from ser_core.models import registry
from ser_core.models.model import Model
from ser_core.models.recipe import Recipe
from ser_core.records import Unreadable
from ser_core.results import run_titles
from ser_core.results.runs import Run
from ser_core.settings import Settings

OURS = "default"
WITH_COPIES = "+"  # between features and an augmentation by copies
ACTORS = "actors-K"  # stands for the protocols of K folds of speakers
MAX_SPLIT_VALUES = 50  # of a column that may be a split


@dataclass(frozen=True)
class Plan:
    """A run that is to be made.

    Parameters
    ----------
    model : str
    preset : str
        Name of its parameters; "default" for ours, those that suit the features.
    features : str
        One of `features_of`; empty for those of `table`, or of a vote's members.
    protocol : str
    table : str
        One of `tables_in` the workspace; empty for RAVDESS.
    heard : str
        Key of the recording condition in which the held-out clips are heard, too; empty for as recorded.
    seed : int
    """

    model: str = "krr"
    preset: str = OURS
    features: str = "mean180"
    protocol: str = "study"
    table: str = ""
    heard: str = ""
    seed: int = protocols.ORIGINAL_SEED

    @property
    def text(self) -> str:
        """The plan as one line, which `of_text` reads again."""
        return urlencode(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> "Plan":
        """A plan of `text`; what cannot be read is as by default.

        Parameters
        ----------
        text : str

        Returns
        -------
        Plan
        """
        known = {one.name for one in fields(cls)}
        given: dict[str, Any] = {
            name: value for name, value in parse_qsl(text, keep_blank_values=True) if name in known
        }
        if (seed := given.pop("seed", "")).isdecimal():
            given["seed"] = int(seed)
        return cls(**given)


def models() -> dict[str, Model]:
    """The models that are run at once: the classical ones and the votes. Networks are trained in epochs instead.

    Returns
    -------
    dict of str to Model
    """
    return {key: model for key, model in registry.MODELS.items() if not model.trains_in_epochs}


def presets_of(model: Model) -> dict[str, str]:
    """The sets of parameters of a model, by name, with their titles.

    Presets that are ours for some features are not among them: they go with those features.

    Parameters
    ----------
    model : Model
        With its tuned presets.

    Returns
    -------
    dict of str to str
    """
    titles = {OURS: "Ours"}
    for name, one in model.presets.items():
        if one.origin == "study":
            titles[name] = "The authors'"
        elif one.origin == "tuned":
            titles[name] = "Tuned" if name == "tuned" else f"Tuned: {name}"
        elif name != OURS and model.recipe(features=one.features, augmentation=one.augmentation).preset != name:
            titles[name] = name.capitalize()
    return titles


def features_of(model: Model, preset: str) -> list[str]:
    """What a model can see of RAVDESS, that of its preset first.

    Parameters
    ----------
    model : Model
    preset : str

    Returns
    -------
    list of str
        Feature sets; of one with an augmentation by copies, both, as in "functionals+speaker-perturbation". Empty for a
        vote of saved runs, which has the features of its members.
    """
    if not model.learns_from_clips:
        return []
    usual = model.preset(preset)
    found = [_joined(usual.features, usual.augmentation)]
    found += [_joined(one.features, one.augmentation) for one in model.presets.values() if one.origin == OURS]
    if model.fits_any_table:
        found += feature_sets.tables()
        found += smile.SETS if extras.is_installed("opensmile") else []
    return list(dict.fromkeys(found))


def _joined(features: str, augmentation: str) -> str:
    return features if augmentation == "none" else f"{features}{WITH_COPIES}{augmentation}"


def _apart(features: str) -> tuple[str, str]:
    name, _, augmentation = features.partition(WITH_COPIES)
    return name, augmentation or "none"


def ships(features: str, settings: Settings) -> bool:
    """Whether the features of all clips of RAVDESS ship; all others are made of the recordings.

    Parameters
    ----------
    features : str
        One of `features_of`.
    settings : Settings

    Returns
    -------
    bool
    """
    return settings.shipped_table(features).is_file()


def needs_recordings(plan: Plan, recipe: Recipe, table: pd.DataFrame, settings: Settings) -> bool:
    """Whether a run makes features of the recordings.

    Parameters
    ----------
    plan : Plan
    recipe : Recipe
        Of the plan.
    table : pd.DataFrame
        Its clips.
    settings : Settings

    Returns
    -------
    bool
    """
    if not registry.get(plan.model).learns_from_clips:
        return False
    if plan.heard:
        return True
    held = tables.features_of(table)
    seen = _joined(recipe.features, recipe.augmentation)
    return not (held and seen == held.key) and (bool(plan.table) or not ships(seen, settings))


def tables_in(workspace: Path) -> tuple[list[str], list[Unreadable]]:
    """The feature tables in the folder `corpora` of a workspace that `extract` made.

    Parameters
    ----------
    workspace : Path

    Returns
    -------
    found : list of str
        Their file names.
    unreadable : list of Unreadable
        What is named like one and is no file.
    """
    corpora, unreadable = registered.read_all(workspace)
    files = [one.table for one in corpora if one.table and not elsewhere.is_named(str(one.table))]
    return [file.name for file in files], [one for one in unreadable if not one.id.endswith(manifest.SUFFIX)]


def file_of(table: str, settings: Settings) -> Path:
    """The file of a table.

    Parameters
    ----------
    table : str
        One of `tables_in` the workspace; empty for RAVDESS, whose table ships.
    settings : Settings

    Returns
    -------
    Path
    """
    return settings.workspace / registered.FOLDER / table if table else settings.feature_table


def protocols_for(table: pd.DataFrame) -> dict[str, str]:
    """The protocols by which the clips of a table can be divided, with their titles.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table.

    Returns
    -------
    dict of str to str
        `ACTORS` stands for `actors-2`, `actors-3`, ...
    """
    held = tables.features_of(table)
    columns = table.columns.difference(held.names if held else [])
    named = [name for name in columns if name.isidentifier() and table[name].nunique() <= MAX_SPLIT_VALUES]
    splits = [(f"split-{name}", f"split-{name}+shared") for name in named if name.startswith(("split", "fold", "part"))]
    titles = {}
    for names in (*((name,) for name in protocols.PROTOCOLS), *splits):
        if fitting := next((name for name in names if divides(table, name)), None):
            titles[fitting] = protocols.get(fitting).title
    if divides(table, "actors-2"):
        titles[ACTORS] = "Folds of actors, drawn at random: speech and song"
    return titles


def divides(table: pd.DataFrame, protocol: str) -> bool:
    """Whether a protocol can divide the clips of a table.

    Parameters
    ----------
    table : pd.DataFrame
    protocol : str

    Returns
    -------
    bool
    """
    try:
        protocols.get(protocol).folds(table)
    except ProtocolError:
        return False
    return True


def recipe_of(plan: Plan, table: pd.DataFrame, settings: Settings) -> Recipe:
    """The recipe of a plan, as the command line makes it of `task_of`.

    Parameters
    ----------
    plan : Plan
    table : pd.DataFrame
        Its clips.
    settings : Settings

    Returns
    -------
    Recipe

    Raises
    ------
    ModelError, FeatureError, ProtocolError
        If it cannot be run so; nothing has been computed then.
    """
    if plan.model not in registry.MODELS:  # own code is run from a shell alone
        raise ModelError(f"There is no model {plan.model!r}; there is {', '.join(models())}")
    model = registry.get(plan.model, settings.stores)
    if model.trains_in_epochs:
        raise ModelError(f"{plan.model} is a network: train it")
    preset = None if plan.preset == OURS else plan.preset
    if not model.learns_from_clips:
        return model.recipe(preset, seed=plan.seed)
    features, augmentation = _apart(plan.features)
    if plan.table and model.fits_any_table:
        held = tables.features_of(table)
        assert held is not None, f"{plan.table} was read as a feature table"
        if (tuned_for := model.preset(preset or OURS).features) not in (feature_sets.MEAN180.key, held.key):
            raise ModelError(f"The parameters {plan.preset} are for {tuned_for}, and {plan.table} holds {held.key}")
        features, augmentation = held.key, "none"
    recipe = model.recipe(preset, features=features or None, augmentation=augmentation, seed=plan.seed)
    check(recipe, table, plan.protocol)
    return recipe


def task_of(plan: Plan, settings: Settings, recipe: Recipe) -> Task:
    """The job that carries out a plan.

    Parameters
    ----------
    plan : Plan
    settings : Settings
    recipe : Recipe
        Of the plan.

    Returns
    -------
    Task
        Its subject is the plan's `text`.
    """
    model = registry.get(plan.model, settings.stores)
    parts = ["run", plan.model]
    parts += ["--preset", plan.preset] if plan.preset != OURS else []
    if plan.table:
        parts += ["--features", str(_from_here(file_of(plan.table, settings)))]
    elif model.learns_from_clips:
        usual = model.recipe(None if plan.preset == OURS else plan.preset)
        parts += ["--features", recipe.features] if recipe.features != usual.features else []
        parts += ["--augmentation", recipe.augmentation] if recipe.augmentation != usual.augmentation else []
    parts += ["--protocol", plan.protocol] if plan.protocol != "study" else []
    parts += ["--heard", plan.heard] if plan.heard else []
    parts += ["--seed", str(plan.seed)] if plan.seed != protocols.ORIGINAL_SEED else []
    return Task("run", plan.text, tuple(parts), f"Run {' '.join(word.removeprefix('--') for word in parts[1:])}")


def _from_here(file: Path) -> Path:
    """A file as a command in the working directory names it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def find(found: Iterable[Run], plan: Plan, recipe: Recipe, digest: str) -> Run | None:
    """The run of a plan, if it was made before: this installation's own, otherwise the one that ships.

    Parameters
    ----------
    found : iterable of Run
        The newest last.
    plan : Plan
    recipe : Recipe
        Of the plan.
    digest : str
        Of its clips.

    Returns
    -------
    Run or None
    """
    same = [
        run
        for run in found
        if (run.protocol, run.heard, run.data_digest, run.bundle) == (plan.protocol, plan.heard, digest, "")
        and _is_same(recipe, run.recipe)
    ]
    return same[-1] if same else None  # the runs that ship come first


def _is_same(recipe: Recipe, other: Recipe) -> bool:
    """Whether two recipes give equal numbers, whatever their presets are called."""
    if recipe.model != other.model or "nested" in (recipe.origin, other.origin):
        return False
    apart = ["preset", "origin"]
    apart += [] if registry.get(recipe.model).learns_from_clips else ["features", "preprocessing"]  # of the members
    one, two = ({name: value for name, value in asdict(each).items() if name not in apart} for each in (recipe, other))
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def estimate(found: Iterable[Run], plan: Plan, recipe: Recipe, table: pd.DataFrame) -> tuple[float | None, str]:
    """Estimate how long a run would take, from runs with the same parameters that recorded their seconds.

    Parameters
    ----------
    found : iterable of Run
    plan : Plan
    recipe : Recipe
        Of the plan.
    table : pd.DataFrame
        Its clips.

    Returns
    -------
    float or None
        Seconds without making features; None if no run is comparable.
    str
        The title of the run that it is judged from.
    """
    like = [
        run
        for run in found
        if run.seconds.total
        and not (run.heard or run.tested_on or run.bundle)
        and (run.recipe.model, run.recipe.origin) == (recipe.model, recipe.origin)
        and (recipe.origin != "tuned" or run.recipe.preset == recipe.preset)
    ]
    if not like:
        return None, ""
    fits = len(protocols.get(plan.protocol).folds(table))
    like = [run for run in like if run.recipe.features == recipe.features] or like
    like = [run for run in like if run.protocol == plan.protocol] or like
    like = [run for run in like if not run.shipped] or like  # shipped runs were made on another machine
    each = {run: run.seconds.total / fits_of(run) * len(table) / run.clips for run in like}
    usual = median(each.values())
    nearest = min(each, key=lambda run: abs(each[run] - usual))
    return each[nearest] * fits, run_titles.title(nearest)


@lru_cache(maxsize=256)
def fits_of(run: Run) -> int:
    """How many models were fitted in a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    int
    """
    folds = run.predictions[["part", "fold"]].drop_duplicates()
    return max(1, int((folds["part"] != "train").sum()))
