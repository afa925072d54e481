"""Figures of Optuna studies: the history, parameters and timeline of one, and the progress of several.

All take an `optuna.Study`, which may be in memory, and only read it. Where there is too little to draw, the figure has
no trace and the sentence says what is missing.
"""

import warnings
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial

from ser_core import durations
from ser_core.figures.style import ACCENT, LEGEND_BELOW, MUTED, SECOND, SEQUENTIAL, finish, lines
from ser_core.models import registry
from ser_core.tuning import descriptions, results

# state -> words for one trial, words for several, and the marker
STATES: dict[str, tuple[str, str, dict]] = {
    "complete": ("ran all folds", "ran all folds", {"color": ACCENT}),
    "pruned": ("was given up early", "were given up early", {"color": MUTED}),
    "fail": ("failed", "failed", {"color": MUTED, "pattern": {"shape": "x", "fgcolor": "#000000"}}),
    "stopped": ("was stopped", "were stopped", {"color": MUTED, "pattern": {"shape": "/"}}),
    "lost": ("lost its worker", "lost their worker", {"color": MUTED, "pattern": {"shape": "."}}),
    "running": ("is running", "are running", {"color": SECOND}),
    "waiting": ("waits", "wait", {"color": SECOND, "pattern": {"shape": "."}}),
}
_NOTHING = 120  # pixels of a figure without a trace


def measure(study: optuna.Study) -> str:
    """The measure of a study's values, as an axis title.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    str
    """
    folds = study.user_attrs["folds"]
    if study.user_attrs["cv"] == "actors":
        return f"mean UAR ({folds} folds, actors held out)"
    return f"mean accuracy ({folds} folds)"


def counted(study: optuna.Study) -> str:
    """Its trials by state in words: "12 trials: 9 ran all folds, 2 were given up early, 1 failed".

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    str
    """
    states = results.table(study)["state"].value_counts()
    parts = [
        f"{states[state]} {one if states[state] == 1 else many}"
        for state, (one, many, _) in STATES.items()
        if state in states
    ]
    total = int(states.sum())
    if not parts:
        return "No trial yet"
    if len(parts) == 1:
        return (
            f"{total} trial{'' if total == 1 else 's'}, {'which' if total == 1 else 'all of which'} "
            + parts[0].split(" ", 1)[1]
        )
    return f"{total} trials: {', '.join(parts)}"


def history(study: optuna.Study, others: dict[str, float] | None = None) -> tuple[go.Figure, str]:
    """Each trial's value and the best so far.

    Parameters
    ----------
    study : optuna.Study
    others : dict, optional
        Values of the same measure to draw as lines: a name such as "the default" -> its value.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    trials = results.table(study)
    title = "Each trial, and the best so far"
    whole, pruned = (trials[trials["state"] == state] for state in ("complete", "pruned"))
    pruned = pruned[pruned["fold_scores"].str.len() > 0]
    if whole.empty and pruned.empty:
        return _nothing(title, f"{counted(study)}: none has a score to draw.")
    figure = go.Figure()
    figure.add_scatter(
        x=pruned["number"],
        y=pruned["fold_scores"].map(np.mean),
        customdata=pruned["fold_scores"].str.len(),
        mode="markers",
        marker={"color": MUTED, "symbol": "x-thin", "size": 7, "line": {"color": MUTED, "width": 1.5}},
        name="given up early",
        hovertemplate="trial %{x}, given up after %{customdata} folds<br>%{y:.4f}<extra></extra>",
    )
    figure.add_scatter(
        x=whole["number"],
        y=whole["value"],
        customdata=whole["seconds"],
        mode="markers",
        marker={"color": ACCENT, "size": 8, "opacity": 0.7},
        name="ran all folds",
        hovertemplate="trial %{x}, %{customdata:.1f} s<br>%{y:.4f}<extra></extra>",
    )
    best = whole["value"].cummax()
    figure.add_scatter(
        x=[*whole["number"], trials["number"].max()],
        y=[*best, *best[-1:]],
        mode="lines",
        line={"color": ACCENT, "width": 2, "shape": "hv"},
        name="best so far",
        hovertemplate="best so far %{y:.4f}<extra></extra>",
    )
    last = trials["number"].max()
    for name, value in (others or {}).items():
        figure.add_scatter(
            x=[0, last],
            y=[value, value],
            mode="lines",
            line={"color": SECOND, "dash": "dash", "width": 1.5},
            name=name,
            hovertemplate=f"{name} %{{y:.4f}}<extra></extra>",
        )
    finish(figure, title, height=380, legend=LEGEND_BELOW)
    figure.update_xaxes(title="trial", range=[-0.03 * last - 0.5, 1.03 * last + 0.5])
    figure.update_yaxes(title=measure(study), automargin=True)
    return figure, f"{counted(study)}. {_best_in_words(whole, others)}"


def _best_in_words(whole: pd.DataFrame, others: dict[str, float] | None) -> str:
    if whole.empty:
        return "None ran all folds yet, so there is no best one."
    best = whole.loc[whole["value"].idxmax()]
    words = f"The best is trial {best['number']} with {best['value']:.4f}"
    for name, value in (others or {}).items():
        gap = best["value"] - value
        words += f"; {name} has {value:.4f}, " + (f"{abs(gap):.4f} {'less' if gap > 0 else 'more'}" if gap else "too")
    return f"{words}."


def importances(study: optuna.Study) -> tuple[go.Figure, str]:
    """How much each parameter matters for being among the best trials (PED-ANOVA).

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = "How much each parameter matters"
    whole = results.whole(study)
    if len(whole) < 4 or len({trial.value for trial in whole}) < 2:
        return _nothing(title, f"This takes four trials that ran all folds and differ; there are {len(whole)}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(study)
        except (ValueError, RuntimeError) as error:
            return _nothing(title, f"Optuna cannot tell yet: {error}")
    names, shares = list(found), [float(share) for share in found.values()]
    figure = go.Figure()
    figure.add_bar(
        x=shares[::-1],
        y=names[::-1],
        orientation="h",
        marker={"color": ACCENT},
        hovertemplate="%{y}<br>%{x:.0%}<extra></extra>",
    )
    finish(figure, title, height=110 + 32 * len(names))
    figure.update_xaxes(title="share of importance", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(automargin=True)
    words = f"{names[0]} matters most for being among the best trials, with {shares[0]:.0%} of the importance"
    if len(names) > 1:
        words += f", {names[-1]} least with {shares[-1]:.0%}"
    few = "; with so few this is a first guess" if len(whole) < 20 else ""
    return figure, f"{words}. Judged from {len(whole)} trials that ran all folds{few}."


def parallel(study: optuna.Study) -> tuple[go.Figure, str]:
    """Parallel coordinates: one line a trial through its parameters to its score.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = "All parameters of each trial"
    whole = results.whole(study)
    if len(whole) < 2:
        return _nothing(title, f"This takes two trials that ran all folds; there {_are(len(whole))}.")
    ranges = _distributions(whole)
    everywhere = [name for name in ranges if all(name in trial.params for trial in whole)]
    values = [results.value(trial) for trial in whole]
    unit = "UAR" if study.user_attrs["cv"] == "actors" else "accuracy"
    figure = go.Figure(
        go.Parcoords(
            # By rank, since one bad trial would leave all others of one colour. Both ends are visible in both themes.
            line={"color": pd.Series(values).rank(), "colorscale": [[0, MUTED], [1, ACCENT]]},
            labelangle=-30,
            dimensions=[
                *(_dimension(name, ranges[name], [trial.params[name] for trial in whole]) for name in everywhere),
                {"label": unit, "values": values, "tickformat": ".3f"},
            ],
        )
    )
    finish(figure, title, height=420, margin_l=56, margin_r=56, margin_t=96, margin_b=24)
    best, worst = max(values), min(values)
    left_out = [name for name in ranges if name not in everywhere]
    words = (
        f"{len(whole)} trials that ran all folds, from {worst:.4f} to {best:.4f} ({measure(study)}); the more violet "
        "the better. Draw along an axis to keep only the lines that pass there."
    )
    return figure, words + (f" Not every trial has {', '.join(left_out)}." if left_out else "")


def _dimension(name: str, distribution, values: list) -> dict:
    if isinstance(distribution, CategoricalDistribution):
        choices = list(distribution.choices)
        ticks = {"tickvals": list(range(len(choices))), "ticktext": [descriptions.value(choice) for choice in choices]}
        at = [choices.index(value) for value in values]
        return {"label": name, "values": at, "range": [-0.2, len(choices) - 0.8]} | ticks
    if getattr(distribution, "log", False):
        places = _log_ticks(min(values), max(values))
        return {
            "label": name,
            "values": np.log10(values),
            "tickvals": np.log10(places),
            "ticktext": [f"{place:g}" for place in places],
        }
    return {"label": name, "values": values}


def _log_ticks(low: float, high: float) -> np.ndarray:
    """Round numbers inside a range, and its ends where there is none."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = np.array([digit * 10.0**decade for decade in decades for digit in (1, 2, 5)])
    inside = ticks[(ticks >= low) & (ticks <= high)]
    if len(inside) > 8:
        inside = np.array([tick for tick in inside if f"{tick:e}".startswith("1")])
    return inside if len(inside) > 1 else np.array([low, high])


def one_parameter(study: optuna.Study, name: str) -> tuple[go.Figure, str]:
    """The score of each trial against one parameter.

    Parameters
    ----------
    study : optuna.Study
    name : str
        Of the parameter.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = f"What came out by {name}"
    having = [trial for trial in results.whole(study) if name in trial.params]
    if not having:
        return _nothing(title, f"No trial with {name} ran all folds yet.")
    distribution = _distributions(having)[name]
    categorical = isinstance(distribution, CategoricalDistribution)
    figure = go.Figure()
    figure.add_scatter(
        x=[descriptions.value(trial.params[name]) if categorical else trial.params[name] for trial in having],
        y=[trial.value for trial in having],
        customdata=[trial.number for trial in having],
        mode="markers",
        marker={
            "color": [trial.number for trial in having],
            "colorscale": SEQUENTIAL,
            "colorbar": {"title": "trial", "thickness": 12, "tickformat": "d"},
            "size": 9,
            "line": {"color": MUTED, "width": 0.5},
        },
        hovertemplate=f"trial %{{customdata}}<br>{name} %{{x}}<br>%{{y:.4f}}<extra></extra>",
    )
    finish(figure, title, height=380)
    if categorical:
        order = [descriptions.value(choice) for choice in distribution.choices]
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=order)
    elif distribution.log:
        figure.update_xaxes(type="log")
    figure.update_xaxes(title=name)
    figure.update_yaxes(title=measure(study), automargin=True)
    best = max(having, key=results.value)
    where = f"The best of them, trial {best.number}, has {descriptions.value(best.params[name])}"
    return figure, f"A dot for each of {len(having)} trials that ran all folds, later ones brighter. {where}."


def contour(study: optuna.Study, first: str, second: str) -> tuple[go.Figure, str]:
    """The score over two parameters, interpolated between the trials.

    Parameters
    ----------
    study : optuna.Study
    first, second : str
        Of the parameters.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    first, second = sorted((first, second))  # as Optuna lays them along x and y
    title = f"{second} against {first}"
    having = [trial for trial in results.whole(study) if first in trial.params and second in trial.params]
    if first == second:
        return _nothing(title, "Choose two parameters that differ.")
    if len({(str(trial.params[first]), str(trial.params[second])) for trial in having}) < 3:
        return _nothing(
            title, f"This takes three trials that differ in both and ran all folds; there {_are(len(having))}."
        )
    for name in (first, second):  # Optuna draws nothing for a parameter with a single value
        if len({str(trial.params[name]) for trial in having}) == 1:
            value = descriptions.value(having[0].params[name])
            return _nothing(title, f"All trials that ran all folds have {name} {value}. Choose another parameter.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = optuna.visualization.plot_contour(study, params=[first, second])
    figure.update_traces(
        selector={"type": "contour"},
        colorscale=SEQUENTIAL,
        reversescale=False,
        colorbar={"title": None, "thickness": 12},
        line={"width": 0.5},
    )
    figure.update_traces(
        selector={"type": "scatter"}, marker={"color": "#FFFFFF", "size": 7, "line": {"color": "#000000", "width": 1}}
    )
    figure.layout.title = None
    finish(figure, title, height=480)
    best = max(having, key=results.value)
    return figure, (
        f"A dot a trial ({len(having)} ran all folds); between them the surface is a guess, brighter where the "
        f"{measure(study)} is higher. The best stands at {first} {descriptions.value(best.params[first])}, "
        f"{second} {descriptions.value(best.params[second])}."
    )


def timeline(study: optuna.Study, now: datetime) -> tuple[go.Figure, str]:
    """When each trial ran, one row a worker; idle times are left out.

    Parameters
    ----------
    study : optuna.Study
    now : datetime
        Until when trials that still run are drawn.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = "Who did what when"
    trials = results.table(study).dropna(subset=["began"])
    if trials.empty:
        return _nothing(title, "No trial has begun yet.")
    trials["ended"] = trials["ended"].fillna(pd.Timestamp(now))
    worked = _work_clock(trials)
    trials["from"], trials["until"] = worked(trials["began"]), worked(trials["ended"])
    workers = [name or "unknown" for name in trials["worker"]]
    names = {worker: f"worker {place}" for place, worker in enumerate(dict.fromkeys(workers), start=1)}
    trials["row"] = [names[worker] for worker in workers]
    unit, seconds = _unit(trials["until"].max())
    figure = go.Figure()
    for state, (one, _, marker) in STATES.items():
        some = trials[trials["state"] == state]
        if some.empty:
            continue
        figure.add_bar(
            y=some["row"],
            base=some["from"] / seconds,
            x=(some["until"] - some["from"]) / seconds,
            orientation="h",
            marker=marker | {"line": {"color": "rgba(0, 0, 0, 0.3)", "width": 1}},
            name=one,
            customdata=np.stack([some["number"], some["until"] - some["from"], some["worker"]], axis=1),
            hovertemplate=f"trial %{{customdata[0]}} {one}<br>%{{customdata[1]:.1f}} s<br>%{{customdata[2]}}"
            "<extra></extra>",
        )
    legend = LEGEND_BELOW | {"y": -0.02}
    finish(figure, title, height=130 + 34 * len(names), barmode="overlay", legend=legend, margin_b=64)
    figure.update_xaxes(title=f"time at work ({unit})")
    figure.update_yaxes(automargin=True, autorange="reversed")
    ended = trials[trials["state"].isin(["complete", "pruned"])]
    words = f"{len(trials)} trial{'s' * (len(trials) != 1)} by {len(names)} worker{'s' * (len(names) != 1)}"
    words += f" in {durations.in_words(trials['until'].max())} of work"
    if len(ended):
        middle, longest = (durations.in_words(seconds) for seconds in ended["seconds"].quantile([0.5, 1]))
        words += f"; one took {middle} in the middle, {longest} at most"
    pruned = int((trials["state"] == "pruned").sum())
    return figure, f"{words}." + (f" {pruned} given up early saved their remaining folds." if pruned else "")


def folds(study: optuna.Study, numbers: list[int]) -> tuple[go.Figure, str]:
    """The score of chosen trials on each fold.

    Parameters
    ----------
    study : optuna.Study
    numbers : list of int
        Of the trials.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = "The score on each fold"
    trials = results.table(study).set_index("number")
    chosen = {number: trials["fold_scores"].get(number) or [] for number in numbers}
    chosen = {number: scores for number, scores in chosen.items() if scores}
    if not chosen:
        return _nothing(title, "Choose a trial that ended a fold.")
    figure = go.Figure()
    for (number, scores), (colour, dash) in zip(chosen.items(), lines(), strict=False):
        figure.add_scatter(
            x=list(range(1, len(scores) + 1)),
            y=scores,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            marker={"size": 9},
            name=f"trial {number}",
            hovertemplate=f"trial {number}, fold %{{x}}<br>%{{y:.4f}}<extra></extra>",
        )
    finish(figure, title, height=340, legend=LEGEND_BELOW, showlegend=True)
    figure.update_xaxes(title="fold", dtick=1, range=[0.7, study.user_attrs["folds"] + 0.3])
    figure.update_yaxes(title=measure(study).split()[1], automargin=True)
    spreads = [
        f"trial {number} from {min(scores):.4f} to {max(scores):.4f}"
        if len(scores) > 1
        else f"trial {number} {scores[0]:.4f} on its only fold"
        for number, scores in chosen.items()
    ]
    words = "; ".join(spreads)
    return figure, (
        f"{words[0].upper()}{words[1:]}. Where the folds of one trial differ more than two trials do, the two are "
        "hardly told apart."
    )


def compared(several: list[optuna.Study], *, by_time: bool, now: datetime) -> tuple[go.Figure, str]:
    """The best so far of several studies, against the number of trials or against the time at work.

    Parameters
    ----------
    several : list of optuna.Study
    by_time : bool
        Time, in which breaks are left out, instead of trials that ended.
    now : datetime
        Until when trials that still run are drawn.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    title = f"The best so far of several studies, by {'time' if by_time else 'trials'}"
    figure, drawn = go.Figure(), []
    for study in several:
        trials = results.table(study)
        if trials["began"].isna().all() or not (trials["state"] == "complete").any():
            continue
        worked = _work_clock(trials.dropna(subset=["began"]).fillna({"ended": pd.Timestamp(now)}))
        ended = trials[trials["state"].isin(["complete", "pruned", "fail"])].sort_values("ended")
        best = ended["value"].astype(float).cummax().ffill()  # a pruned trial changes nothing
        at = worked(ended["ended"]) if by_time else np.arange(1, len(ended) + 1)
        drawn.append((study, at, best.to_numpy()))
    if not drawn:
        return _nothing(title, "None of these studies has a trial yet that ran all folds.")
    unit, size = _unit(max(at[-1] for _, at, _ in drawn)) if by_time else ("trials", 1)
    for (study, at, best), (colour, dash) in zip(drawn, lines(), strict=False):
        figure.add_scatter(
            x=at / size,
            y=best,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "shape": "hv", "width": 2},
            marker={"size": 4},
            name=study.study_name,
            hovertemplate=f"{study.study_name}<br>%{{y:.4f}} after %{{x:.4g}} {unit}<extra></extra>",
        )
    legend, key = LEGEND_BELOW | {"orientation": "v"}, 22 * len(drawn)  # pixels that the legend takes
    finish(figure, title, height=360 + key, legend=legend, showlegend=True, margin_b=70 + key)
    figure.update_xaxes(title=f"time at work ({unit})" if by_time else "trials that ended", rangemode="tozero")
    measures = list(dict.fromkeys(measure(study) for study, _, _ in drawn))
    figure.update_yaxes(title=measures[0] if len(measures) == 1 else "mean of the folds", automargin=True)
    ends = {study.study_name: (best[-1], at[-1]) for study, at, best in drawn}
    words = "; ".join(
        f"{name} reached {best:.4f} " + (f"in {durations.in_words(end)}" if by_time else f"in {end:.0f} trials")
        for name, (best, end) in sorted(ends.items(), key=lambda item: -item[1][0])
    )
    if len(measures) > 1:
        words += f". They are not of one measure ({'; '.join(measures)}), so their heights cannot be compared"
    return figure, f"{words}."


def trial_table(study: optuna.Study) -> pd.DataFrame:
    """One row a trial: state in words, value, parameters, time, and the score on each fold.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    pd.DataFrame
    """
    trials = results.table(study)
    parameters = [name for name in trials if name.startswith("params_")]
    return trials.assign(
        state=trials["state"].map(lambda state: STATES[state][0]),
        fold_scores=[" ".join(f"{score:.3f}" for score in scores) for scores in trials["fold_scores"]],
        **{name: trials[name].map(str) for name in parameters if trials[name].dtype == object},  # of more than one kind
    )[["number", "state", "value", *parameters, "seconds", "began", "fold_scores", "worker", "reason"]]


def compared_table(several: list[optuna.Study]) -> pd.DataFrame:
    """The numbers behind `compared`: one row a study, the best first.

    Parameters
    ----------
    several : list of optuna.Study

    Returns
    -------
    pd.DataFrame
    """
    rows = []
    for study in several:
        best, trials = results.best(study), results.table(study)
        worked = trials[trials["state"].isin(["complete", "pruned"])]
        rows.append(
            {
                "study": study.study_name,
                "model": registry.get(study.user_attrs["model"]).name,
                "measure": measure(study),
                "best": best.value if best else None,
                "trials": len(trials),
                "given up early": int((trials["state"] == "pruned").sum()),
                "seconds a trial": worked["seconds"].mean(),
            }
        )
    return pd.DataFrame(rows).sort_values("best", ascending=False)


def _work_clock(trials: pd.DataFrame):
    """A function of moments -> seconds of work before them: the time in which at least one trial ran."""
    spans: list[list] = []
    for began, ended in sorted(zip(trials["began"], trials["ended"], strict=True)):
        if spans and began <= spans[-1][1] + timedelta(seconds=5):  # shorter breaks are those between two trials
            spans[-1][1] = max(spans[-1][1], ended)
        else:
            spans.append([began, ended])
    breaks = [(before[1], after[0] - before[1]) for before, after in pairwise(spans)]

    def worked(moments: pd.Series) -> np.ndarray:
        lost = [sum((gap for end, gap in breaks if moment > end), timedelta(0)) for moment in moments]
        return np.array(
            [(moment - spans[0][0] - gap).total_seconds() for moment, gap in zip(moments, lost, strict=True)]
        )

    return worked


def _unit(seconds: float) -> tuple[str, int]:
    """The unit of a time axis up to so many seconds, and how many seconds it has."""
    return ("min", 60) if seconds > 180 else ("s", 1)


def _distributions(trials: list[FrozenTrial]) -> dict:
    """Every parameter that some trial has, with its range."""
    return {name: distribution for trial in trials for name, distribution in trial.distributions.items()}


def _nothing(title: str, sentence: str) -> tuple[go.Figure, str]:
    return finish(go.Figure(), title, height=_NOTHING), sentence


def _are(number: int) -> str:
    return "is none yet" if number == 0 else "is 1" if number == 1 else f"are {number}"
