"""What models say of people whom they have not heard, and when they say that they cannot tell.

Verdicts are cross-fitted: the limits for the clips of a fold come from the predictions for all other folds, as recorded
and in all recording conditions; those for another corpus from all folds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.audio import conditions
from ser_core.audio.conditions import CONDITIONS
from ser_core.corpus.clips import speakers_of
from ser_core.evaluation import protocols as tests
from ser_core.evaluation.verdicts import HEARD, NO_VOICE, UNLIKE, VERDICTS, Limits, limits, of_predictions
from ser_core.results import robustness, runs
from ser_core.results.robustness import AS_RECORDED
from ser_core.results.runs import Run

SAID = (*VERDICTS, NO_VOICE)
POOLED = "pooled"  # as recorded and in all recording conditions
NON_SPEECH = "non-speech"
VOICES = ["source", "clip", "has_voice", "model", "verdict"]  # columns of the shipped table of voices
COLUMNS = [
    *("model", "source", "part", "title", "clips", *SAID),
    *("heard_low", "heard_high", "right", "right_low", "right_high", "accuracy", "claims"),
]
LEAST = 20  # answers of which a share is shown
POINTS = 200  # of a curve


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The verdicts on clips of held-out speakers, of other corpora, and on sounds without a voice.

    Parameters
    ----------
    shares : pd.DataFrame
        One row a model and source: `model` (the title of its run), `source` (empty for as recorded, the key of a
        condition, `POOLED`, the name of another corpus, or `NON_SPEECH`), `part` ("test", or "other" for clips whose
        emotion no training clip has), `title` (in words), `clips`; the share of each verdict: `heard` with its 95%
        interval over speakers `heard_low` to `heard_high`, `unsure`, `unlike`, `no_voice` (NaN where no voice was
        looked for); `right`, the share of the answers `heard` that are right, with `right_low` and `right_high`; and
        of all answers `accuracy` and `claims`, the mean probability of the emotion that is named. What has no right
        answer has NaN there.
    risk : pd.DataFrame
        `model`, `source` ("" or `POOLED`), `coverage` and `risk`: the share of wrong answers among that share of
        answers that claim most.
    groups : pd.DataFrame
        `model`, `who` ("women", "men", or an emotion), `clips`, `heard` and `right`, over all recording conditions.
    """

    shares: pd.DataFrame
    risk: pd.DataFrame
    groups: pd.DataFrame


def protocols(found: Iterable[Run]) -> list[str]:
    """The speaker-independent protocols under which clips were heard in recording conditions, the most used first.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    list of str
    """
    return [name for name in robustness.protocols(found) if tests.get(name).holds_actors_out]


def of_runs(found: Iterable[Run], protocol: str, voices: pd.DataFrame | None = None) -> Verdicts:
    """The verdicts of every model that was tested in recording conditions under a speaker-independent protocol.

    Parameters
    ----------
    found : iterable of Run
        The newest last.
    protocol : str
    voices : pd.DataFrame, optional
        Where a voice was looked for, with the columns `VOICES`.

    Returns
    -------
    Verdicts

    Raises
    ------
    ValueError
        If the protocol has speakers in training and test.
    """
    if not tests.get(protocol).holds_actors_out:
        raise ValueError(f"{protocol} has speakers in training and test, whose answers say nothing of new speakers")
    found = list(found)
    voices = pd.DataFrame(columns=VOICES) if voices is None else voices
    shares, risk, groups = [], [], []
    for model, group in robustness.by_model(found, protocol, CONDITIONS).items():
        answers = _answers(group)
        sources = {source: answers[answers["source"] == source] for source in ("", *CONDITIONS) if source in group}
        sources[POOLED] = answers
        shares += [_shares(model, source, rows, voices) for source, rows in sources.items()]
        everything = _limits({heard: run.part("test") for heard, run in group.items()})
        for run in _elsewhere(found, group[""]):
            for part in ("test", evaluation.OTHER):
                if len(rows := run.part(part)):
                    said = _said(rows, run.tested_on["corpus"]).assign(verdict=of_predictions(rows, everything))
                    shares.append(_shares(model, run.tested_on["corpus"], said, voices))
        sounds = voices[(voices["source"] == NON_SPEECH) & (voices["model"] == group[""].recipe.model)]
        if len(sounds):
            shares.append(_of_sounds(model, sounds))
        risk += [_risk(sources[source]).assign(model=model, source=source) for source in ("", POOLED)]
        groups.append(_groups(answers).assign(model=model))
    return Verdicts(
        pd.DataFrame(shares, columns=COLUMNS),
        pd.concat([pd.DataFrame(columns=["model", "source", "coverage", "risk"]), *risk], ignore_index=True),
        pd.concat([pd.DataFrame(columns=["model", "who", "clips", "heard", "right"]), *groups], ignore_index=True),
    )


def _elsewhere(found: list[Run], plain: Run) -> list[Run]:
    """The newest run of the same model on each other corpus."""
    what = plain.recipe.digest, plain.data_digest
    return runs.elsewhere(run for run in found if (run.recipe.digest, run.data_digest) == what)


def _limits(by_condition: dict[str, pd.DataFrame]) -> Limits:
    return limits(by_condition[""], [rows for condition, rows in by_condition.items() if condition])


def _answers(group: dict[str, Run]) -> pd.DataFrame:
    """The answers for the clips of each fold in each condition, by the limits of the other folds."""
    rows = {condition: run.part("test") for condition, run in group.items()}
    said = {condition: _said(one, condition) for condition, one in rows.items()}
    parts = []
    for fold in rows[""]["fold"].unique():
        bounds = _limits({condition: one[one["fold"] != fold] for condition, one in rows.items()})
        for condition, one in rows.items():
            is_here = (one["fold"] == fold).to_numpy()
            parts.append(said[condition][is_here].assign(verdict=of_predictions(one[is_here], bounds)))
    return pd.concat(parts, ignore_index=True)


def _said(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Each answer, whether it is right (NaN if it cannot be), and what it claims."""
    named, truth = evaluation.named_and_true(rows, "emotion")
    is_scored = (rows["part"] != evaluation.OTHER).to_numpy()
    return pd.DataFrame(
        {
            "source": source,
            "part": rows["part"].to_numpy(),
            "clip": rows["clip"].to_numpy(),
            "speaker": speakers_of(rows),
            "gender": rows["gender"].to_numpy(),
            "emotion": truth,
            "right": np.where(is_scored, named == truth, np.nan),
            "claim": evaluation.claimed(rows, "emotion"),
        }
    )


def _shares(model: str, source: str, answers: pd.DataFrame, voices: pd.DataFrame) -> dict:
    """A row of `Verdicts.shares`."""
    there = answers["source"].unique(), answers["clip"].unique()
    listened = voices[voices["source"].isin(there[0]) & voices["clip"].isin(there[1])]
    no_voice = 1 - float(listened["has_voice"].mean()) if len(listened) else np.nan
    # Voices are looked for in some of the clips, and the other verdicts are on recordings with a voice.
    voiced = 1 - (no_voice if len(listened) else 0.0)
    is_heard = (answers["verdict"] == HEARD).to_numpy()
    low, high = evaluation.mean_interval(is_heard, answers["speaker"].to_numpy())
    heard = answers[is_heard]
    right = (
        evaluation.mean_interval(heard["right"].to_numpy(), heard["speaker"].to_numpy())
        if heard["right"].notna().any()
        else (np.nan,) * 2
    )
    part = answers["part"].iloc[0]
    return {
        "model": model,
        "source": source,
        "part": part,
        "title": _title(source, answers if part == evaluation.OTHER else None),
        "clips": answers["clip"].nunique(),
        **{verdict: voiced * float((answers["verdict"] == verdict).mean()) for verdict in VERDICTS},
        NO_VOICE: no_voice,
        "heard_low": voiced * low,
        "heard_high": voiced * high,
        "right": float(heard["right"].mean()),
        "right_low": right[0],
        "right_high": right[1],
        "accuracy": float(answers["right"].mean()),
        "claims": float(answers["claim"].mean()),
    }


def _title(source: str, others: pd.DataFrame | None) -> str:
    if source in ("", POOLED):
        return AS_RECORDED if not source else "All recordings together"
    if source in CONDITIONS:
        return CONDITIONS[source].title
    if others is None:
        return f"Another corpus: {source}"
    return f"{source}: {', '.join(sorted(others['emotion'].unique()))}"


def _of_sounds(model: str, sounds: pd.DataFrame) -> dict:
    """The row of sounds without a voice."""
    said = {verdict: float((sounds["verdict"] == verdict).mean()) for verdict in SAID}
    what = {"model": model, "source": NON_SPEECH, "part": evaluation.OTHER, "title": "Sounds without a voice"}
    return what | {"clips": len(sounds)} | said


def _risk(answers: pd.DataFrame) -> pd.DataFrame:
    """The share of wrong answers among the surest, from a few of them to all."""
    wrong = 1 - answers.sort_values("claim", ascending=False, kind="stable")["right"].to_numpy()
    number = np.arange(1, len(wrong) + 1)
    shown = np.unique(np.linspace(min(LEAST, len(wrong)), len(wrong), POINTS).round().astype(int)) - 1
    return pd.DataFrame({"coverage": number[shown] / len(wrong), "risk": np.cumsum(wrong)[shown] / number[shown]})


GENDERS = {"female": "women", "male": "men"}


def _groups(answers: pd.DataFrame) -> pd.DataFrame:
    """How often answers are given to women and men and for each emotion, and how often these are right."""
    by_who = [answers.groupby(answers["gender"].map(GENDERS)), answers.groupby("emotion")]
    rows = [
        (
            who,
            group["clip"].nunique(),
            (group["verdict"] == HEARD).mean(),
            group["right"][group["verdict"] == HEARD].mean(),
        )
        for groups in by_who
        for who, group in groups
    ]
    return pd.DataFrame(rows, columns=["who", "clips", "heard", "right"])


def in_words(found: Verdicts, model: str) -> str:
    """For whom a model names an emotion, and how often it is right then.

    Parameters
    ----------
    found : Verdicts
    model : str
        A value of the column `model`.

    Returns
    -------
    str
    """
    rows = found.shares[found.shares["model"] == model].set_index("source")
    recorded, pooled = rows.loc[""], rows.loc[POOLED]
    ways = rows.index.isin(CONDITIONS).sum() + 1
    said = (
        f"Of people whom it had never heard, {model} names an emotion in {recorded['heard']:.0%} of clips"
        f"{_right(recorded)}; of the others it says that it cannot tell, or that its answer is a guess. Of all {ways} "
        f"recordings of each clip it names one in {pooled['heard']:.0%}{_right(pooled)}."
    )
    for row in rows[~rows.index.isin(["", POOLED, NON_SPEECH, *CONDITIONS])].itertuples():
        if row.part == evaluation.OTHER:
            emotions = row.title.rpartition(": ")[2]
            said += f" It names one in {row.heard:.0%} of the clips of {emotions} there, too, which it never learned."
        else:
            said += f" Of another corpus ({row.Index}), it names one in {row.heard:.0%}{_right(row._asdict())}."
    if NON_SPEECH in rows.index:
        sounds = rows.loc[NON_SPEECH]
        named = round(sounds["clips"] * (1 - sounds[UNLIKE] - sounds[NO_VOICE]))
        said += (
            f" Of {sounds['clips']} sounds without a voice, it takes {named or 'none'} for a voice like those it knows."
        )
    return said


def _right(row) -> str:
    return "" if np.isnan(row["right"]) else f", and {row['right']:.0%} of these answers are right"


def extremes_in_words(found: Verdicts, model: str) -> str:
    """In which recording condition and for whom a model names an emotion least and most often.

    Parameters
    ----------
    found : Verdicts
    model : str
        A value of the column `model`.

    Returns
    -------
    str
    """
    shares = found.shares[found.shares["model"] == model].set_index("source")
    heard_in = shares.loc[shares.index.isin(CONDITIONS)]
    worst, best = (heard_in.loc[heard_in["heard"].agg(which)] for which in ("idxmin", "idxmax"))
    groups = found.groups[(found.groups["model"] == model) & ~found.groups["who"].isin(GENDERS.values())]
    least, most = (groups.loc[groups["heard"].agg(which)] for which in ("idxmin", "idxmax"))
    said = (
        f"In recording conditions it names an emotion in {worst['heard']:.0%} of clips at least "
        f"({conditions.in_words(worst.name)}) and in {best['heard']:.0%} at most ({conditions.in_words(best.name)})"
    )
    if heard_in["right"].notna().any():
        wrong = heard_in.loc[heard_in["right"].idxmin()]
        said += f"; {wrong['right']:.0%} of these are right at worst ({conditions.in_words(wrong.name)})"
    return (
        f"{said}. {least['who'].capitalize()} voices get one in {least['heard']:.0%}, {most['who']} ones in "
        f"{most['heard']:.0%}."
    )
