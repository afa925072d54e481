"""A study's best trial: saved as a preset and evaluated once on the test part."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import FrozenTrial

from ser_core import experiments
from ser_core.errors import TuningError
from ser_core.features import model_input, tables
from ser_core.models import presets, registry
from ser_core.results import runs
from ser_core.settings import Settings
from ser_core.tuning import results


def preset_of(
    study: optuna.Study, trial: FrozenTrial, known: Iterable[presets.TunedPreset]
) -> presets.TunedPreset | None:
    """The tested preset of a trial, if there is one.

    Parameters
    ----------
    study : optuna.Study
    trial : FrozenTrial
    known : iterable of TunedPreset

    Returns
    -------
    TunedPreset or None
    """
    facts = (study.study_name, trial.number, trial.value, results.parameters(study, trial))
    same = (one for one in known if (one.study, one.trial, one.score, one.parameters) == facts and one.run)
    return next(same, None)


def save_preset(
    study: optuna.Study,
    feature_table: pd.DataFrame,
    settings: Settings,
    *,
    name: str = "",
    into: Path | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[presets.TunedPreset, bool]:
    """Make a preset of a study's best trial, and evaluate it on the test part.

    A trial is evaluated once: saving it again returns the existing preset and predicts no test clip.

    Parameters
    ----------
    study : optuna.Study
    feature_table : pd.DataFrame
        The table that the study was tuned on.
    settings : Settings
    name : str
        Of the preset; the study's if not given.
    into : Path, optional
        The store; the workspace if not given.
    jobs, progress
        As `experiments.run` takes them.

    Returns
    -------
    TunedPreset, bool
        The preset, and whether it is new.

    Raises
    ------
    TuningError
        If no trial has run all folds yet, or the clips are not those of the study.
    ModelError
        If the name is taken or cannot be a file's name.
    """
    chosen = results.best(study)
    if chosen is None:
        raise TuningError(f"Study {study.study_name!r} has no trial yet that ran all its folds")
    facts = study.user_attrs
    if facts["data_digest"] != tables.digest(feature_table):
        raise TuningError(f"Study {study.study_name!r} is of other clips than this feature table. Bring the same one")
    if known := preset_of(study, chosen, presets.list_all(settings.stores, facts["model"])):
        return known, False
    into = into or settings.workspace
    preset = presets.TunedPreset(
        model=facts["model"],
        name=name or study.study_name,
        parameters=results.parameters(study, chosen),
        space=facts["space"],
        study=study.study_name,
        trial=chosen.number,
        trials=results.count(study)[0],
        cv=facts["cv"],
        folds=facts["folds"],
        score=results.value(chosen),
        features=facts.get("features", ""),
    )
    model = registry.get(preset.model)
    presets.check_name(preset.name, model)
    recipe = model.with_presets({preset.name: preset.as_preset(model)}).recipe(preset.name)
    runs.make_store(into)
    features = model_input.load(feature_table, settings, features=recipe.features, jobs=jobs)
    run = experiments.run(recipe, feature_table, features=features, jobs=jobs, progress=progress).run
    run = dataclasses.replace(run if into == settings.artifacts else run.own, tuned=preset.facts)
    runs.save(run, into)
    preset = dataclasses.replace(preset, run=run.id)
    presets.save(preset, into)
    return preset, True
