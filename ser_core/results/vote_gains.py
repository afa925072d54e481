"""The gain of a vote over its members, class by class, and the claims of the original study about it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd
from scipy.stats import false_discovery_control

from ser_core.corpus.labels import title_of
from ser_core.results import differences
from ser_core.results.runs import Run


def by_class(whole: Run, member: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """The gain of one run over another in each class, e.g. of a vote over its member.

    Parameters
    ----------
    whole, member : Run
    part : {"test", "cv", "train"}
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a class, by gain: `truth`, `clips`, `member` and `whole` (recall), `gain`, `only_member` and
        `only_whole` (clips that one alone names right), and `p` (of the test of `differences.pair`), corrected for the
        classes.
    """
    by_actor = differences.hold_actors_out(whole, member)
    rows = differences.sides(whole, member, part=part, kind=kind)
    one, other = rows["first_right"], rows["second_right"]
    rows = rows.assign(only_whole=one & ~other, only_member=other & ~one)
    table = rows.groupby("truth").agg(
        clips=("clip", "size"),
        member=("second_right", "mean"),
        whole=("first_right", "mean"),
        only_member=("only_member", "sum"),
        only_whole=("only_whole", "sum"),
    )
    p = [differences.paired(of_class, by_actor).p for _, of_class in rows.groupby("truth")]
    table = table.assign(gain=table["whole"] - table["member"], p=false_discovery_control(p))
    return table.sort_values("gain", ascending=False).reset_index()


def members(vote: Run, found: Iterable[Run]) -> dict[str, Run]:
    """The runs of a vote's members, each alone but otherwise the same, by the member's key; empty if it is no vote.

    Parameters
    ----------
    vote : Run
    found : iterable of Run

    Returns
    -------
    dict of str to Run
    """
    made_of: dict[str, Any] = vote.members or vote.recipe.parameters.get("members") or {}
    alike = [run for run in found if _on(run) == _on(vote)]
    result = {}
    for key, what in made_of.items():
        for run in alike:
            same = replace(vote.recipe, model=key, parameters=what, preset=run.recipe.preset, origin=run.recipe.origin)
            if run.id == what or run.recipe == same:
                result[key] = run
    return result


def _on(run: Run) -> tuple:
    return run.test, run.data_digest, run.recipe.seed


# "MLP mends fearful female and sad male, XGBoost sad female": the corrected member, by which, in which classes.
ORIGINAL_CLAIMS = (("xgb", "mlp", ("fearful_female", "sad_male")), ("mlp", "xgb", ("sad_female",)))
ORIGINAL_VOTE = "v4"


def original_claims(vote: Run, of: dict[str, Run]) -> list[tuple[bool, str]]:
    """The study's claims about how its vote's members complement each other, checked against the runs.

    For any other vote, or another test, the list is empty.

    Parameters
    ----------
    vote : Run
    of : dict
        Its members, as `members` gives them.

    Returns
    -------
    list of (bool, str)
        Whether the claim holds, and the counts in words.
    """
    claims: list[tuple[bool, str]] = []
    if (vote.recipe.model, vote.test, set(of)) != (ORIGINAL_VOTE, "study", {"mlp", "xgb"}):
        return claims
    for weak, strong, labels in ORIGINAL_CLAIMS:
        gains = by_class(vote, of[weak]).set_index("truth")
        other = by_class(of[strong], of[weak]).set_index("truth")
        for label in labels:
            row = gains.loc[label]
            recalls = row["member"], other.loc[label, "whole"], row["whole"]
            of_weak, of_strong, of_vote = (round(recall * row["clips"]) for recall in recalls)
            holds = of_vote > of_weak and of_strong > of_weak
            words = (
                f"{strong} mends {title_of(label)}: **{'so it is' if holds else 'not so'}**. Of {row['clips']:.0f} "
                f"clips {weak} alone names {of_weak} right, {strong} alone {of_strong}, the vote {of_vote}."
            )
            claims.append((holds, words))
    return claims


def in_words(gains: pd.DataFrame, vote: str, member: str, test: str = differences.MCNEMAR) -> str:
    """Where a vote's gain over a member comes from, in one sentence.

    Parameters
    ----------
    gains : pd.DataFrame
        As `by_class` gives it.
    vote, member : str
        Their titles.
    test : str
        The test that the gains' p-values are of: `differences.Pair.test`.

    Returns
    -------
    str
    """
    clips = (gains["only_whole"] - gains["only_member"]).astype(int)
    counts = {title_of(truth): number for truth, number in zip(gains["truth"], clips, strict=True)}
    ranked = sorted(counts, key=counts.__getitem__, reverse=True)
    best = [f"{name} ({counts[name]:+d})" for name in ranked[:3] if counts[name] > 0]
    worst = [f"{name} ({counts[name]:+d})" for name in ranked[::-1][:3] if counts[name] < 0]
    more = f"{abs(clips.sum())} {'more' if clips.sum() >= 0 else 'fewer'}"
    words = f"Of {gains['clips'].sum():,} clips {vote} names {more} right than {member} alone"
    words += f"; it gains most in {', '.join(best)}" if best else "; it gains in none"
    words += f" and loses in {', '.join(worst)}" if worst else " and loses in none"
    sure = gains[gains["p"] < 0.05]["truth"]
    words += ". More than chance" if len(sure) else ". In no one of them is that more than chance"
    if len(sure):
        words += f" in {', '.join(map(title_of, sure))} ({test}, corrected for {len(gains)})"
    return words + "."
