"""Model + protocol -> Run: fit on every fold's training clips, predict the others, keep every prediction."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from ser_core import evaluation
from ser_core.corpus.labels import require_classes
from ser_core.environment import versions
from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.features import mean180, store
from ser_core.features.inputs import Seen
from ser_core.models import preprocessing, registry
from ser_core.models.deep import VERSION, Network
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import Model
from ser_core.results.runs import Run


@dataclass(frozen=True)
class Training:
    """What a network's training tells of itself, and where it keeps its state.

    Parameters
    ----------
    watch : callable, optional
        Told of each epoch: fit (from 1), fits, part, fold, and what `models.networks.Progress` says.
    folder : Path, optional
        The same run goes on from what it left there when it was broken off. `folder / run.id` can go when it is saved.
    """

    watch: Callable[[dict], None] | None = None
    folder: Path | None = None


TOLD_NOTHING = Training()


@dataclass(frozen=True)
class Result:
    """A run, and the model that made its test predictions, if it was one."""

    run: Run
    model: EmotionClassifier | None


def run(
    model: str | Model,
    table: pd.DataFrame,
    *,
    protocol: str = "study",
    preset: str = "default",
    seed: int = protocols.STUDY_SEED,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
    seen: Seen | None = None,
    cv: bool = True,
    training: Training = TOLD_NOTHING,
) -> Result:
    """Carry out one experiment. The same call gives the same numbers, whatever the number of processes.

    Parameters
    ----------
    model : str or Model
        The key of a model of `models.registry`; or a model, as `models.presets.model` gives it with its tuned presets.
    table : pd.DataFrame
        A feature table, as `features.store` gives it.
    protocol, preset : str
    seed : int
        Of the model; the protocol's split has a seed of its own.
    jobs : int
        Folds that are fitted at once, as joblib counts them; each fit has one thread, which keeps sums in one order.
        Networks are fitted one after another, each with all cores.
    progress : callable, optional
        Told the number of fits done and the number of fits in all.
    seen : Seen, optional
        What the model sees of each clip, as `features.inputs.load` gives it; the table's features if left out.
    cv : bool
        Also predict the folds inside the training part.
    training : Training, optional
        Of a network.

    Raises
    ------
    ModelError, ProtocolError
        If a name is not known, the table cannot be split as the protocol asks, or a preset was tuned on clips of actors
        whom the protocol holds out.
    TrainingError
        If a network's loss is no number any more.
    """
    started = time.perf_counter()
    model = registry.get(model) if isinstance(model, str) else model
    estimator = EmotionClassifier(registry.build(model, preset=preset, seed=seed))
    chosen = protocols.get(protocol)
    if chosen.holds_actors_out and preset in getattr(model, "tuned", {}):
        raise ModelError(
            f"Preset {preset!r} of {model.key} was tuned on clips of all actors, so {protocol} would not hold anybody "
            "out. Run another preset under it, such as default, or tune inside each of its folds: --tune 20"
        )
    require_classes(table["label"])
    folds = [fold for fold in chosen.folds(table) if cv or fold.part != "cv"]
    if seen is None:
        if model.input(preset) != "study":
            raise ModelError(f"{model.key!r} does not see the feature table: load its input first (features.inputs)")
        seen = Seen("study", mean180.VERSION, store.matrix(table))
    labels = table["label"].to_numpy(dtype=str)
    # A protocol with one test part has one model to keep. Where everybody is tested once, there is none.
    is_kept = [fold.part == "test" and sum(one.part == "test" for one in folds) == 1 for fold in folds]
    info = facts(model, table, protocol=protocol, preset=preset, seed=seed, seen=seen, cv=cv)
    run_id = run_name(info)
    work = [(fold, keep) for fold, keep in zip(folds, is_kept, strict=True)]
    groups = table["speaker"].to_numpy() if chosen.holds_actors_out else None
    if isinstance(model, Network):
        folder = training.folder and training.folder / run_id
        fits = _train_each(estimator, seen.clips, labels, work, groups, training.watch, folder)
    else:
        # What chooses inside a fold is told who speaks, so that it holds actors out there, too.
        asks = groups is not None and has_fit_parameter(estimator.estimator, "groups")
        fits = joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(_fit_and_predict)(
                estimator, seen.clips, labels, fold, keep, **({"groups": groups[fold.train]} if asks else {})
            )
            for fold, keep in work
        )
    outcomes = []
    for outcome in fits:
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(folds))
    predictions = pd.concat([_rows(table, *part) for outcome in outcomes for part in outcome.parts])
    predictions = predictions.reset_index(drop=True)
    curves = [outcome.curve for outcome in outcomes if outcome.curve is not None]
    last = outcomes[-1]
    info |= {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 2),
        "fit_seconds": round(last.fit_seconds, 3),
        "predict_seconds": round(last.predict_seconds, 4),
        **({"layers": last.layers, "learned_from": last.learned_from} if last.layers else {}),
        **({"found": [outcome.found for outcome in outcomes]} if last.found else {}),
        "scores": evaluation.scores(predictions),
        "test_counts": predictions.loc[predictions["part"] == "test", "truth"].value_counts().sort_index().to_dict(),
    }
    return Result(Run(run_id, info, predictions, curves=pd.concat(curves) if curves else None), last.model)


def facts(
    model: Model, table: pd.DataFrame, *, protocol: str, preset: str, seed: int, seen: Seen, cv: bool = True
) -> dict:
    """What is to be done, as a run says it: its id is made of that."""
    info = {
        "model": model.key,
        "name": model.name,
        "family": model.family,
        "preset": preset,
        "parameters": registry.parameters(model, preset),
        "protocol": protocol,
        "features": seen.version,
        "views": preprocessing.VERSION,
        "seed": seed,
        "data_digest": store.digest(table),
        "clips": len(table),
    }
    if tuned := getattr(model, "tuned", {}).get(preset):
        info["tuned"] = tuned
    if seen.key != "study":
        info["input"] = seen.key
    if isinstance(model, Network):
        info |= {"input": seen.key, "networks": VERSION}
    if seen.weights:
        info["weights"] = seen.weights
    if not cv:
        info["cv"] = False
    return info


def run_name(info: dict) -> str:
    """A run's id, from what was to be done: the same again has the same."""
    fingerprint = hashlib.sha256(json.dumps(info, sort_keys=True).encode()).hexdigest()[:8]
    return f"{info['protocol']}-{info['model']}-{info['preset']}-{fingerprint}"


@dataclass(frozen=True)
class _Outcome:
    parts: list[tuple[str, int, np.ndarray, np.ndarray]]  # part, fold, row numbers, probabilities (rows, 16)
    fit_seconds: float
    predict_seconds: float
    model: EmotionClassifier | None
    curve: pd.DataFrame | None = None  # of a network, as its layers
    layers: list[dict] | None = None
    learned_from: int = 0  # clips, the watched ones left out
    found: dict | None = None  # of a model that looks for its parameters inside the fold


def _train_each(estimator, features, labels, work, groups, watch, folder):
    """Fit a network on each fold, one after another."""
    from ser_core.models.networks import Progress

    for number, (fold, keep) in enumerate(work, start=1):
        where = {"part": fold.part, "fold": fold.number}
        progress = Progress(
            watch=watch and partial(_tell, watch, {"fit": number, "fits": len(work)} | where),
            checkpoint=folder and folder / f"{fold.part}-{fold.number}",
            groups=None if groups is None else groups[fold.train],
        )
        model = clone(estimator)
        outcome = _fit_and_predict(model, features, labels, fold, keep, threads=None, progress=progress)
        network = model.estimator_
        curve = pd.DataFrame(network.history_).drop(columns="epochs").assign(**where)
        # By its epochs, since what was there from before it was broken off took no time now.
        seconds = float(curve["seconds"].sum())
        yield replace(
            outcome, curve=curve, fit_seconds=seconds, layers=network.layers(), learned_from=network.learned_from_
        )


def _tell(watch, where: dict, epoch: dict) -> None:
    watch(where | epoch)


def _fit_and_predict(
    estimator: EmotionClassifier,
    features: np.ndarray,
    labels: np.ndarray,
    fold: protocols.Fold,
    keep: bool,
    *,
    threads: int | None = 1,
    **options,
) -> _Outcome:
    """Fit on a fold's training clips and predict the others; to `keep` is to predict the training clips too."""
    with threadpool_limits(threads):
        start = time.perf_counter()
        model = estimator.fit(features[fold.train], labels[fold.train], **options)
        fitted = time.perf_counter()
        parts = [(fold.part, fold.number, fold.held_out, model.predict_proba(features[fold.held_out]))]
        predicted = time.perf_counter()
        if keep:
            parts.insert(0, ("train", fold.number, fold.train, model.predict_proba(features[fold.train])))
        found = getattr(model.estimator_, "found_", None)
        return _Outcome(
            parts,
            fitted - start,
            predicted - fitted,
            model if keep else None,
            found=found and {"part": fold.part, "fold": fold.number} | found,
        )


def _rows(table: pd.DataFrame, part: str, fold: int, rows: np.ndarray, given: np.ndarray) -> pd.DataFrame:
    clips = table.iloc[rows].rename(columns={"stem": "clip", "label": "truth"}).assign(part=part, fold=fold)
    known = clips[[name for name in evaluation.COLUMNS if name in clips]].reset_index(drop=True)
    given = pd.DataFrame(given.astype(np.float32), columns=evaluation.PROBABILITY_COLUMNS)
    return pd.concat([known, given], axis=1)
