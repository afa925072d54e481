"""Paired comparison of runs on the same test clips: counts, intervals, significance tests, and verdicts in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from ser_core import evaluation
from ser_core.corpus.clips import speakers_of
from ser_core.corpus.ravdess import speakers_called
from ser_core.errors import ModelError
from ser_core.evaluation import paired_tests, protocols
from ser_core.results import comparison, run_titles
from ser_core.results.runs import Run

MCNEMAR, SIGN_FLIPS = "McNemar's exact test", "sign-flip test over speakers"
WHY = {  # which test is used, and why
    "clips": "McNemar's exact test over clips, since the protocol holds no speakers out: the question is whether other "
    "clips of the same speakers would say the same",
    "actors": "sign-flip test over whole speakers, since the protocol holds them out: clips of one speaker stand or "
    "fall together, and the question is whether other speakers would say the same",
}


@dataclass(frozen=True)
class Pair:
    """The paired comparison of two runs on the same clips."""

    first: str  # run ids
    second: str
    kind: str  # what had to be predicted: "class", "emotion" or "gender"
    clips: int
    both: int  # clips that both predicted correctly
    only_first: int
    only_second: int
    p: float  # of the test named in `test`
    difference: float  # accuracy of the first minus that of the second
    low: float  # its 95% interval, by the same test
    high: float
    over: str = "clips"  # or "actors", where the protocol holds them out
    units: int = 0  # how many clips or actors were flipped
    smallest: float = np.nan  # true difference that 80 of 100 such experiments find; NaN where none can
    speakers: str = "actors"  # what they are called: see `ravdess.speakers_called`

    @property
    def test(self) -> str:
        """The test that `p`, `low` and `high` are of."""
        return SIGN_FLIPS if self.over == "actors" else MCNEMAR

    @property
    def neither(self) -> int:
        """Clips that neither predicted correctly."""
        return self.clips - self.both - self.only_first - self.only_second


def sides(first: Run, second: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """The predictions of two runs for the clips that both were tested on.

    Parameters
    ----------
    first, second : Run
    part : {"test", "cv", "train"}
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a clip: `clip`, `corpus`, `speaker`, `gender`, `truth`, `first` and `second` (the predictions),
        `first_right` and `second_right`.

    Raises
    ------
    ModelError
        If they have no clip in common.
    """
    both = _named(first.part(part), kind, "first").merge(_named(second.part(part), kind, "second"))
    if both.empty:
        raise ModelError(f"{first.id} and {second.id} have no {part} clip in common: choose runs of one protocol")
    return both.assign(first_right=both["first"] == both["truth"], second_right=both["second"] == both["truth"])


def beside(found: Iterable[Run], *, kind: str = "class") -> pd.DataFrame:
    """The predictions of several runs for the clips that all were tested on.

    Parameters
    ----------
    found : iterable of Run
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a clip: `clip`, `corpus`, `speaker`, `gender`, `truth`, and for each run a column of its id with its
        prediction.
    """
    return reduce(pd.merge, [_named(run.part("test"), kind, run.id) for run in found])


def _named(rows: pd.DataFrame, kind: str, column: str) -> pd.DataFrame:
    """Clips with their speaker, true value and, in the named column, the prediction."""
    named, truth = evaluation.named_and_true(rows, kind)
    return rows[evaluation.CLIP_COLUMNS].assign(truth=truth, **{column: named})


def pair(first: Run, second: Run, *, part: str = "test", kind: str = "class") -> Pair:
    """Whether two runs differ on the clips that both were tested on.

    The test and its interval are over actors where both protocols hold them out, otherwise over clips.

    Parameters
    ----------
    first, second : Run
    part : {"test", "cv", "train"}
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    Pair

    Raises
    ------
    ModelError
        As `sides`.
    """
    rows = sides(first, second, part=part, kind=kind)
    one, other = rows["first_right"].to_numpy(), rows["second_right"].to_numpy()
    by_actor = hold_actors_out(first, second)
    found = paired(rows, by_actor)
    return Pair(
        first=first.id,
        second=second.id,
        kind=kind,
        clips=len(rows),
        both=int((one & other).sum()),
        only_first=int((one & ~other).sum()),
        only_second=int((other & ~one).sum()),
        p=found.p,
        difference=found.difference,
        low=found.low,
        high=found.high,
        over="actors" if by_actor else "clips",
        units=found.units,
        smallest=found.smallest,
        speakers=speakers_called(rows["corpus"]),
    )


def hold_actors_out(*found: Run) -> bool:
    """Whether the protocols of all these runs hold actors out.

    Parameters
    ----------
    found : Run

    Returns
    -------
    bool
    """
    return all(protocols.get(run.protocol).holds_actors_out for run in found)


def paired(rows: pd.DataFrame, by_actor: bool) -> paired_tests.Paired:
    """The paired test of some rows of `sides`.

    Parameters
    ----------
    rows : pd.DataFrame
    by_actor : bool
        Whether the actors are held out, so that the test is over them.

    Returns
    -------
    paired_tests.Paired
    """
    right = rows[["first_right", "second_right"]].to_numpy(dtype=int)
    difference = right[:, 0] - right[:, 1]
    return (
        paired_tests.over_speakers(difference, speakers_of(rows)) if by_actor else paired_tests.over_clips(difference)
    )


def all_pairs(found: Sequence[Run], **options) -> pd.DataFrame:
    """Every pair of some runs, with p-values corrected for their number (Benjamini & Hochberg 1995).

    Parameters
    ----------
    found : sequence of Run
    options
        As `pair` takes them.

    Returns
    -------
    pd.DataFrame
        The fields of `Pair`, `test`, and `corrected`.
    """
    return corrected([pair(one, other, **options) for one, other in combinations(found, 2)])


def corrected(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Pairs as a table, with p-values corrected for their number: see `all_pairs`.

    Parameters
    ----------
    pairs : sequence of Pair

    Returns
    -------
    pd.DataFrame
        The fields of `Pair`, `test`, and `corrected`, the p-value.
    """
    table = pd.DataFrame([vars(one) for one in pairs], columns=[*Pair.__dataclass_fields__])
    tests = [one.test for one in pairs]
    return table.assign(test=tests, corrected=false_discovery_control(table["p"].astype(float)))


def verdict(pair: Pair, first: str, second: str, p: float | None = None) -> str:
    """A pair in words, such as "best and mlp cannot be told apart on 491 clips (p = 0.08)".

    Parameters
    ----------
    pair : Pair
    first, second : str
        Their titles.
    p : float, optional
        The corrected p-value, where several pairs are tested.

    Returns
    -------
    str
    """
    p = pair.p if p is None else p
    p_value = paired_tests.in_words(p)
    on = f"{pair.clips:,} clips" + f" of {pair.units} {pair.speakers}" * (pair.over == "actors")
    if p >= paired_tests.LEVEL:
        return f"{first} and {second} cannot be told apart on {on} ({p_value}){_what_it_takes(pair)}"
    better, worse, low, high = first, second, pair.low, pair.high
    if pair.difference < 0:
        better, worse, low, high = second, first, -pair.high, -pair.low
    interval = f"95% interval {f'over {pair.speakers} ' * (pair.over == 'actors')}{100 * low:.1f} to {100 * high:.1f}"
    return f"{better} is better than {worse} by {100 * abs(pair.difference):.1f} points on {on} ({interval}; {p_value})"


def _what_it_takes(pair: Pair) -> str:
    """The smallest difference that so many clips or actors can show, as the end of a sentence."""
    if pair.over == "actors" and np.isnan(pair.smallest):
        return f": with {pair.units} {pair.speakers} nothing can be; it takes {paired_tests.FEWEST}"
    if not pair.smallest > 0:  # they never differ, or there are next to no clips
        return ""
    units = pair.speakers if pair.over == "actors" else "clips"
    return f"; to find a difference below {100 * pair.smallest:.1f} points takes more {units}"


def verdicts(pairs: pd.DataFrame, labels: dict[str, str]) -> list[str]:
    """Each row of `all_pairs` in words, with corrected p-values.

    Parameters
    ----------
    pairs : pd.DataFrame
    labels : dict of str to str
        Run id -> title.

    Returns
    -------
    list of str
    """
    made = []
    for row in pairs.to_dict("records"):
        p = row["corrected"]
        one = Pair(**{name: row[name] for name in Pair.__dataclass_fields__})
        made.append(verdict(one, labels[one.first], labels[one.second], p))
    return made


def named_pairs(names: Sequence[str], found: Iterable[Run], **options) -> tuple[pd.DataFrame, list[str]]:
    """Every pair of the runs with these titles: the table of `all_pairs` with titles for ids, and the verdicts.

    Parameters
    ----------
    names : sequence of str
        Labels or ids.
    found : iterable of Run
    options
        As `pair` takes them.

    Returns
    -------
    pd.DataFrame, list of str

    Raises
    ------
    ModelError
        If there are fewer than two, one is not there, or they were not tested on the same clips.
    """
    found = list(found)
    chosen = comparison.find(names, found)
    if len({run.id for run in chosen}) < 2:
        raise ModelError(f"{', '.join(names)}: that is one run, and a pair is two. Give two or more")
    for group in comparison.same_test(found).values():
        inside = [run.id in {one.id for one in group} for run in chosen]
        if any(inside) and not all(inside):
            one, other = names[inside.index(True)], names[inside.index(False)]
            raise ModelError(
                f"{one} and {other} were not tested on the same clips: choose runs of one protocol and data"
            )
    labels = run_titles.titles(found, protocol=False)
    pairs = all_pairs(list({run.id: run for run in chosen}.values()), **options)
    named = pairs.assign(first=pairs["first"].map(labels), second=pairs["second"].map(labels))
    return named, verdicts(pairs, labels)
