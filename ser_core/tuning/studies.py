"""Studies: made, worked on by any number of workers, read while they run, and turned into a preset."""

import dataclasses
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import optuna
import pandas as pd
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import TrialState

from ser_core import experiments, protocols, runs, stopping
from ser_core.errors import TuningError
from ser_core.features import inputs, store
from ser_core.models import presets
from ser_core.settings import PROJECT, Settings
from ser_core.tuning import spaces, storage
from ser_core.tuning.objective import Objective

SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "wilcoxon", "none")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
POLL_S = 1.0  # how often a worker with nothing to do looks whether another's trial came back

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

    def check(self) -> None:
        """Assert that it can be done.

        Raises
        ------
        ModelError, TuningError, ProtocolError
            If a name or a number is none of those that there are.
        """
        spaces.get(self.model, self.space)
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
    facts = vars(plan) | {"data_digest": store.digest(table)}
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
            study.set_user_attr("versions", experiments.versions() | {"optuna": optuna.__version__})
        _begin_stopped_again(study)
    return study


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


def tune(
    study: optuna.Study,
    url: str,
    table: pd.DataFrame,
    *,
    workers: int = 0,
    features: os.PathLike | None = None,
    timeout_s: float | None = None,
    heartbeat_s: int = storage.HEARTBEAT_S,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Work on a study until it has its trials or the time is over: here, and in `workers - 1` processes more.

    Parameters
    ----------
    workers : int
        Processes; 0 is one for each core. With one, the same seed gives the same study.
    features : path, optional
        The file of the table, for the other processes; the shipped one if not given.
    timeout_s : float, optional
        After so many seconds no trial is begun.
    progress : callable, optional
        Told the number of trials that ended and of all.

    Raises
    ------
    TuningError
        If the database cannot be used.
    """
    workers = workers or os.cpu_count() or 1
    # The address may hold a password: it goes by the environment, which other users cannot list.
    command = [sys.executable, "-m", "ser_core", "worker", "--study", study.study_name, "--json"]
    command += ["--heartbeat", str(heartbeat_s)]
    command += ["--features", os.fspath(features)] if features else []
    command += ["--timeout", str(timeout_s)] if timeout_s else []
    others = [
        subprocess.Popen(
            [*command, "--number", str(number)],
            env=os.environ | {"SER_OPTUNA_STORAGE": url},
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
        )
        for number in range(1, min(workers, study.user_attrs["trials"]))
    ]
    try:
        work(study.study_name, url, table, heartbeat_s=heartbeat_s, timeout_s=timeout_s, progress=progress)
        for other in others:
            other.wait()
    finally:
        for other in others:
            if other.poll() is None:
                other.terminate()
        for other in others:
            other.wait()


def work(
    name: str,
    url: str,
    table: pd.DataFrame,
    *,
    number: int = 0,
    timeout_s: float | None = None,
    heartbeat_s: int = storage.HEARTBEAT_S,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Be one worker of a study: do trials until it has as many as it wants. The number of trials done here.

    Parameters
    ----------
    number : int
        Of this worker; samplers with the same seed would try the same.

    Raises
    ------
    TuningError
        If there is no such study, it is of other clips, or the database cannot be used.
    """
    until = time.monotonic() + timeout_s if timeout_s else np.inf
    with storage.reachable(url):
        study = _load(name, storage.connect(url, heartbeat_s=heartbeat_s))
        facts = study.user_attrs
        if facts["data_digest"] != store.digest(table):
            raise TuningError(f"Study {name!r} is of other clips than this feature table. Bring the same one")
        study.sampler = _sampler(facts["sampler"], facts["seed"] + 1000 * number)
        study.pruner = _pruner(facts["pruner"])
        objective = Objective(facts, table)
        unborn = Unborn(heartbeat_s)
        done = 0
        while time.monotonic() < until:
            stopping.check()
            ended, running = count(study)
            if progress:
                progress(min(ended, facts["trials"]), facts["trials"])
            if ended >= facts["trials"]:
                break
            if ended + running >= facts["trials"]:  # the last ones are at work, or dead
                time.sleep(POLL_S)
                fail_stale_trials(study)
                for number in unborn.numbers(study):
                    study.tell(number, state=TrialState.FAIL)
                continue
            with stopping.held():  # so that no trial is left behind that seems to run
                study.optimize(objective, n_trials=1, catch=(Exception,))
            done += 1
        if progress:
            progress(min(count(study)[0], facts["trials"]), facts["trials"])
    return done


class Unborn:
    """Tells trials whose worker died between asking for one and its first sign of life: Optuna has them run for ever.

    Parameters
    ----------
    heartbeat_s : int
        Of the workers. A trial is told when it has been seen for as long as a worker may be silent.
    """

    def __init__(self, heartbeat_s: int = storage.HEARTBEAT_S):
        self._grace_s, self._seen = storage.GRACE_BEATS * heartbeat_s, {}

    def numbers(self, study: optuna.Study) -> set[int]:
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        now = time.monotonic()  # as seen here: the clocks of other machines may differ
        self._seen = {
            trial.number: self._seen.get(trial.number, now) for trial in running if "worker" not in trial.user_attrs
        }
        return {number for number, first in self._seen.items() if now - first > self._grace_s}


def count(study: optuna.Study) -> tuple[int, int]:
    """How many trials ended by themselves, and how many run. One that was stopped or whose worker died did not end."""
    trials = study.get_trials(deepcopy=False)
    ended = sum(
        trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        or (trial.state == TrialState.FAIL and "reason" in trial.user_attrs)
        for trial in trials
    )
    return ended, sum(trial.state == TrialState.RUNNING for trial in trials)


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed)


def _pruner(name: str) -> optuna.pruners.BasePruner:
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5)
    if name == "wilcoxon":
        return optuna.pruners.WilcoxonPruner(p_threshold=0.1)
    return optuna.pruners.NopPruner()


def list_all(settings: Settings) -> list[Found]:
    """The studies that ship, and this installation's own.

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
        return _load(found.name, _storage(found.url))


def find(name: str, settings: Settings) -> Found:
    """The study of that name; this installation's own before one that ships.

    Raises
    ------
    TuningError
        If there is none.
    """
    known = {found.name: found for found in list_all(settings)}
    if name not in known:
        raise TuningError(f"There is no study {name!r}; there is {', '.join(known) or 'none yet'}")
    return known[name]


_open: dict[str, optuna.storages.RDBStorage] = {}


def _storage(url: str) -> optuna.storages.RDBStorage:
    """One connection pool for each database, since opening one takes longer than reading it."""
    if url not in _open:
        _open[url] = storage.connect(url)
    return _open[url]


def _load(name: str, database: optuna.storages.RDBStorage) -> optuna.Study:
    try:
        return optuna.load_study(study_name=name, storage=database)
    except KeyError:
        raise TuningError(f"There is no study {name!r} in {storage.said(database.url)}") from None


def table(study: optuna.Study) -> pd.DataFrame:
    """One row a trial: number, state, value, seconds, began, fold_scores, reason, worker, and `params_<name>`."""
    rows = []
    for trial in study.get_trials(deepcopy=False):
        state = trial.state.name.lower()
        if trial.state == TrialState.FAIL and "reason" not in trial.user_attrs:
            state = "stopped" if trial.user_attrs.get("stopped") else "lost"  # its worker died: it is begun again
        scores = trial.user_attrs.get("fold_scores", [])
        rows.append(
            {
                "number": trial.number,
                "state": state,
                "value": trial.value if trial.state == TrialState.COMPLETE else None,
                "seconds": trial.duration.total_seconds() if trial.duration else None,
                "began": trial.datetime_start,
                "ended": trial.datetime_complete,
                "fold_scores": scores,
                "reason": trial.user_attrs.get("reason", ""),
                "worker": trial.user_attrs.get("worker", ""),
            }
            | {f"params_{name}": value for name, value in trial.params.items()}
        )
    columns = ["number", "state", "value", "seconds", "began", "ended", "fold_scores", "reason", "worker"]
    return pd.DataFrame(rows, columns=None if rows else columns)


def best(study: optuna.Study) -> optuna.trial.FrozenTrial | None:
    """The trial of the highest mean over all folds; None before there is one."""
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(whole, key=lambda trial: trial.value, default=None)


def parameters(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict:
    """All that a trial set, the space's fixed parameters too."""
    return spaces.get(study.user_attrs["model"], study.user_attrs["space"]).parameters(trial.params)


def estimate(plan: Plan, trials: int, workers: int, settings: Settings) -> float | None:
    """Seconds that so many trials of a plan may take, from what trials of that model and space took; None if none has.

    Where no trial was pruned the estimate of a plan that prunes is too long, never too short.
    """
    seconds_a_fold = []
    for found in list_all(settings):
        study = load(found)
        facts = study.user_attrs
        if (facts.get("model"), facts.get("space")) != (plan.model, plan.space):
            continue
        rows = table(study)
        ended = rows[rows["state"].isin(["complete", "pruned"])]
        used = ended["fold_scores"].str.len() if facts["pruner"] == "none" or plan.pruner == "none" else facts["folds"]
        seconds_a_fold += list(ended["seconds"] / np.maximum(used, 1))
    if not seconds_a_fold:
        return None
    return float(np.mean(seconds_a_fold)) * plan.folds * trials / max(1, workers)


def preset_of(
    study: optuna.Study, trial: optuna.trial.FrozenTrial, known: Iterable[presets.Preset]
) -> presets.Preset | None:
    """The preset that was made of a trial and tested, if it is among those known."""
    facts = (study.study_name, trial.number, trial.value, parameters(study, trial))
    same = (one for one in known if (one.study, one.trial, one.score, one.parameters) == facts and one.run)
    return next(same, None)


def save_preset(
    study: optuna.Study,
    feature_table: pd.DataFrame,
    settings: Settings,
    *,
    name: str = "",
    into: os.PathLike | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[presets.Preset, bool]:
    """Make a preset of a study's best trial, and evaluate it on the test part.

    That is done once for a trial: saving it again gives the preset that is there, and looks at no test clip.

    Parameters
    ----------
    name : str
        Of the preset; the study's if not given.
    into : path, optional
        The store; the workspace if not given.

    Returns
    -------
    Preset, bool
        The preset, and whether it is new.

    Raises
    ------
    TuningError
        If no trial has run all folds yet, or the clips are not those of the study.
    """
    chosen = best(study)
    if chosen is None:
        raise TuningError(f"Study {study.study_name!r} has no trial yet that ran all its folds")
    facts = study.user_attrs
    if facts["data_digest"] != store.digest(feature_table):
        raise TuningError(f"Study {study.study_name!r} is of other clips than this feature table. Bring the same one")
    if known := preset_of(study, chosen, presets.list_all(settings.stores, facts["model"])):
        return known, False
    into = into or settings.workspace
    preset = presets.Preset(
        model=facts["model"],
        name=name or study.study_name,
        parameters=parameters(study, chosen),
        space=facts["space"],
        study=study.study_name,
        trial=chosen.number,
        trials=count(study)[0],
        cv=facts["cv"],
        folds=facts["folds"],
        score=chosen.value,
    )
    presets.check_name(preset.name)
    model = presets.with_tuned(preset.model, [preset])
    runs.make_store(into)
    seen = inputs.load(model.input(preset.name), feature_table, settings)
    run = experiments.run(model, feature_table, preset=preset.name, jobs=jobs, progress=progress, seen=seen).run
    runs.save(run, into)
    preset = dataclasses.replace(preset, run=run.id)
    presets.save(preset, into)
    return preset, True
