"""Studies: what is tuned and how, made, gone on with, and found again."""

import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

import optuna
import pandas as pd
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState

from ser_core.environment import versions
from ser_core.errors import TuningError
from ser_core.evaluation import protocols
from ser_core.features import registry as feature_sets
from ser_core.features import tables
from ser_core.models import registry, search_spaces
from ser_core.models.presets import NAME
from ser_core.settings import Settings
from ser_core.tuning import storage

SAMPLERS = {"tpe": TPESampler, "random": RandomSampler}
PRUNERS = {
    "median": partial(MedianPruner, n_startup_trials=5),
    "wilcoxon": partial(WilcoxonPruner, p_threshold=0.1),
    "none": NopPruner,
}
_OF_PLAN = re.compile(rf"(\w+)-(ours|study)-(study|actors)(\d)-({'|'.join(SAMPLERS)})-({'|'.join(PRUNERS)})-s(\d+)")

# What Optuna would say of each trial stands in the study; that heartbeats are "experimental" has stood there since 2.9.
optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=ExperimentalWarning)


@dataclass(frozen=True)
class Plan:
    """What is tuned, and how. It is kept in the study, where every worker reads it."""

    model: str
    space: str = "ours"
    cv: str = "study"
    folds: int = protocols.CV_FOLDS
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 9

    @property
    def name(self) -> str:
        """The name of the study if none is given: the same plan has the same name."""
        return f"{self.model}-{self.space}-{self.cv}{self.folds}-{self.sampler}-{self.pruner}-s{self.seed}"

    @classmethod
    def of_name(cls, name: str) -> "Plan | None":
        """The plan with that name; None for a name that is no plan's."""
        if not (found := _OF_PLAN.fullmatch(name)):
            return None
        model, space, cv, folds, sampler, pruner, seed = found.groups()
        return cls(model, space, cv, int(folds), sampler, pruner, int(seed))

    def check(self) -> None:
        """Assert that it can be done.

        Raises
        ------
        ModelError, TuningError, ProtocolError
            If a name or a number is none of those that there are.
        """
        search_spaces.get(self.model, self.space)
        for what, value, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if value not in known:
                raise TuningError(f"There is no {what} {value!r}; there is {', '.join(known)}")
        if self.cv not in ("study", "actors"):
            raise TuningError(f"There are no folds {self.cv!r}; there is study (actors on both sides) and actors")
        if not 3 <= self.folds <= protocols.CV_FOLDS:
            raise TuningError(f"Tuning takes 3 to {protocols.CV_FOLDS} folds, not {self.folds}")


@dataclass(frozen=True)
class Found:
    """A study that can be opened."""

    name: str
    url: str
    shipped: bool


def create(plan: Plan, url: str, table: pd.DataFrame, *, trials: int, name: str = "", resume: bool = False):
    """Make a study, or with `resume` open the one of that name to go on with it, up to `trials` trials in all.

    Returns
    -------
    optuna.Study

    Raises
    ------
    TuningError
        If the plan cannot be done, the name is taken, or the study to resume has another plan or other clips.
    """
    plan.check()
    name = name or plan.name
    if not NAME.fullmatch(name):
        raise TuningError(f"{name!r} is no name for a study: letters, digits, '.', '_' and '-', at most 80")
    if trials < 1:
        raise TuningError(f"{trials} trials find nothing: give 1 or more")
    protocols.tuning_folds(table, plan.cv, plan.folds)  # raises where the clips do not allow it
    facts = vars(plan) | {"data_digest": tables.digest(table), "features": _features(plan.model, table)}
    with storage.reachable(url):
        database = storage.connect(url)
        known = name in optuna.get_all_study_names(database)
        if known and not resume:
            raise TuningError(f"There is a study {name!r} already: go on with it (--resume) or give another --name")
        study = optuna.create_study(study_name=name, storage=database, direction="maximize", load_if_exists=True)
        if known:
            _assert_same(study, facts)
        for key, value in facts.items():
            study.set_user_attr(key, value)
        study.set_user_attr("trials", max(trials, study.user_attrs.get("trials", 0)) if known else trials)
        if not known:
            study.set_user_attr("made", datetime.now(UTC).isoformat(timespec="seconds"))
            study.set_user_attr("versions", versions() | {"optuna": optuna.__version__})
        _begin_stopped_again(study)
    return study


def _features(model: str, table: pd.DataFrame) -> str:
    """What a model is tuned on: the features that the table holds, if it learns from tables."""
    known, held = registry.get(model), tables.features_of(table)
    default = known.presets["default"].features
    return held.key if held and default in feature_sets.tables() and not known.trains_in_epochs else default


def _assert_same(study: optuna.Study, facts: dict) -> None:
    for key, value in facts.items():
        old = study.user_attrs.get(key, value)
        if old != value:
            what = "is of other clips" if key == "data_digest" else f"has {key} {old!r}, not {value!r}"
            raise TuningError(f"Study {study.study_name!r} {what}. Give another --name")


def _begin_stopped_again(study: optuna.Study) -> None:
    """Queue the trials that ended because someone stopped the work."""
    trials = study.get_trials(deepcopy=False)
    again = {number for trial in trials for number in RetryHeartbeatStaleTrialCallback.retry_history(trial)}
    for trial in trials:
        if trial.state == TrialState.FAIL and trial.user_attrs.get("stopped") and trial.number not in again:
            RetryHeartbeatStaleTrialCallback()(study, trial)


def list_all(settings: Settings) -> list[Found]:
    """The shipped studies, and this installation's own.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    TuningError
        If a database is there and cannot be read.
    """
    found = []
    shipped = [(storage.shipped_url(settings), True)] if storage.shipped_file(settings).is_file() else []
    for url, is_shipped in (*shipped, (storage.url(settings), False)):
        if storage.exists(url):
            with storage.reachable(url):
                names = optuna.get_all_study_names(_storage(url))
            found += [Found(name, url, is_shipped) for name in names]
    return found


def load(found: Found) -> optuna.Study:
    """Open a study, for reading.

    Raises
    ------
    TuningError
        If it is gone.
    """
    with storage.reachable(found.url):
        return open_in(found.name, _storage(found.url))


def find(name: str, settings: Settings) -> Found:
    """The study of that name; this installation's own goes before a shipped one.

    Parameters
    ----------
    name : str
    settings : Settings

    Raises
    ------
    TuningError
        If there is none.
    """
    known = {found.name: found for found in list_all(settings)}
    if name not in known:
        raise TuningError(f"There is no study {name!r}; there is {', '.join(known) or 'none yet'}")
    return known[name]


_storage = cache(storage.connect)  # one connection pool for each database: opening one takes longer than reading it


def open_in(name: str, database: optuna.storages.RDBStorage) -> optuna.Study:
    """The study of that name in a database.

    Parameters
    ----------
    name : str
    database : optuna.storages.RDBStorage

    Raises
    ------
    TuningError
        If there is none.
    """
    try:
        return optuna.load_study(study_name=name, storage=database)
    except KeyError:
        raise TuningError(f"There is no study {name!r} in {storage.said(database.url)}") from None
