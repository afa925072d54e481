"""Recipe + protocol -> Run: fit on each fold's training clips, predict the others, keep every prediction."""

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from ser_core import evaluation
from ser_core.corpus.clips import speakers_of
from ser_core.corpus.labels import LABELS, classes_of, emotion_of
from ser_core.environment import Environment
from ser_core.errors import ModelError, ProtocolError
from ser_core.evaluation import protocols
from ser_core.experiments.other_corpus import OtherCorpus
from ser_core.features import tables
from ser_core.features.model_input import ModelInput
from ser_core.models import deep, preprocessing, registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.foreign import OwnClassifier, OwnCode, own_code
from ser_core.models.recipe import Recipe
from ser_core.results import runs
from ser_core.results.runs import Run, Seconds, Tables, Versions
from ser_core.settings import Settings


@dataclass(frozen=True)
class Training:
    """How a network's training is monitored, and where its checkpoints are.

    Parameters
    ----------
    watch : callable, optional
        Called after each epoch with a dict: `fit` (from 1), `fits`, `part`, `fold`, and what
        `models.networks.NetworkClassifier.fit` passes to its `watch`.
    folder : Path, optional
        An interrupted run is resumed from the checkpoints in `folder / run.id`. Delete them once the run is saved.
    """

    watch: Callable[[dict], None] | None = None
    folder: Path | None = None


def epochs_done(epoch: dict) -> tuple[int, int]:
    """How far all fits of a network's training are.

    Parameters
    ----------
    epoch : dict
        As `Training.watch` is called with it.

    Returns
    -------
    done, total : int
        Epochs.
    """
    return (epoch["fit"] - 1) * epoch["epochs"] + epoch["epoch"], epoch["fits"] * epoch["epochs"]


UNWATCHED = Training()
TRAINED_COUNTED = 5_000  # training clips of a fold that its model is asked about, too: RAVDESS has fewer


@dataclass(frozen=True)
class Result:
    """A run, and the fitted model of its test predictions.

    Parameters
    ----------
    run : Run
    model : EmotionClassifier or None
        None if the protocol has several test folds, each with its own model.
    heard : list of Run
        The same models on the same test clips, heard in recording conditions.
    """

    run: Run
    model: EmotionClassifier | None
    heard: list[Run] = field(default_factory=list)


def run(
    recipe,
    table: pd.DataFrame,
    *,
    protocol: str = "study",
    features: ModelInput | None = None,
    heard: Sequence[ModelInput] = (),
    cv: bool = True,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
    training: Training = UNWATCHED,
) -> Result:
    """Run one experiment: fit on each fold's training clips, predict the others.

    The same call gives the same numbers, whatever the number of processes.

    Parameters
    ----------
    recipe : Recipe, str, OwnCode or classifier
        As `models.registry.recipe` makes it; a model's key, for its default; or any scikit-learn classifier,
        as it is or as `models.foreign.own_code` makes it.
    table : pd.DataFrame
        A feature table, or rows of an index.
    protocol : str
        Name of a protocol, as `evaluation.protocols.get` takes it.
    features : ModelInput, optional
        The features of each clip, as `features.model_input.load` gives them; the table's own if left out.
    heard : sequence of ModelInput
        Features of the same clips, heard in recording conditions. The models are trained as without them; then each
        predicts its test clips in every condition, too.
    cv : bool
        Whether to predict the folds inside the training part, too.
    jobs : int
        Folds that are fitted in parallel, as joblib counts them; each fit has one thread, so that sums are always added
        in the same order. Networks are fitted one after another, each on all cores.
    progress : callable, optional
        Called with the number of fits done and the total.
    training : Training, optional
        Of a network.

    Returns
    -------
    Result

    Raises
    ------
    ModelError, ProtocolError, FeatureError
        If a name is not known, the table cannot be split by the protocol, its features are not the recipe's, or the
        parameters were tuned on clips of speakers that the protocol holds out.
    TrainingError
        If a network's loss is no longer a finite number.

    Examples
    --------
    >>> from ser_core.features import tables
    >>> from ser_core.settings import Settings
    >>> table = tables.read(Settings.from_environment().feature_table)
    >>> result = run("kn", table, cv=False, jobs=1)
    >>> round(result.run.scores["test_accuracy"], 2)
    0.8

    An estimator of one's own, speaker-independent:

    >>> from sklearn.naive_bayes import GaussianNB
    >>> own = run(GaussianNB(), table, protocol="emobox", jobs=1).run
    >>> own.recipe.model, own.mark
    ('sklearn.naive_bayes:GaussianNB', 'own code')
    """
    started = time.perf_counter()
    recipe, classifier = _recipe_and_classifier(recipe, table, features)
    chosen = protocols.get(protocol)
    classes, labels, folds = check(recipe, table, protocol)
    estimator = _of_classes(recipe, classifier, classes)
    folds = [fold for fold in folds if cv or fold.part != "cv"]
    inputs = features or _of_table(table, recipe)
    # A protocol with a single test fold has one model to keep; one that tests every speaker once has none.
    has_one_model = sum(fold.part == "test" for fold in folds) == 1
    data_digest = tables.digest(table)
    run_id = runs.id_of(recipe, protocol, data_digest, cv)
    speakers = speakers_of(table)
    wanted = _speaker_parameters(estimator, holds_out=chosen.holds_actors_out)
    work = [
        (fold, has_one_model and fold.part == "test", dict.fromkeys(wanted, speakers[fold.train])) for fold in folds
    ]
    others = {one.heard: one.values for one in heard}
    if registry.get(recipe.model).trains_in_epochs:
        folder = training.folder and training.folder / run_id
        fits = _train_each(estimator, inputs.values, labels, work, others, training.watch, folder)
    else:
        fits = joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(_fit_and_predict)(estimator, inputs.values, labels, fold, keep, others, **options)
            for fold, keep, options in work
        )
    outcomes = []
    if progress:
        progress(0, len(folds))
    for outcome in fits:
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(folds))
    predictions = _all_rows(table, [part for outcome in outcomes for part in outcome.parts], folds)
    curves = [outcome.curve for outcome in outcomes if outcome.curve is not None]
    last = outcomes[-1]
    made = Run(
        id=run_id,
        recipe=recipe,
        protocol=protocol,
        data_digest=data_digest,
        clips=len(table),
        tables=Tables(predictions, pd.concat(curves) if curves else None),
        scores=evaluation.scores(predictions),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        cv=cv,
        versions=Versions(inputs.version, preprocessing.VERSION, deep.VERSION if last.layers else "", inputs.weights),
        environment=Environment.here(),
        seconds=Seconds(
            round(time.perf_counter() - started, 2), round(last.fit_seconds, 3), round(last.predict_seconds, 4)
        ),
        found=[outcome.found for outcome in outcomes if outcome.found],
        layers=last.layers or [],
        learned_from=last.learned_from,
        training=_counted([outcome.trained for outcome in outcomes], classes),
    )
    return Result(made, last.model, [_heard(made, one, table, outcomes, folds) for one in heard])


def check(
    recipe: Recipe, table: pd.DataFrame, protocol: str | None = None
) -> tuple[tuple[str, ...], np.ndarray, list[protocols.Fold]]:
    """Check that the recipe's model can learn from the clips of a table, before anything is computed.

    Parameters
    ----------
    recipe : Recipe
    table : pd.DataFrame
        A feature table, or rows of an index.
    protocol : str, optional
        Name of a protocol; without it, the model is to learn from all clips.

    Returns
    -------
    classes : tuple of str
    labels : np.ndarray [shape=(n,), dtype=str]
        The class of each clip.
    folds : list of Fold
        Empty without a protocol.

    Raises
    ------
    ModelError
        If it cannot, the message names the fold; or if its parameters may not be tested under the protocol.
    ProtocolError
        If the table cannot be split by the protocol.
    """
    classes, labels = classes_of(table["label"], table["emotion"])
    model = registry.get(recipe.model)
    model.check_classes(classes)
    if protocol is None:
        model.check_clips(recipe, labels)
        return classes, labels, []
    chosen = protocols.get(protocol)
    if chosen.holds_actors_out and recipe.origin == "tuned":
        raise ModelError(
            f"Preset {recipe.preset!r} of {recipe.model} was tuned on clips of all actors, so {protocol} would not "
            "hold anybody out. Run another preset under it, such as default, or search inside each fold: --tune 20"
        )
    folds = chosen.folds(table)
    for fold in folds:
        try:
            model.check_clips(recipe, labels[fold.train])
        except ModelError as error:
            raise ModelError(f"Fold {fold.number} of {protocol} cannot be learned: {error}") from None
    return classes, labels, folds


def keep(result: Result, settings: Settings) -> Result:
    """Save the runs of an experiment as this installation's own.

    Parameters
    ----------
    result : Result
    settings : Settings

    Returns
    -------
    Result
        With the runs under the ids that they have there.

    Raises
    ------
    ArtifactError
        If the workspace cannot be written.
    """
    run, heard = result.run.own, [one.own for one in result.heard]
    if run.recipe.origin == "tuned":
        preset = registry.get(run.recipe.model, settings.stores).preset(run.recipe.preset)
        run = replace(run, tuned=preset.tuning or {})
    for one in (run, *heard):
        runs.save(one, settings.workspace)
    shutil.rmtree(settings.training / result.run.id, ignore_errors=True)  # the state for resuming it
    return replace(result, run=run, heard=heard)


def run_heard(run: Run, model: EmotionClassifier, table: pd.DataFrame, heard: Sequence[ModelInput]) -> list[Run]:
    """Test a fitted model on its test clips, heard in recording conditions.

    Parameters
    ----------
    run : Run
        In which the model was fitted, under a protocol with a single test fold.
    model : EmotionClassifier
    table : pd.DataFrame
        Of all clips, as the run had it.
    heard : sequence of ModelInput
        Features of the same clips, heard in recording conditions.

    Returns
    -------
    list of Run

    Raises
    ------
    ModelError
        If the protocol has several test folds, or the table has other clips.
    """
    folds = [fold for fold in protocols.get(run.protocol).folds(table) if fold.part == "test"]
    if len(folds) > 1 or tables.digest(table) != run.data_digest:
        raise ModelError(f"{run.id} has no single model that was tested on clips of this table: run it again, --heard")
    tested = {one.heard: _tested(model, one.values, folds[0]) for one in heard}
    return [_heard(run, one, table, [_Outcome([], 0, 0, model, heard=tested)], folds) for one in heard]


def _heard(
    run: Run, inputs: ModelInput, table: pd.DataFrame, outcomes: "list[_Outcome]", folds: list[protocols.Fold]
) -> Run:
    """The run of the same models on test clips that are heard in a condition."""
    predictions = evaluation.rounded(
        _all_rows(table, [outcome.heard[inputs.heard] for outcome in outcomes if outcome.heard], folds)
    )
    return replace(
        run,
        id=runs.id_of(run.recipe, run.protocol, run.data_digest, cv=False, heard=inputs.heard),
        tables=Tables(predictions),
        scores=evaluation.scores(predictions),
        cv=False,
        versions=replace(run.versions, features=f"{run.versions.features}; tested on {inputs.version}"),
        heard=inputs.heard,
    )


def run_on(
    recipe,
    table: pd.DataFrame,
    other: OtherCorpus,
    *,
    features: ModelInput,
    tested: ModelInput,
    calibration: str = "",
    training: Training = UNWATCHED,
) -> Run:
    """Fit on all clips of a table, and predict the clips of another corpus.

    Parameters
    ----------
    recipe : Recipe, str, OwnCode or classifier
        As in `run`.
    table : pd.DataFrame
        A feature table, or rows of an index.
    other : OtherCorpus
    features, tested : ModelInput
        The features of the table's clips, and those of the other corpus's clips, without augmentation.
    calibration : str
        What the model hears of each speaker of the other corpus before, as `protocols.calibrated` takes it.
    training : Training, optional
        Of a network.

    Returns
    -------
    Run
        Clips whose emotion the table lacks are in the part "other", which is in no score.

    Raises
    ------
    ModelError
        If the table's clips are all of one class, or the model cannot learn its classes or cannot be calibrated.
    ProtocolError
        If the calibration is not known, or a speaker has too few clips.
    TrainingError
        If a network's loss is no longer a finite number.
    """
    started = time.perf_counter()
    recipe, classifier = _recipe_and_classifier(recipe, table, features)
    classes, labels, _ = check(recipe, table)
    estimator = _of_classes(recipe, classifier, classes)
    columns = ["stem", "corpus", "speaker", "gender", "emotion", "label"]
    both = pd.concat([table[columns], other.clips[columns]], ignore_index=True)
    fold = protocols.Fold(0, "test", np.arange(len(table)), np.arange(len(table), len(both)))
    protocol = other.protocol
    if calibration:
        protocol = protocols.calibrated(protocol, calibration)
        fold = protocols.with_known(fold, both, calibration)
    values = np.concatenate([features.values, _in_the_form_of(features.values, tested.values)])
    data_digest = tables.digest(table)
    run_id = runs.id_of(recipe, protocol, data_digest, cv=False)
    options: dict[str, Any] = dict.fromkeys(_speaker_parameters(estimator, holds_out=True), speakers_of(table))
    if registry.get(recipe.model).trains_in_epochs:
        folder = training.folder and training.folder / run_id
        (outcome,) = _train_each(estimator, values, labels, [(fold, False, options)], {}, training.watch, folder)
    else:
        outcome = _fit_and_predict(estimator, values, labels, fold, False, {}, **options)
    predictions = _all_rows(both, outcome.parts, [fold], classes)
    return Run(
        id=run_id,
        recipe=recipe,
        protocol=protocol,
        data_digest=data_digest,
        clips=len(table),
        tables=Tables(predictions, outcome.curve),
        scores=evaluation.scores(predictions),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        cv=False,
        versions=Versions(
            features.version, preprocessing.VERSION, deep.VERSION if outcome.layers else "", features.weights
        ),
        environment=Environment.here(),
        seconds=Seconds(
            round(time.perf_counter() - started, 2), round(outcome.fit_seconds, 3), round(outcome.predict_seconds, 4)
        ),
        found=[outcome.found] if outcome.found else [],
        layers=outcome.layers or [],
        learned_from=outcome.learned_from,
        tested_on=other.about,
        training=_counted([outcome.trained], classes),
    )


def _recipe_and_classifier(given, table: pd.DataFrame, features: ModelInput | None) -> tuple[Recipe, Any]:
    """The recipe of what is to be run, and its unfitted classifier."""
    if isinstance(given, str):
        given = registry.recipe(given)
    if isinstance(given, Recipe):
        return given, build(given)
    if not isinstance(given, OwnCode):
        seen = features.features if features else getattr(tables.features_of(table), "key", "mean180")
        given = own_code(given, features=seen)
    return given.recipe, given.estimator


def _of_classes(recipe: Recipe, classifier, classes: tuple[str, ...]) -> EmotionClassifier:
    if recipe.origin == "code":
        return OwnClassifier(classifier, classes, recipe.model)
    return EmotionClassifier(classifier, classes)


def _speaker_parameters(estimator: EmotionClassifier, *, holds_out: bool) -> list[str]:
    """The parameters of a classifier's `fit` that take the speaker of each clip.

    `groups` make splits inside the training clips speaker-independent, which they shall be only where the test is.
    """
    names = ("groups", "speakers") if holds_out else ("speakers",)
    return [name for name in names if has_fit_parameter(estimator.estimator, name)]


def _in_the_form_of(trained: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Features of test clips with the precision and, where training clips have copies, the shape of the others'."""
    if trained.ndim > values.ndim:  # predictions are from the first copy, the original
        values = np.repeat(values[:, np.newaxis], trained.shape[1], axis=1)
    return values.astype(trained.dtype)


def build(recipe: Recipe):
    """Build an unfitted classifier with the recipe's parameters, or one that searches them in each fit.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    classifier with `fit` and `predict_proba`

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if recipe.origin != "nested":
        return registry.build(recipe)
    from ser_core.experiments import nested  # which loads Optuna, and predictions need none

    return nested.NestedSearch(recipe)


def _of_table(table: pd.DataFrame, recipe: Recipe) -> ModelInput:
    held = tables.features_of(table)
    if held is None or (held.key, "none") != (recipe.features, recipe.augmentation):
        raise ModelError(
            f"{recipe.model!r} sees {recipe.features}, and the table holds "
            f"{held.key if held else 'no features of today'}: load its features first (features.model_input)"
        )
    return ModelInput(held.key, "none", held.version, tables.matrix(table, held))


@dataclass(frozen=True)
class _Outcome:
    # Part, fold, row numbers, probabilities [shape=(rows, 16)], and distances [shape=(rows,)] if the model has them.
    parts: list[tuple[str, int, np.ndarray, np.ndarray, np.ndarray | None]]
    fit_seconds: float
    predict_seconds: float
    model: EmotionClassifier | None
    curve: pd.DataFrame | None = None  # of a network, as `layers`
    layers: list[dict] | None = None
    learned_from: int = 0  # clips, without those for validation
    found: dict | None = None  # of nested cross-validation
    heard: dict[str, tuple] = field(default_factory=dict)  # condition -> the test part, as in `parts`
    # Kind -> confusion matrix of training clips, of a test fold whose training part is not among `parts`.
    trained: dict[str, np.ndarray] = field(default_factory=dict)


def _train_each(estimator, features, labels, work, others, watch, folder):
    """Fit a network on each fold, one after another."""
    for number, (fold, keep, options) in enumerate(work, start=1):
        where = {"part": fold.part, "fold": fold.number}
        if watch:
            options["watch"] = partial(_report, watch, {"fit": number, "fits": len(work)} | where)
        if folder:
            options["checkpoint"] = folder / f"{fold.part}-{fold.number}"
        model = clone(estimator)
        outcome = _fit_and_predict(model, features, labels, fold, keep, others, threads=None, **options)
        network = model.estimator_
        curve = pd.DataFrame(network.history_).drop(columns="epochs").assign(**where)
        # The sum over epochs, so that a resumed fit counts the epochs from before it was interrupted.
        seconds = float(curve["seconds"].sum())
        yield replace(
            outcome, curve=curve, fit_seconds=seconds, layers=network.summary(), learned_from=network.learned_from_
        )


def _report(watch, where: dict, epoch: dict) -> None:
    watch(where | epoch)


def _fit_and_predict(
    estimator: EmotionClassifier,
    features: np.ndarray,
    labels: np.ndarray,
    fold: protocols.Fold,
    keep: bool,
    others: Mapping[str, np.ndarray],
    *,
    threads: int | None = 1,
    **options,
) -> _Outcome:
    """Fit on a fold's training clips and predict the others; with `keep`, predict the training clips too.

    Test clips are predicted in `others`, too: the features of all clips by recording condition.
    """
    with threadpool_limits(threads):
        start = time.perf_counter()
        model = estimator.fit(features[fold.train], labels[fold.train], **options)
        fitted = time.perf_counter()
        parts = [_tested(model, features, fold)]
        predicted = time.perf_counter()
        if keep:
            parts.insert(0, _predicted(model, features, "train", fold.number, fold.train))
        found = getattr(model.estimator_, "found_", None)
        return _Outcome(
            parts,
            fitted - start,
            predicted - fitted,
            model if keep else None,
            found=found and {"part": fold.part, "fold": fold.number} | found,
            heard={
                condition: _tested(model, values, fold) for condition, values in others.items() if fold.part == "test"
            },
            trained={} if keep or fold.part != "test" else _trained(model, features, labels, fold.train),
        )


def _tested(model: EmotionClassifier, features: np.ndarray, fold: protocols.Fold) -> tuple:
    """The held-out clips as in `_Outcome.parts`, without the offsets of speakers who are known before."""
    if fold.known:
        recorded = features[:, 0] if features.ndim == 3 else features  # of copies, which are for training only
        features = recorded.copy()
        for one in fold.known:
            features[one.tested] -= model.speaker_offset(recorded[one.clips], one.emotion)
    return _predicted(model, features, fold.part, fold.number, fold.held_out)


def _trained(model: EmotionClassifier, features: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> dict:
    """The confusion matrix of each kind on clips that the model was trained on; of many, on some, evenly drawn."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), TRAINED_COUNTED)).astype(int)]
    given = model.predict_proba(features[chosen])
    predictions = pd.DataFrame(given, columns=evaluation.probability_columns(model.classes)).assign(
        truth=labels[chosen]
    )
    return {kind: evaluation.confusion(predictions, kind) for kind in evaluation.kinds(predictions)}


def _counted(trained: Iterable[dict[str, np.ndarray]], classes: tuple[str, ...]) -> dict:
    """`Run.training` of the confusion matrices of all folds."""
    total: dict[str, np.ndarray] = {}
    for of_fold in trained:
        for kind, matrix in of_fold.items():
            total[kind] = total.get(kind, 0) + matrix
    return {kind: runs.counts_of(matrix, evaluation.names_of(classes, kind)) for kind, matrix in total.items()}


def _predicted(model: EmotionClassifier, features: np.ndarray, part: str, fold: int, rows: np.ndarray) -> tuple:
    """As `_Outcome.parts` has them."""
    return part, fold, rows, model.predict_proba(features[rows]), model.distances(features[rows])


def _all_rows(
    table: pd.DataFrame, parts: Iterable[tuple], folds: list[protocols.Fold], classes: tuple[str, ...] = ()
) -> pd.DataFrame:
    """The predictions of all parts. The classes are those of the table if they are not given.

    Test clips whose emotion no training clip of their fold has are in the part that is in no score.
    """
    classes = classes or classes_of(table["label"], table["emotion"])[0]
    table = table.assign(truth=table["label" if classes == LABELS else "emotion"])
    predictions = pd.concat([_rows(table, classes, *part) for part in parts], ignore_index=True)
    emotions, of_clips = table["emotion"].to_numpy(), predictions["truth"].map(emotion_of)
    for fold in folds:
        theirs = (predictions["part"] == "test") & (predictions["fold"] == fold.number)
        predictions.loc[theirs & ~of_clips.isin(emotions[fold.train]), "part"] = evaluation.OTHER
    if (predictions["part"] == evaluation.OTHER).any() and not (predictions["part"] == "test").any():
        raise ProtocolError("No test clip has an emotion of the training clips. Choose another protocol or other clips")
    return predictions


def _rows(
    table: pd.DataFrame,
    classes: tuple[str, ...],
    part: str,
    fold: int,
    rows: np.ndarray,
    probabilities: np.ndarray,
    distances: np.ndarray | None,
) -> pd.DataFrame:
    clips = table.iloc[rows].assign(clip=table["stem"].iloc[rows], part=part, fold=fold)
    known = clips[[name for name in evaluation.ROW_COLUMNS if name in clips]].reset_index(drop=True)
    values = pd.DataFrame(probabilities.astype(np.float32), columns=evaluation.probability_columns(classes))
    if distances is not None:
        values[evaluation.DISTANCE] = distances.astype(np.float32)
    return pd.concat([known, values], axis=1)
