"""Sweeps: experiments in a TOML file. Each of their combinations is an ordinary run, and is run once."""

import hashlib
import itertools
import logging
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from ser_core import durations, extras
from ser_core.errors import ModelError, SerError, SweepError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, runner
from ser_core.features import augmentation as augmentations
from ser_core.features import elsewhere, encoder, model_input, tables
from ser_core.features import registry as feature_sets
from ser_core.files import atomically
from ser_core.jobs import Task
from ser_core.models import foreign, registry
from ser_core.models.foreign import OwnCode
from ser_core.models.recipe import Recipe
from ser_core.results import comparison, run_titles, runs
from ser_core.results.runs import Run
from ser_core.settings import Settings

logger = logging.getLogger(__name__)

MAX_RUNS = 10_000
# What a file may hold, and an example of it.
EXAMPLES = {
    "models": '["svm", "krr"]',
    "protocols": '["study", "emobox"]',
    "features": '["mean180", "functionals"]',
    "augmentation": '["none", "speaker-perturbation"]',
    "presets": '["default", "study"]',
    "seeds": "[9, 10, 11]",
    "clips": '"F.parquet"',
}
REQUIRED = ("models", "protocols")
SEEDS = (protocols.ORIGINAL_SEED,)  # by default
RANKED = [  # columns of `ranked`
    *("protocol", "clips", "run", "label", "recipe", "seed", "kind"),
    *("accuracy", "low", "high", "uar", "seconds"),
]


@dataclass(frozen=True)
class Sweep:
    """The contents of a file of experiments. An empty tuple leaves the choice to the model or its preset.

    Parameters
    ----------
    models, protocols, features, augmentation, presets : tuple of str
    seeds : tuple of int
    clips : str
        A feature table that `extract` made; empty for the shipped one.
    """

    models: tuple[str, ...]
    protocols: tuple[str, ...]
    features: tuple[str, ...] = ()
    augmentation: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    seeds: tuple[int, ...] = SEEDS
    clips: str = ""


@dataclass(frozen=True, eq=False)
class Clips:
    """What a value of `features` stands for.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table of the clips.
    features : str or None
        As recipes take them; None for each model's own.
    digest : str
        Of the clips, as `tables.digest` gives it.
    folds : dict
        Protocol -> the clips' folds.
    """

    table: pd.DataFrame
    features: str | None
    digest: str
    folds: dict[str, list[protocols.Fold]]


@dataclass(frozen=True, eq=False)
class Combination:
    """One experiment of a sweep.

    Parameters
    ----------
    model, features, augmentation, preset, protocol : str
        As the file names them; empty where it leaves the choice to the model.
    seed : int
    clips : Clips
    made_of : Recipe, OwnCode or None
        None if there is no such recipe.
    run : Run or None
        That exists already.
    seconds : float or None
        How long it takes, estimated; None if that is not known.
    fault : str
        Why it cannot be run; empty if it can.
    """

    model: str
    features: str
    augmentation: str
    preset: str
    protocol: str
    seed: int
    clips: Clips
    made_of: Recipe | OwnCode | None = None
    run: Run | None = None
    seconds: float | None = None
    fault: str = ""

    @property
    def choices(self) -> dict[str, Any]:
        """What the file says of it."""
        return {one.name: getattr(self, one.name) for one in fields(self)[:6]}

    @property
    def title(self) -> str:
        """The same in a line, such as "svm, functionals, emobox, seed 9"."""
        named = [str(value) for name, value in self.choices.items() if value != "" and name != "seed"]
        return ", ".join([*named, f"seed {self.seed}"])

    @property
    def recipe(self) -> Recipe:
        """Its recipe; there is one if it has no fault."""
        assert self.made_of is not None, self.fault
        return self.made_of.recipe if isinstance(self.made_of, OwnCode) else self.made_of

    @property
    def is_to_run(self) -> bool:
        """Whether it can be run and does not exist yet."""
        return not (self.run or self.fault)


@dataclass(frozen=True, eq=False)
class Plan:
    """What a sweep would do.

    Parameters
    ----------
    combinations : list of Combination
    """

    combinations: list[Combination]

    @property
    def to_run(self) -> list[Combination]:
        """Those that are run, in that order: votes of saved runs after the runs that they may be made of."""
        able = [one for one in self.combinations if one.is_to_run]
        return sorted(able, key=lambda one: not registry.get(one.recipe.model).learns_from_clips)

    @property
    def there(self) -> list[Run]:
        """The runs that exist already."""
        return [one.run for one in self.combinations if one.run]

    @property
    def impossible(self) -> list[Combination]:
        """Those that no model can be fitted for, such as a network on a table."""
        return [one for one in self.combinations if one.fault]

    @property
    def reasons(self) -> dict[str, int]:
        """Why some are impossible, and the number of them."""
        return dict(Counter(one.fault for one in self.impossible))

    @property
    def seconds(self) -> float:
        """How long those to run take as far as that is known, without features that have to be extracted first."""
        return sum(one.seconds or 0.0 for one in self.to_run)

    @property
    def unknown(self) -> int:
        """The number of those to run of which it is not known."""
        return sum(one.seconds is None for one in self.to_run)

    @property
    def in_words(self) -> str:
        """How much there is to do, in a sentence or two.

        Returns
        -------
        str
        """
        there, number = len(self.there), len(self.to_run)
        words = f"{there + number} run{'s' * (there + number != 1)}: {there} exist{'s' * (there == 1)}, {number} to run"
        if not number:
            return f"{words}."
        if self.unknown == number:
            return f"{words}. How long they take is not known: there is no run like them yet."
        words += f", which take about {durations.in_words(self.seconds)}"
        words += f" without {self.unknown} of unknown duration" if self.unknown else ""
        return f"{words}. Features that have to be extracted first take longer."


@dataclass(frozen=True, eq=False)
class Outcome:
    """How one combination ended: with a run, or with what went wrong."""

    combination: Combination
    run: Run | None = None
    fault: str = ""


def read_file(file: Path) -> str:
    """The text of a file of experiments.

    Parameters
    ----------
    file : Path

    Returns
    -------
    str

    Raises
    ------
    SweepError
        If it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise SweepError(f"{file} cannot be read ({error.strerror}): give the TOML file of a sweep") from error
    except UnicodeDecodeError as error:
        raise SweepError(f"{file} is no text in UTF-8 ({error.reason}): give the TOML file of a sweep") from error


def read(text: str, settings: Settings, *, from_shell: bool = True) -> Sweep:
    r"""Read a file of experiments, and check every name in it.

    Parameters
    ----------
    text : str
        TOML.
    settings : Settings
    from_shell : bool
        Whether it may name files and code of one's own, which a page must not read or execute.

    Returns
    -------
    Sweep

    Raises
    ------
    SweepError
        If it is not valid. The message names the key and the value.

    Examples
    --------
    >>> from ser_core.settings import Settings
    >>> read('models = ["svm", "kn"]\nprotocols = ["emobox"]', Settings.from_environment()).models
    ('svm', 'kn')
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SweepError(
            f"This is no TOML: {error}. Write a key a line, such as models = {EXAMPLES['models']}"
        ) from None
    for key in given:
        if key not in EXAMPLES:
            raise SweepError(f"There is no key {key!r} in a sweep; there is {', '.join(EXAMPLES)}")
    for key in REQUIRED:
        if key not in given:
            raise SweepError(f"The key {key!r} is missing: add {key} = {EXAMPLES[key]}")
    sweep = Sweep(**{key: _value(key, value) for key, value in given.items()})
    _check_names(sweep, settings, from_shell)
    return sweep


def _value(key: str, value) -> Any:
    """The checked value of a key, without what is in a list twice."""
    example = f"{key} = {EXAMPLES[key]}"
    if key == "clips":
        if not isinstance(value, str) or not value:
            raise SweepError(f"clips is {value!r}: name a feature table, such as {example}")
        return value
    if not isinstance(value, list):
        raise SweepError(f"{key} is {value!r}: write a list, such as {example}")
    if not value:
        raise SweepError(f"{key} is an empty list: name at least one, such as {example}")
    for one in value:
        if key == "seeds" and not (type(one) is int and 0 <= one < 2**32):
            raise SweepError(f"seeds holds {one!r}: write whole numbers from 0 to {2**32 - 1}, such as {example}")
        if key != "seeds" and not (isinstance(one, str) and one):
            raise SweepError(f"{key} holds {one!r}: write names in quotes, such as {example}")
    return tuple(dict.fromkeys(value))


def _check_names(sweep: Sweep, settings: Settings, from_shell: bool) -> None:
    if not from_shell:
        own = [("models", one) for one in sweep.models if foreign.is_key(one)]
        own += [("features", one) for one in sweep.features if elsewhere.is_file(one)]
        own += [("clips", sweep.clips)] if sweep.clips else []
        for key, one in own:
            raise SweepError(f"{key} holds {one!r}: files and code of your own are for a shell: ser sweep F.toml")
    for model in sweep.models:
        with _told("models", model):
            if model.startswith(foreign.IMPORTED):
                raise ModelError("It predicted elsewhere, so that it cannot be run here: leave it out")
            get = foreign.from_shell if foreign.is_key(model) else registry.get
            get(model)
    for one in sweep.features:
        if not elsewhere.is_file(one):
            with _told("features", one):
                feature_sets.key_of(one)
    for one in sweep.augmentation:
        with _told("augmentation", one):
            augmentations.get(one)
    for one in sweep.protocols:
        with _told("protocols", one):
            protocols.get(one)
    there = list(dict.fromkeys(name for key in sweep.models for name in registry.get(key, settings.stores).presets))
    for one in sweep.presets:
        if one not in there:
            raise SweepError(f"presets holds {one!r}, which none of these models has; there is {', '.join(there)}")
    axes = (sweep.models, sweep.protocols, sweep.features, sweep.augmentation, sweep.presets, sweep.seeds)
    if (number := int(np.prod([len(one) or 1 for one in axes], dtype=float))) > MAX_RUNS:
        raise SweepError(f"These are {number:,} runs, more than {MAX_RUNS:,}: write several files")


@contextmanager
def _told(key: str, value: str) -> Iterator[None]:
    """Say in errors which value of which key they are about."""
    try:
        yield
    except SerError as error:
        raise SweepError(f"{key} holds {value!r}. {error}") from error


def plan(sweep: Sweep, settings: Settings, *, found: Iterable[Run] | None = None, jobs: int = -1) -> Plan:
    """What a sweep would do: the combinations, which of them exist, and how long the others take.

    Nothing is extracted and nothing is fitted. A duration is that of a run of the same recipe, or is estimated from its
    fits.

    Parameters
    ----------
    sweep : Sweep
    settings : Settings
    found : iterable of Run, optional
        The runs that exist; by default those of the stores.
    jobs : int
        Processes, as joblib counts them.

    Returns
    -------
    Plan

    Raises
    ------
    SweepError
        If the clips cannot be split by a protocol, features are not those of the clips, or no combination can be run.
    SerError
        If a file cannot be used.
    """
    with _told("clips", sweep.clips):
        table = tables.read(Path(sweep.clips) if sweep.clips else settings.feature_table)
    earlier = _by_recipe(runs.list_all(settings.stores) if found is None else found)
    processes = joblib.effective_n_jobs(jobs)
    rest = sweep.augmentation or ("",), sweep.models, sweep.presets or ("",), sweep.protocols
    made: dict[tuple, list[Combination]] = {}
    for features in sweep.features or ("",):
        clips = _clips(features, table, sweep)
        for augmentation, model, preset, protocol in itertools.product(*rest):
            first = Combination(model, features, augmentation, preset, protocol, sweep.seeds[0], clips)
            planned = _of_seeds(first, sweep.seeds, settings, earlier, processes)
            recipe = planned[0].made_of and _without_seed(planned[0].recipe)
            same = recipe or tuple(planned[0].choices.values())  # several names may stand for one recipe
            made.setdefault((same, protocol, clips.digest), planned)
    combinations = [one for planned in made.values() for one in planned]
    if all(one.fault for one in combinations):
        raise SweepError(f"None of the {len(combinations)} combinations can be run. {combinations[0].fault}")
    return Plan(combinations)


def _clips(named: str, table: pd.DataFrame, sweep: Sweep) -> Clips:
    key: str | None = named
    if named.startswith(encoder.PREFIX):
        with _told("features", named):
            encoder.load(Path(named.removeprefix(encoder.PREFIX)))
    elif elsewhere.is_file(named):
        with _told("features", named):
            table = elsewhere.of_file(Path(named), table) if elsewhere.is_named(named) else tables.read(Path(named))
        key = _key(table)
    elif not named:
        key = _key(table) if sweep.clips else None
    folds = {}
    for protocol in sweep.protocols:
        with _told("protocols", protocol):
            folds[protocol] = protocols.get(protocol).folds(table)
    return Clips(table, key, tables.digest(table), folds)


def _key(table: pd.DataFrame) -> str:
    held = tables.features_of(table)
    assert held is not None, "it was read as a feature table"
    return held.key


def _of_seeds(
    one: Combination, seeds: Sequence[int], settings: Settings, earlier: dict[str, list[Run]], processes: int
) -> list[Combination]:
    """A combination with each seed: its recipe, and its run or why there can be none."""
    if not registry.get(one.model).learns_from_clips:
        one = replace(one, features="", augmentation="")  # of a vote of runs, its members have them
    try:
        one = replace(one, made_of=_made_of(one, settings))
        _check(one)
    except SerError as error:
        return [replace(one, seed=seed, fault=str(error)) for seed in seeds]
    like = earlier.get(_without_seed(one.recipe), [])
    one = replace(one, seconds=_seconds(one, like, processes))
    planned = []
    for seed in seeds:
        made_of = replace(one.made_of, seed=seed) if isinstance(one.made_of, Recipe) else None
        each = replace(one, seed=seed, made_of=made_of)
        each = each if made_of else replace(each, made_of=_made_of(each, settings))
        planned.append(replace(each, run=_find(each, like)))
    return planned


def _made_of(one: Combination, settings: Settings) -> Recipe | OwnCode:
    if foreign.is_key(one.model):
        if one.augmentation not in ("", "none") or one.preset not in ("", "default"):
            raise ModelError(f"{one.model} is own code, which takes no augmentation and has no presets")
        return foreign.from_shell(one.model, features=one.clips.features or "mean180", seed=one.seed)
    return registry.recipe(
        one.model,
        one.preset or None,
        features=one.clips.features if registry.get(one.model).learns_from_clips else None,
        augmentation=one.augmentation or None,
        seed=one.seed,
        stores=settings.stores,
    )


def _check(one: Combination) -> None:
    """Raise what is known beforehand to keep a combination from being run."""
    model = registry.get(one.recipe.model)
    if model.trains_in_epochs:
        extras.require("train", f"Model {model.key}")
    if model.learns_from_clips:
        runner.check(one.recipe, one.clips.table, one.protocol)


def _by_recipe(found: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs that a combination may be, or whose durations tell its own; whatever their seeds."""
    made: dict[str, list[Run]] = {}
    for run in found:
        if not (run.bundle or run.heard or run.recipe.origin == "imported"):
            made.setdefault(_without_seed(run.recipe), []).append(run)
    return made


def _without_seed(recipe: Recipe) -> str:
    """What recipes share that differ in their seed alone; those of votes, whatever their members have seen."""
    seen = recipe.features if registry.get(recipe.model).learns_from_clips else ""
    parameters = recipe.parameters
    if recipe.origin == "code":
        seeds = {name for name, value in parameters.items() if name.endswith("random_state") and value == recipe.seed}
        parameters = parameters | dict.fromkeys(seeds)
    return replace(recipe, seed=0, features=seen, parameters=parameters).digest


def _find(one: Combination, like: Sequence[Run]) -> Run | None:
    """The run of a combination among those of its recipe; of several, an own one, and the newest."""
    has_cv = any(fold.part == "cv" for fold in one.clips.folds[one.protocol])
    same = (one.protocol, one.clips.digest, one.seed)
    found = [run for run in like if (run.protocol, run.data_digest, run.recipe.seed) == same]
    return next((run for run in reversed(found) if run.cv or not has_cv), None)


def _seconds(one: Combination, like: Sequence[Run], processes: int) -> float | None:
    """How long a combination takes: as one that differs in its seed, or as many fits as one of the same recipe has."""
    model = registry.get(one.recipe.model)
    if not model.learns_from_clips:
        return 0.0  # a mean of saved predictions
    timed = [run for run in like if run.seconds.total]
    timed = [run for run in timed if not run.shipped] or timed  # shipped runs were made on another machine
    test = (one.protocol, one.clips.digest)
    if same := [run.seconds.total for run in timed if (run.protocol, run.data_digest) == test]:
        return float(np.median(same))
    folds = one.clips.folds[one.protocol]
    rounds = len(folds) if model.trains_in_epochs else -(-len(folds) // processes)
    return float(np.median([run.seconds.fit for run in timed])) * rounds if timed else None


def task(text: str, settings: Settings, number: int) -> Task:
    """The job that runs a file of experiments, which `keep` writes where it is found.

    Parameters
    ----------
    text : str
        TOML.
    settings : Settings
    number : int
        Of the runs that are missing, for the title.

    Returns
    -------
    Task
        With the same arguments for the same text.
    """
    file = _file(text, settings)
    return Task("sweep", file.stem, ("sweep", str(file)), f"Sweep of {number} runs", resumable=True)


def keep(text: str, settings: Settings) -> None:
    """Write a file of experiments into the workspace, for its job.

    Parameters
    ----------
    text : str
    settings : Settings

    Raises
    ------
    SweepError
        If it cannot be written.
    """
    file = _file(text, settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomically(file) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SweepError(f"{file} cannot be written ({error.strerror}). Set SER_WORKSPACE to another folder") from error


def _file(text: str, settings: Settings) -> Path:
    return settings.workspace / "sweeps" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.toml"


def carry_out(
    made: Plan,
    settings: Settings,
    *,
    jobs: int = -1,
    progress: Callable[[str, str, float, int], None] | None = None,
) -> Iterator[Outcome]:
    """Run what a plan lacks, one combination after another, and save each run when it is done.

    A combination that fails does not stop the others.

    Parameters
    ----------
    made : Plan
    settings : Settings
    jobs : int
        Processes that extract features, and fit the folds of a combination, as joblib counts them.
    progress : callable, optional
        Called with a step, what is counted in it ("clip" or "run"), how many are done, and of how many.

    Yields
    ------
    Outcome
        Of each combination, as soon as it has ended.

    Raises
    ------
    ArtifactError
        If the workspace cannot be written.
    """
    runs.make_store(settings.workspace)  # before any work: it would be lost
    to_run = made.to_run

    def report(what: str, unit: str, done: float, total: int) -> None:
        if progress:
            progress(what, unit, done, total)

    def inputs_of(one: Combination):
        recipe = one.recipe
        named = one.features if one.features.startswith(encoder.PREFIX) else recipe.features
        return model_input.load(
            one.clips.table,
            settings,
            features=named,
            augmentation=recipe.augmentation,
            jobs=jobs,
            progress=partial(report, f"Preparing clips: {recipe.features}", "clip"),
        )

    inputs, loaded = None, None
    for place, one in enumerate(to_run):
        report("Running", "run", place, len(to_run))
        try:
            if not registry.get(one.recipe.model).learns_from_clips:
                run = _fused(one, settings)
            else:
                wanted = (one.features, one.recipe.features, one.recipe.augmentation)
                if loaded != wanted:
                    inputs, loaded = None, None
                    inputs, loaded = inputs_of(one), wanted
                advance = partial(_advance, report, place, len(to_run))
                run = _fitted(one, inputs, settings, jobs, advance)
        except SerError as error:
            yield Outcome(one, fault=str(error))
        except OSError:
            raise  # such as a full disk, which would keep all others from being saved, too
        except Exception as error:  # a bug, or own code: of hundreds of runs, the others are not lost for it
            logger.exception("%s failed", one.title)
            yield Outcome(one, fault=f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}")
        else:
            yield Outcome(one, run=run)
    report("Running", "run", len(to_run), len(to_run))


def _advance(report: Callable, place: int, total: int, done: float, of: float) -> None:
    report("Running", "run", place + done / of, total)


def _fitted(one: Combination, inputs, settings: Settings, jobs: int, advance: Callable[[float, float], None]) -> Run:
    in_epochs = registry.get(one.recipe.model).trains_in_epochs
    result = runner.run(
        one.made_of,
        one.clips.table,
        protocol=one.protocol,
        features=inputs,
        jobs=jobs,
        progress=None if in_epochs else advance,
        training=runner.Training(lambda epoch: advance(*runner.epochs_done(epoch)), settings.training),
    )
    return _kept(result, settings)


def _fused(one: Combination, settings: Settings) -> Run:
    found = runs.list_all(settings.stores)
    members = fusion.members(one.recipe, found, protocol=one.protocol, data_digest=one.clips.digest)
    return _kept(runner.Result(fusion.fuse(one.recipe, *members), None), settings)


def _kept(result: runner.Result, settings: Settings) -> Run:
    """The saved run, whose tables are not in memory: there may be thousands."""
    kept = runner.keep(result, settings)
    return runs.load(settings.workspace / "runs" / kept.run.id)


def ranked(found: Sequence[Run]) -> pd.DataFrame:
    """Runs by protocol, the best first. Seeds of one recipe stand together, in the place of their mean.

    Parameters
    ----------
    found : sequence of Run

    Returns
    -------
    pd.DataFrame
        One row a run: `protocol`, `clips` (the start of their digest), `run`, `label`, `recipe` (the same for all
        seeds), `seed`, `kind` (what is scored: "class" or "emotion", as publications under the protocol do), `accuracy`
        with its 95% interval `low` to `high`, `uar`, `seconds`, and `mean` and `deviation` of the accuracy over
        `seeds` seeds.
    """
    by_test: dict[tuple[str, str], list[Run]] = {}
    for run in found:
        by_test.setdefault((run.protocol, run.data_digest), []).append(run)
    titles = [run_titles.titles(of_test, protocol=False) for of_test in by_test.values()]
    labels = {run_id: title for of_test in titles for run_id, title in of_test.items()}
    rows = []
    for run in found:
        kind = protocols.get(run.protocol).usual_kind if run.has_classes else "emotion"
        scored = comparison.row(run, kind)
        rows.append(
            {
                "protocol": run.protocol,
                "clips": run.data_digest[:12],
                "run": run.id,
                "label": labels[run.id],
                "recipe": _without_seed(run.recipe)[:12],
                "seed": run.recipe.seed,
                "kind": kind,
                "accuracy": scored["test_accuracy"],
                "low": scored["test_low"],
                "high": scored["test_high"],
                "uar": scored["uar"],
                "seconds": run.seconds.total,
            }
        )
    table = pd.DataFrame(rows, columns=RANKED)
    of_seeds = table.groupby(["protocol", "clips", "recipe"])["accuracy"]
    table = table.assign(
        mean=of_seeds.transform("mean"), deviation=of_seeds.transform("std"), seeds=of_seeds.transform("size")
    )
    order = {name: place for place, name in enumerate(table["protocol"].unique())}
    table["place"] = table["protocol"].map(order)
    by = {"place": True, "clips": True, "mean": False, "recipe": True, "seed": True}
    return table.sort_values(list(by), ascending=list(by.values()), ignore_index=True).drop(columns="place")
