"""Texts and tables about studies for the pages: plans, trials, ranges and parameters; and the jobs that pages start."""

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from ser_core import durations
from ser_core.jobs import Task
from ser_core.models import registry, search_spaces
from ser_core.tuning import results, studies

SPACES = {"ours": "Ours: sensible and fast", "study": "The study's own"}
SAMPLERS = {"tpe": "TPE: looks where trials were good so far", "random": "Random: anywhere in the ranges"}
PRUNERS = {
    "median": "Median: gives up what is below the middle of the others",
    "wilcoxon": "Wilcoxon: gives up what a paired test says is worse than the best",
    "none": "None: every trial runs all folds",
}
FOLDS = {"study": "Clips at random, as the study did (accuracy)", "actors": "Actors never heard (UAR)"}
ABOUT_FOLDS = {
    "study": "Each fold holds clips of **actors that the model learns from, too**. The score is flattered: it is how "
    "well known voices are recognised, and parameters win that learn voices by heart.",
    "actors": "Each fold holds **actors that the model has never heard**. Scores are far lower, as for any new voice, "
    "and parameters win that suit new voices. UAR (unweighted average recall) is the mean over the classes of how many "
    "of each are found.",
}
LONG_S = 3600  # a longer estimate is shown as a warning


def task(plan: studies.Plan, name: str, trials: int, *, workers: int = 0, minutes: int = 0) -> Task:
    """The job that starts or resumes a study.

    Parameters
    ----------
    plan : Plan
    name : str
        Of the study.
    trials : int
        In all, including those that have ended.
    workers : int
        Processes; 0 is one per core.
    minutes : int
        Time limit; 0 is none.

    Returns
    -------
    Task
    """
    parts = ["tune", plan.model, "--name", name, "--trials", str(trials)]
    for option in ("space", "cv", "folds", "sampler", "pruner", "seed"):
        parts += [f"--{option}", str(getattr(plan, option))]
    parts += ["--workers", str(workers)] if workers else []
    parts += ["--timeout", str(60 * minutes)] if minutes else []
    return Task("tune", name, (*parts, "--resume"), f"Tune {plan.model}: {trials} trials", resumable=True)


def preset_task(name: str) -> Task:
    """The job that makes a preset of a study's best trial.

    Parameters
    ----------
    name : str
        Of the study.

    Returns
    -------
    Task
    """
    return Task("preset", name, ("preset", name), f"Preset of {name}")


def plan(study: optuna.Study) -> studies.Plan:
    """The plan of a study.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    Plan
    """
    return studies.Plan(**{name: study.user_attrs[name] for name in studies.Plan.__dataclass_fields__})


_RANGES = {"ours": "our ranges", "study": "the authors’ ranges"}
_SAMPLER = {"tpe": "TPE", "random": "random"}
_PRUNER = {"median": "median", "wilcoxon": "Wilcoxon", "none": "no"}


def sentence(plan: studies.Plan) -> str:
    """A plan as text to follow the model's name.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    str
        E.g. "our ranges; 5 folds of clips at random; ...".
    """
    folds = "clips at random" if plan.cv == "study" else "actors never heard"
    return (
        f"{_RANGES[plan.space]}; {plan.folds} folds of {folds}; {_SAMPLER[plan.sampler]} sampler; "
        f"{_PRUNER[plan.pruner]} pruner; seed {plan.seed}"
    )


def job_texts(ended: int, wanted: int, seconds_left: float | None) -> dict[str, str]:
    """Texts about the job that tunes a study, for `ui.work.show_state`.

    Parameters
    ----------
    ended, wanted : int
        Trials; `wanted` is 0 before the job has made the study.
    seconds_left : float or None

    Returns
    -------
    dict of str to str
        The job's state -> text.
    """
    words = f"**At work: {ended} of {wanted} trials ended**" if wanted else "**It begins**"
    left = f", about {durations.in_words(seconds_left)} left" if seconds_left and wanted else ""
    kept = f"{ended} of {wanted} trials"
    return {
        "running": f"{words}{left}.",
        "stopping": "The trial at work is begun again on resuming.",
        "failed": f"{ended} trials that ended are kept.",
        "stopped": kept,
        "interrupted": kept,
    }


def time_in_words(plan: studies.Plan, trials: int, minutes: int, seconds: float, from_trials: bool) -> str:
    """How long trials will take, as text before they start.

    Parameters
    ----------
    plan : Plan
    trials, minutes : int
        Number of trials, and the time limit (0 is none).
    seconds : float
    from_trials : bool
        As `costs.estimate` returns them.

    Returns
    -------
    str
        Markdown.
    """
    source = "as earlier trials of its kind did" if from_trials else "or longer, as a few tries on two cores did"
    words = f"**{trials} trial{'s' * (trials != 1)} will take about {durations.in_words(seconds)}**, {source}."
    if 0 < 60 * minutes < seconds:
        words += f" The time limit ends it after {durations.in_words(60 * minutes)}."
    if seconds > LONG_S and plan.space == "study":
        words += " The authors looked among forests of 25,000 trees and 20,000 rounds of boosting: ours is far faster."
    return words


def trial(trial: FrozenTrial) -> str:
    """A trial as an entry of a list.

    Parameters
    ----------
    trial : FrozenTrial

    Returns
    -------
    str
        E.g. "trial 3: 0.7114".
    """
    score = results.score(trial)
    return f"trial {trial.number}: {'no score' if score is None else f'{score:.4f}'}"


def title(name: str) -> str:
    """A study's name as a title.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        E.g. "XGBoost, our ranges, 5 folds of clips, TPE, median, seed 9" if it is the name of a plan; otherwise the
        name itself.
    """
    plan = studies.Plan.of_name(name.removesuffix(studies.MINE))
    if plan is None or plan.model not in registry.MODELS:
        return name
    pruner = "no pruner" if plan.pruner == "none" else _PRUNER[plan.pruner]
    return (
        f"{registry.get(plan.model).name}, {_RANGES[plan.space]}, "
        f"{plan.folds} folds of {'clips' if plan.cv == 'study' else 'actors'}, {_SAMPLER[plan.sampler]}, {pruner}, "
        f"seed {plan.seed}{', mine' if name.endswith(studies.MINE) else ''}"
    )


def value(value) -> str:
    """A parameter's value as text: 0.012345678 -> "0.01235", None -> "none".

    Parameters
    ----------
    value

    Returns
    -------
    str
    """
    if value is None:
        return "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def range_in_words(distribution: BaseDistribution) -> str:
    """A parameter's range as text: "0.01 to 30, each decade as often", "euclidean, manhattan or cosine".

    Parameters
    ----------
    distribution : optuna.distributions.BaseDistribution

    Returns
    -------
    str
    """
    if isinstance(distribution, CategoricalDistribution):
        *others, last = (value(choice) for choice in distribution.choices)
        return f"{', '.join(others)} or {last}" if others else last
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    words = f"{distribution.low:,.6g} to {distribution.high:,.6g}"
    if distribution.log:
        return f"{words}, each decade as often"
    step = distribution.step
    return f"{words}, in steps of {step:g}" if step and step != 1 else words


def ranges(model: str, space: str) -> pd.DataFrame:
    """A search space as a table.

    Parameters
    ----------
    model : str
    space : {"ours", "study"}

    Returns
    -------
    pd.DataFrame
        One row per parameter: `parameter`, `range` as text, `our default`.
    """
    chosen, default = search_spaces.get(model, space), registry.parameters(model)
    words = {name: range_in_words(distribution) for name, distribution in chosen.ranges.items()}
    words |= {name: f"always {value(fixed)}" for name, fixed in chosen.fixed.items()}
    for name, (other, needed) in chosen.only_if.items():
        words[name] += f" (where {other} is {value(needed)})"
    rows = [(name, text, value(default[name]) if name in default else "–") for name, text in words.items()]
    return pd.DataFrame(rows, columns=["parameter", "range", "our default"])


def beside_presets(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> pd.DataFrame:
    """A trial's parameters compared with those of the presets in the code.

    Parameters
    ----------
    study : optuna.Study
    trial : FrozenTrial

    Returns
    -------
    pd.DataFrame
        One row per parameter, one column for the trial and each preset; a dash where it is not set.
    """
    model = registry.get(study.user_attrs["model"])
    columns = {f"trial {trial.number}": results.parameters(study, trial), "our default": model.parameters("default")}
    if "study" in model.presets:
        columns["the study's"] = model.parameters("study")
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = {
        title: [value(column[name]) if name in column else "–" for name in names] for title, column in columns.items()
    }
    return pd.DataFrame(rows, index=pd.Index(names, name="parameter"))
