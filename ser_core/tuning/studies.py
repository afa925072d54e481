"""Studies: what is tuned and how; creating, resuming and finding them."""

import logging
import re
import warnings
from collections.abc import Callable, Iterable
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

from ser_core import interrupts, records
from ser_core.environment import versions
from ser_core.errors import DamagedError, TuningError
from ser_core.evaluation import protocols
from ser_core.features import registry as feature_sets
from ser_core.features import tables
from ser_core.models import registry, search_spaces
from ser_core.models.presets import NAME
from ser_core.settings import Settings
from ser_core.tuning import storage

logger = logging.getLogger(__name__)

SAMPLERS = {"tpe": TPESampler, "random": RandomSampler}
PRUNERS: dict[str, Callable] = {
    "median": partial(MedianPruner, n_startup_trials=5),
    "wilcoxon": partial(WilcoxonPruner, p_threshold=0.1),
    "none": NopPruner,
}
_OF_PLAN = re.compile(rf"(\w+)-(ours|study)-(study|actors)(\d)-({'|'.join(SAMPLERS)})-({'|'.join(PRUNERS)})-s(\d+)")
MINE = "-mine"  # suffix of a study's name where a shipped study has the plan's name

# Optuna's log lines repeat what is in the study; heartbeats have been "experimental" since 2.9.
optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=ExperimentalWarning)


@dataclass(frozen=True)
class Plan:
    """What is tuned, and how. It is saved in the study, where every worker reads it.

    Parameters
    ----------
    model : str
    space : {"ours", "study"}
        The search space.
    cv : {"study", "actors"}
        Folds of clips at random (accuracy), or speaker-independent folds (UAR).
    folds : int
        3 to 5.
    sampler : {"tpe", "random"}
    pruner : {"median", "wilcoxon", "none"}
    seed : int
    """

    model: str
    space: str = "ours"
    cv: str = "study"
    folds: int = protocols.CV_FOLDS
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 9

    @property
    def name(self) -> str:
        """The study's default name: the same plan has the same name."""
        return f"{self.model}-{self.space}-{self.cv}{self.folds}-{self.sampler}-{self.pruner}-s{self.seed}"

    @classmethod
    def of_name(cls, name: str) -> "Plan | None":
        """The plan with that name.

        Parameters
        ----------
        name : str

        Returns
        -------
        Plan or None
            None if no plan has that name.
        """
        if not (found := _OF_PLAN.fullmatch(name)):
            return None
        model, space, cv, folds, sampler, pruner, seed = found.groups()
        return cls(model, space, cv, int(folds), sampler, pruner, int(seed))

    def check(self) -> None:
        """Check that the plan can be carried out.

        Raises
        ------
        ModelError, TuningError
            If a name is not known, or the number of folds is out of bounds.
        """
        search_spaces.get(self.model, self.space)
        for what, value, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if value not in known:
                raise TuningError(f"There is no {what} {value!r}; there is {', '.join(known)}")
        if self.cv not in ("study", "actors"):
            raise TuningError(f"There are no folds {self.cv!r}; there is study (actors on both sides) and actors")
        if not 3 <= self.folds <= protocols.CV_FOLDS:
            raise TuningError(f"Tuning takes 3 to {protocols.CV_FOLDS} folds, not {self.folds}")


@dataclass(frozen=True, kw_only=True)
class _Facts(Plan):
    """The attributes that each study has."""

    trials: int
    data_digest: str
    made: str


@dataclass(frozen=True)
class Found:
    """A study that can be opened.

    Parameters
    ----------
    name : str
    url : str
        Of its database.
    shipped : bool
    """

    name: str
    url: str
    shipped: bool


def create(plan: Plan, url: str, table: pd.DataFrame, *, trials: int, name: str = "", resume: bool = False):
    """Create a study, or with `resume` open the existing one to continue it.

    Parameters
    ----------
    plan : Plan
    url : str
        Of the database.
    table : pd.DataFrame
        A feature table.
    trials : int
        Wanted in all, including those that have ended.
    name : str
        The plan's if not given.
    resume : bool

    Returns
    -------
    optuna.Study

    Raises
    ------
    TuningError
        If the plan cannot be carried out, the name is taken, or the study to resume has another plan or other clips.
    """
    plan.check()
    name = name or plan.name
    if not NAME.fullmatch(name):
        raise TuningError(f"{name!r} is no name for a study: letters, digits, '.', '_' and '-', at most 80")
    if trials < 1:
        raise TuningError(f"{trials} trials find nothing: give 1 or more")
    protocols.tuning_folds(table, plan.cv, plan.folds)  # raises if the clips cannot be split so
    facts = vars(plan) | {"data_digest": tables.digest(table), "features": _features(plan.model, table)}
    with storage.reachable(url):
        database = storage.connect(url)
        known = name in optuna.get_all_study_names(database)
        if known and not resume:
            raise TuningError(f"There is a study {name!r} already: go on with it (--resume) or give another --name")
        with interrupts.held():
            study = optuna.create_study(study_name=name, storage=database, direction="maximize", load_if_exists=True)
            if known:
                _assert_same(study, facts)
            for key, value in facts.items():
                study.set_user_attr(key, value)
            study.set_user_attr("trials", max(trials, study.user_attrs.get("trials", 0)))
            if "made" not in study.user_attrs:  # it is new, or a kill cut its start off
                study.set_user_attr("versions", versions() | {"optuna": optuna.__version__})
                study.set_user_attr("made", datetime.now(UTC).isoformat(timespec="seconds"))
        _retry_stopped(study)
    return study


def own_name(plan: Plan, found: Iterable[Found], name: str = "") -> str:
    """The name of this installation's own study of a plan, which is never that of a shipped one.

    Parameters
    ----------
    plan : Plan
    found : iterable of Found
        The studies that are there.
    name : str
        The name asked for, if any.

    Returns
    -------
    str
        The plan's name if none is asked for, with the suffix `MINE` if a shipped study has it. An own study that has
        the name already keeps it.

    Raises
    ------
    TuningError
        If the name asked for is a shipped study's.
    """
    is_shipped = {one.name: one.shipped for one in found}  # the own ones last
    if name and is_shipped.get(name):
        raise TuningError(f"Study {name!r} ships with the project. Give yours another --name, such as {name}{MINE}")
    return name or (f"{plan.name}{MINE}" if is_shipped.get(plan.name) else plan.name)


def _features(model: str, table: pd.DataFrame) -> str:
    """The features to tune on: those of the table, if the model is fitted on tables."""
    known, held = registry.get(model), tables.features_of(table)
    default = known.presets["default"].features
    return held.key if held and default in feature_sets.tables() and not known.trains_in_epochs else default


def _assert_same(study: optuna.Study, facts: dict) -> None:
    for key, value in facts.items():
        old = study.user_attrs.get(key, value)
        if old != value:
            what = "is of other clips" if key == "data_digest" else f"has {key} {old!r}, not {value!r}"
            raise TuningError(f"Study {study.study_name!r} {what}. Give another --name")


def _retry_stopped(study: optuna.Study) -> None:
    """Queue the trials that failed because the work was stopped."""
    trials = study.get_trials(deepcopy=False)
    again = {number for trial in trials for number in RetryHeartbeatStaleTrialCallback.retry_history(trial)}
    for trial in trials:
        if trial.state == TrialState.FAIL and trial.user_attrs.get("stopped") and trial.number not in again:
            RetryHeartbeatStaleTrialCallback()(study, trial)


def read_all(settings: Settings, own: str = "") -> tuple[list[Found], dict[str, str]]:
    """The shipped studies, and this installation's own; and what cannot be read.

    Parameters
    ----------
    settings : Settings
    own : str
        The URL of the database of its own studies, if that is not `storage.url`.

    Returns
    -------
    found : list of Found
    unreadable : dict of str to str
        Name of a study, or URL of a database -> what is wrong with it, and the way out.
    """
    found, unreadable = [], {}
    for url, is_shipped in ((storage.shipped_url(settings), True), (own or storage.url(settings), False)):
        if not storage.exists(url):
            continue
        try:
            with storage.reachable(url):
                kept = _storage(url).get_all_studies()
        except TuningError as error:
            unreadable[url] = str(error)
            continue
        for study in kept:
            if fault := _fault(study.study_name, study.user_attrs):
                unreadable[study.study_name] = fault
            else:
                found.append(Found(study.study_name, url, is_shipped))
    return found, unreadable


def _fault(name: str, facts: dict) -> str:
    """What is wrong with a study of these attributes; empty if nothing is."""
    try:
        kept = {key: value for key, value in facts.items() if key in _Facts.__dataclass_fields__}
        records.as_record(_Facts, kept, "the study")
        return ""
    except DamagedError as error:
        plan = Plan.of_name(name.removesuffix(MINE))
        model = plan.model if plan else "MODEL"
        way_out = f"If its start was cut off, start it again: python -m ser_core tune {model} --name {name} --resume"
        return f"Study {name} cannot be read: {error}. {way_out}"


def list_all(settings: Settings, own: str = "") -> list[Found]:
    """The studies of `read_all`; what cannot be read is logged.

    Parameters
    ----------
    settings : Settings
    own : str
        The URL of the database of its own studies, if that is not `storage.url`.

    Returns
    -------
    list of Found
    """
    found, unreadable = read_all(settings, own)
    for says in unreadable.values():
        logger.warning("%s", says)
    return found


def load(found: Found) -> optuna.Study:
    """Open a study for reading.

    Parameters
    ----------
    found : Found

    Returns
    -------
    optuna.Study

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

    Returns
    -------
    Found

    Raises
    ------
    TuningError
        If there is none, or it cannot be read.
    """
    found, unreadable = read_all(settings)
    known = {one.name: one for one in found}
    if name in known:
        return known[name]
    if name in unreadable:
        raise TuningError(unreadable[name])
    faults = "".join(f". {says}" for says in unreadable.values())
    raise TuningError(f"There is no study {name!r}; there is {', '.join(known) or 'none yet'}{faults}")


def _storage(url: str) -> optuna.storages.RDBStorage:
    """A database, opened once: that takes longer than reading it. Another file in its place is another database."""
    return _opened(url, storage.stamp(url))


@cache
def _opened(url: str, stamp: tuple) -> optuna.storages.RDBStorage:
    return storage.connect(url)


def open_in(name: str, database: optuna.storages.RDBStorage) -> optuna.Study:
    """The study of that name in a database.

    Parameters
    ----------
    name : str
    database : optuna.storages.RDBStorage

    Returns
    -------
    optuna.Study

    Raises
    ------
    TuningError
        If there is none.
    """
    try:
        return optuna.load_study(study_name=name, storage=database)
    except KeyError:
        raise TuningError(f"There is no study {name!r} in {storage.without_password(database.url)}") from None
