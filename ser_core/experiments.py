"""Model + protocol -> Run: fit on every fold's training clips, predict the others, keep every prediction."""

import hashlib
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ser_core import evaluation, protocols
from ser_core.features import store, study
from ser_core.models import registry, views
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import Model
from ser_core.runs import Run

# What a number depends on besides this code.
PACKAGES = ("numpy", "scipy", "librosa", "soxr", "scikit-learn", "xgboost", "lightgbm")


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
    progress : callable, optional
        Told the number of fits done and the number of fits in all.

    Raises
    ------
    ModelError, ProtocolError
        If a name is not known, or the table cannot be split as the protocol asks.
    """
    started = time.perf_counter()
    model = registry.get(model) if isinstance(model, str) else model
    estimator = EmotionClassifier(registry.build(model, preset=preset, seed=seed))
    chosen = protocols.get(protocol)
    folds = chosen.folds(table)
    features, labels = store.matrix(table), table["label"].to_numpy(dtype=str)
    # A protocol with one test part has one model to keep. Where everybody is tested once, there is none.
    is_kept = [fold.part == "test" and not chosen.holds_actors_out for fold in folds]
    work = (
        joblib.delayed(_fit_and_predict)(estimator, features, labels, fold, keep)
        for fold, keep in zip(folds, is_kept, strict=True)
    )
    outcomes = []
    for outcome in joblib.Parallel(n_jobs=jobs, return_as="generator")(work):
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(folds))
    stems = table["stem"].to_numpy(dtype=str)
    predictions = pd.concat([_rows(stems, labels, *part) for outcome in outcomes for part in outcome.parts])
    predictions = predictions.reset_index(drop=True)
    last = outcomes[-1]
    info = {
        "model": model.key,
        "name": model.name,
        "family": model.family,
        "preset": preset,
        "parameters": registry.parameters(model, preset),
        "protocol": protocol,
        "features": study.VERSION,
        "views": views.VERSION,
        "seed": seed,
        "data_digest": store.digest(table),
        "clips": len(table),
    }
    if tuned := getattr(model, "tuned", {}).get(preset):
        info["tuned"] = tuned
    fingerprint = hashlib.sha256(json.dumps(info, sort_keys=True).encode()).hexdigest()[:8]
    info |= {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 2),
        "fit_seconds": round(last.fit_seconds, 3),
        "predict_seconds": round(last.predict_seconds, 4),
        "scores": evaluation.scores(predictions),
        "test_counts": predictions.loc[predictions["part"] == "test", "truth"].value_counts().sort_index().to_dict(),
    }
    return Result(Run(f"{protocol}-{model.key}-{preset}-{fingerprint}", info, predictions), last.model)


def versions() -> dict[str, str]:
    """Python and the packages whose change may change a number."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # xgboost's CPU build has a name of its own
            found[name] = metadata.version(f"{name}-cpu")
    return found


@dataclass(frozen=True)
class _Outcome:
    parts: list[tuple[str, int, np.ndarray, np.ndarray]]  # part, fold, row numbers, probabilities (rows, 16)
    fit_seconds: float
    predict_seconds: float
    model: EmotionClassifier | None


def _fit_and_predict(
    estimator: EmotionClassifier, features: np.ndarray, labels: np.ndarray, fold: protocols.Fold, keep: bool
) -> _Outcome:
    """Fit on a fold's training clips and predict the others; to `keep` is to predict the training clips too."""
    with threadpool_limits(1):
        start = time.perf_counter()
        model = estimator.fit(features[fold.train], labels[fold.train])
        fitted = time.perf_counter()
        parts = [(fold.part, fold.number, fold.held_out, model.predict_proba(features[fold.held_out]))]
        predicted = time.perf_counter()
        if not keep:
            return _Outcome(parts, fitted - start, predicted - fitted, None)
        parts.insert(0, ("train", fold.number, fold.train, model.predict_proba(features[fold.train])))
        return _Outcome(parts, fitted - start, predicted - fitted, model)


def _rows(
    stems: np.ndarray, labels: np.ndarray, part: str, fold: int, rows: np.ndarray, given: np.ndarray
) -> pd.DataFrame:
    known = pd.DataFrame({"clip": stems[rows], "fold": fold, "part": part, "truth": labels[rows]})
    given = pd.DataFrame(given.astype(np.float32), columns=evaluation.PROBABILITY_COLUMNS)
    return pd.concat([known, given], axis=1)
