"""Runs beside the original study's numbers and beside each other: intervals, and tests of whether two differ at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from ser_core import evaluation, protocols, training
from ser_core.errors import ModelError
from ser_core.labels import title_of
from ser_core.reference import ORIGINAL
from ser_core.runs import Run

# The original's number is of what this preset sees; our default of the same key sees something else.
SEES_AS_THE_ORIGINAL = {"rnn": "study"}

COLUMNS = [
    "run",
    "label",
    "model",
    "name",
    "family",
    "preset",
    "features",
    "shipped",
    "original_cv_accuracy",
    "original_test_accuracy",
    "cv_accuracy",
    "test_accuracy",
    "test_low",
    "test_high",
    "test_clips",
    "uar",
    "macro_f1",
    "train_accuracy",
    "gap",
    "seconds",
    "fit_seconds",
    "predict_ms",
    "file_bytes",
    "parameters",
]
# What a table for people is made of: its heads, without the intervals, which stand in brackets.
SHOWN = {
    "label": "run",
    "name": "model",
    "original_cv_accuracy": "original CV5",
    "cv_accuracy": "CV5",
    "original_test_accuracy": "original test",
    "test_accuracy": "test (95 % interval)",
    "uar": "UAR",
    "gap": "train less test",
    "fit_seconds": "fit (s)",
    "predict_ms": "predict (ms a clip)",
    "file_bytes": "file (MB)",
    "parameters": "parameters",
}
PAIRS_SHOWN = {
    "first": "A",
    "second": "B",
    "clips": "clips",
    "only_first": "only A right",
    "only_second": "only B right",
    "difference": "A less B (95 % interval)",
    "p": "p",
    "corrected": "p, corrected",
}
FORMATS = ("csv", "latex", "markdown")


def same_test(found: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs by what they were tested on, which alone may be compared: a protocol's name, and for clips other than those
    of the runs that ship also the beginning of their digest, such as "study of a1b2c3d4"."""
    found = list(found)
    digests = _shipped_digests(found)
    groups: dict[str, list[Run]] = {}
    for run in found:
        protocol, digest = run.info["protocol"], run.info["data_digest"]
        groups.setdefault(protocol if digest in digests else f"{protocol} of {digest[:8]}", []).append(run)
    order = {name: place for place, name in enumerate(protocols.PROTOCOLS)}
    return dict(sorted(groups.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _shipped_digests(found: Iterable[Run]) -> set[str]:
    return {run.info["data_digest"] for run in found if run.shipped}


def table(
    found: Iterable[Run], *, protocol: str = "study", kind: str = "class", sizes: dict[str, int] | None = None
) -> pd.DataFrame:
    """One row for each of the runs under a protocol, shipped and own, in the order of the study's table.

    Parameters
    ----------
    found : iterable of Run
    protocol : str
    kind : str
        What has to be named: "class" (16), "emotion" (8, genders added up) or "gender".
    sizes : dict, optional
        Run -> bytes of the model's file, as `artifacts.sizes` gives it.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: `original_cv_accuracy`, `original_test_accuracy` (missing where the study had no such model, or the
        run is on other clips), `cv_accuracy`, `test_accuracy` with its 95 % interval `test_low` to `test_high` (over
        clips, or over actors where they are held out), `gap` (accuracy on train less that on test), `fit_seconds` and
        `predict_ms` (a clip) of the last fit, `parameters` of a network, ...
    """
    found = list(found)
    # The original's numbers are of these clips; a run on others stands beside nothing.
    digests = _shipped_digests(found)
    found = [run for run in found if run.info["protocol"] == protocol]
    labels = training.titles(found, protocol=False)
    rows = [
        row(run, kind, is_the_studys_data=run.info["data_digest"] in digests) | {"label": labels[run.id]}
        for run in found
    ]
    return as_table(rows, sizes or {})


def as_table(rows: list[dict], sizes: dict[str, int]) -> pd.DataFrame:
    """`table`, from its rows."""
    order = {key: place for place, key in enumerate(ORIGINAL)}
    rows = sorted(rows, key=lambda row: (order.get(row["model"], len(order)), row["model"], not row["shipped"]))
    made = pd.DataFrame(rows, columns=COLUMNS)
    return made.assign(file_bytes=made["file_bytes"].fillna(made["run"].map(sizes)).astype(float))


def row(run: Run, kind: str = "class", *, is_the_studys_data: bool = True) -> dict:
    """What `table` says of a run, but for its label."""
    info, test = run.info, run.part("test")
    key, preset = info["model"], info["preset"]
    is_like = is_the_studys_data and kind == "class" and info["protocol"] == "study"
    original = ORIGINAL.get(key) if is_like and preset == SEES_AS_THE_ORIGINAL.get(key, preset) else None
    share, low, high = evaluation.accuracy(test, kind, by_actor=protocols.get(info["protocol"]).holds_actors_out)
    scores = run.scores if kind == "class" else evaluation.scores_of(run.predictions, kind)
    last = test[test["fold"] == test["fold"].max()]  # the clips that `predict_seconds` is of
    return {
        **{name: info[name] for name in ("model", "name", "family", "preset", "features", "seconds", "fit_seconds")},
        "run": run.id,
        "shipped": run.shipped,
        "original_cv_accuracy": original.cv_accuracy if original else None,
        "original_test_accuracy": original.test_accuracy if original else None,
        "cv_accuracy": scores.get("cv_accuracy"),
        "test_accuracy": share,
        "test_low": low,
        "test_high": high,
        "test_clips": len(test),
        "uar": scores["uar"],
        "macro_f1": scores["macro_f1"],
        "train_accuracy": scores.get("train_accuracy"),
        "gap": scores["train_accuracy"] - share if "train_accuracy" in scores else None,
        "predict_ms": 1000 * info["predict_seconds"] / len(last),
        "file_bytes": info.get("size_bytes"),
        "parameters": sum(layer["parameters"] for layer in info["layers"]) if "layers" in info else None,
    }


def find(names: Iterable[str], found: Sequence[Run]) -> list[Run]:
    """The runs of one test that are called so, by their label in `table` or by their id.

    Raises
    ------
    ModelError
        If there is no such run.
    """
    labels = training.titles(found, protocol=False)
    called = {run.id: run for run in found} | {labels[run.id]: run for run in found}
    for name in names:
        if name not in called:
            raise ModelError(f"There is no run {name!r} to compare; there is {', '.join(sorted(labels.values()))}")
    return [called[name] for name in names]


def written(table: pd.DataFrame, form: str) -> str:
    """A table of `table` or of `all_pairs` as text: CSV with every column and digit, or LaTeX or Markdown for a paper.

    Raises
    ------
    ModelError
        If there is no such form.
    """
    if form == "csv":
        return table.to_csv(index=False)
    if form not in FORMATS:
        raise ModelError(f"There is no form {form!r} of a table; there is {', '.join(FORMATS)}")
    said = for_people(table)
    if form == "latex":
        return said.to_latex(index=False, escape=True)
    rows = [list(said), ["---"] * said.shape[1], *said.to_numpy().tolist()]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that people read, as text; those that say nothing of any row are left out."""
    heads = SHOWN if "label" in table else PAIRS_SHOWN
    said = pd.DataFrame({head: table[name].map(partial(_said, name)) for name, head in heads.items()})
    for name, (low, high) in {"test_accuracy": ("test_low", "test_high"), "difference": ("low", "high")}.items():
        if name in heads:
            ends = table[low].map("{:.3f}".format) + " to " + table[high].map("{:.3f}".format)
            said[heads[name]] += " (" + ends + ")"
    return said.loc[:, (said != "").any()] if len(said) else said


def _said(name: str, value) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if name in ("parameters", "clips", "only_first", "only_second"):
        return f"{value:,.0f}"
    if name == "file_bytes":
        return f"{value / 1e6:.1f}"
    if name == "p" or name == "corrected":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return f"{value:.2f}" if name in ("fit_seconds", "predict_ms") else f"{value:.3f}"


@dataclass(frozen=True)
class Pair:
    """Two runs on the same clips."""

    first: str  # run ids
    second: str
    kind: str  # what had to be named: "class", "emotion" or "gender"
    clips: int
    both: int  # clips that both named right
    only_first: int
    only_second: int
    p: float  # McNemar's exact test (1947): could the clips on which one alone is right fall so by chance?
    difference: float  # accuracy of the first less that of the second
    low: float  # its 95 % bootstrap interval, over clips, or over actors where the protocol holds them out
    high: float
    over: str = "clips"  # or "actors"

    @property
    def neither(self) -> int:
        return self.clips - self.both - self.only_first - self.only_second


def sides(first: Run, second: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """What two runs named of the clips that both were tested on.

    Returns
    -------
    pd.DataFrame
        One row a clip: `clip`, `truth`, `first` and `second` (what each named), `first_right` and `second_right`.

    Raises
    ------
    ModelError
        If they have no clip in common.
    """
    named = []
    for run in (first, second):
        rows = run.part(part)
        given, truth = evaluation.named_and_true(rows, kind)
        named.append(pd.DataFrame({"clip": rows["clip"].to_numpy(), "truth": truth, "named": given}))
    both = named[0].merge(named[1], on=["clip", "truth"], suffixes=("_first", "_second"))
    if both.empty:
        raise ModelError(f"{first.id} and {second.id} have no {part} clip in common: choose runs of one protocol")
    both = both.rename(columns={"named_first": "first", "named_second": "second"})
    return both.assign(first_right=both["first"] == both["truth"], second_right=both["second"] == both["truth"])


def beside(found: Iterable[Run], *, kind: str = "class") -> pd.DataFrame:
    """What several runs named of the clips that all were tested on.

    Returns
    -------
    pd.DataFrame
        One row a clip: `clip`, `truth`, and for each run a column of its id with what it named.
    """
    table = None
    for run in found:
        rows = run.part("test")
        named, truth = evaluation.named_and_true(rows, kind)
        one = pd.DataFrame({"clip": rows["clip"].to_numpy(), "truth": truth, run.id: named})
        table = one if table is None else table.merge(one, on=["clip", "truth"])
    return table


def pair(
    first: Run, second: Run, *, part: str = "test", kind: str = "class", resamples: int = evaluation.RESAMPLES
) -> Pair:
    """Whether two runs differ, on the clips that both were tested on.

    Raises
    ------
    ModelError
        As `sides`.
    """
    rows = sides(first, second, part=part, kind=kind)
    one, other = rows["first_right"].to_numpy(), rows["second_right"].to_numpy()
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    p = _mcnemar(only_first, only_second)
    by_actor = all(protocols.get(run.info["protocol"]).holds_actors_out for run in (first, second))
    groups = rows["clip"].str[-2:].to_numpy() if by_actor else np.arange(len(rows))
    low, high = evaluation.mean_interval(one.astype(int) - other.astype(int), groups, resamples=resamples)
    difference = float(one.mean() - other.mean())
    return Pair(
        first.id,
        second.id,
        kind,
        len(rows),
        int((one & other).sum()),
        only_first,
        only_second,
        p,
        difference,
        low,
        high,
        "actors" if by_actor else "clips",
    )


def all_pairs(found: Sequence[Run], **options) -> pd.DataFrame:
    """Every pair of some runs, with p-values corrected for their number (Benjamini & Hochberg 1995).

    Returns
    -------
    pd.DataFrame
        The fields of `Pair`, and `corrected`.
    """
    return corrected([pair(one, other, **options) for one, other in combinations(found, 2)])


def corrected(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Pairs that are compared together, as `all_pairs` gives them."""
    table = pd.DataFrame([vars(one) for one in pairs], columns=[*Pair.__dataclass_fields__])
    return table.assign(corrected=false_discovery_control(table["p"]) if len(table) else [])


def verdict(pair: Pair, first: str, second: str, p: float | None = None) -> str:
    """A pair in words, such as "best and mlp cannot be told apart on 491 clips (p = 0.08)".

    Parameters
    ----------
    first, second : str
        What the two are called.
    p : float, optional
        The corrected p-value, where several are compared.
    """
    p = pair.p if p is None else p
    said = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    better, worse, low, high = first, second, pair.low, pair.high
    if pair.difference < 0:
        better, worse, low, high = second, first, -pair.high, -pair.low
    interval = f"95 % interval {'over actors ' * (pair.over == 'actors')}{100 * low:.1f} to {100 * high:.1f}"
    if p >= 0.05:
        return f"{first} and {second} cannot be told apart on {pair.clips:,} clips ({said})"
    if low <= 0 and pair.over == "actors":
        # McNemar takes clips to be independent, but those of one actor stand or fall together.
        return (
            f"{better} is better than {worse} by {100 * abs(pair.difference):.1f} points on these {pair.clips:,} clips "
            f"({said}), but with other actors it might not be ({interval})"
        )
    return (
        f"{better} is better than {worse} by {100 * abs(pair.difference):.1f} points on {pair.clips:,} clips "
        f"({interval}; {said})"
    )


def verdicts(pairs: pd.DataFrame, labels: dict[str, str]) -> list[str]:
    """Each row of `all_pairs` in words, by what the runs are called; p-values are the corrected ones."""
    said = []
    for row in pairs.to_dict("records"):
        p = row.pop("corrected")
        one = Pair(**row)
        said.append(verdict(one, labels[one.first], labels[one.second], p))
    return said


def named_pairs(names: Sequence[str], found: Iterable[Run], **options) -> tuple[pd.DataFrame, list[str]]:
    """Every pair of the runs that are called so: `all_pairs` with what they are called, and the verdicts in words.

    Raises
    ------
    ModelError
        If there are not two, one is not there, or they were not tested on the same clips.
    """
    found = list(found)
    chosen = find(names, found)
    if len({run.id for run in chosen}) < 2:
        raise ModelError(f"{', '.join(names)}: that is one run, and a pair is two. Give two or more")
    for group in same_test(found).values():
        inside = [run.id in {one.id for one in group} for run in chosen]
        if any(inside) and not all(inside):
            one, other = names[inside.index(True)], names[inside.index(False)]
            raise ModelError(
                f"{one} and {other} were not tested on the same clips: choose runs of one protocol and data"
            )
    labels = training.titles(found, protocol=False)
    pairs = all_pairs(list({run.id: run for run in chosen}.values()), **options)
    said = verdicts(pairs, labels)
    return pairs.assign(**{name: pairs[name].map(labels) for name in ("first", "second")}), said


def gain_by_class(whole: Run, member: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """What one run gains over another in each class, e.g. a vote over its member.

    Returns
    -------
    pd.DataFrame
        One row a class, by gain: `truth`, `clips`, `member` and `whole` (recall), `gain`, `only_member` and
        `only_whole` (clips that one alone names right), and `p` (McNemar's exact test), corrected for the classes.
    """
    rows = sides(whole, member, part=part, kind=kind)
    one, other = rows["first_right"], rows["second_right"]
    rows = rows.assign(only_whole=one & ~other, only_member=other & ~one)
    table = rows.groupby("truth").agg(
        clips=("clip", "size"),
        member=("second_right", "mean"),
        whole=("first_right", "mean"),
        only_member=("only_member", "sum"),
        only_whole=("only_whole", "sum"),
    )
    p = [_mcnemar(*counts) for counts in table[["only_whole", "only_member"]].to_numpy().tolist()]
    table = table.assign(gain=table["whole"] - table["member"], p=false_discovery_control(p))
    return table.sort_values("gain", ascending=False).reset_index()


def _mcnemar(only_first: int, only_second: int) -> float:
    differ = only_first + only_second
    return float(binomtest(only_first, differ).pvalue) if differ else 1.0


def members(vote: Run, found: Iterable[Run]) -> dict[str, Run]:
    """The runs of a vote's members, each alone but otherwise the same, by the member's key; none if it is no vote."""
    made_of = vote.info.get("members") or vote.info["parameters"].get("members") or {}
    same = ("protocol", "data_digest", "seed")
    alike = [run for run in found if all(run.info[name] == vote.info[name] for name in same)]
    result = {}
    for key, what in made_of.items():
        for run in alike:
            is_same = run.info["parameters"] == what and run.info["features"] == vote.info["features"]
            if run.id == what or (run.info["model"] == key and is_same):
                result[key] = run
    return result


# "MLP mends fearful female and sad male, XGBoost sad female": the member that is mended, by which, in what classes.
STUDYS_STORY = (("xgb", "mlp", ("fearful_female", "sad_male")), ("mlp", "xgb", ("sad_female",)))
STUDYS_VOTE = "v4"


def studys_story(vote: Run, of: dict[str, Run]) -> list[tuple[bool, str]]:
    """What the study says that its vote's members mend in each other, held against the runs: so or not, in words.

    Parameters
    ----------
    vote : Run
    of : dict
        Its members, as `members` gives them.
    """
    said = []
    for weak, strong, labels in STUDYS_STORY:
        gains = gain_by_class(vote, of[weak]).set_index("truth")
        other = gain_by_class(of[strong], of[weak]).set_index("truth")
        for label in labels:
            row = gains.loc[label]
            alone, strongs, together = (
                round(share * row["clips"]) for share in (row["member"], other.loc[label, "whole"], row["whole"])
            )
            is_so = together > alone and strongs > alone
            verdict = "so it is" if is_so else "not so"
            said.append(
                (
                    is_so,
                    f"{strong} mends {title_of(label)}: **{verdict}**. Of {row['clips']:.0f} clips {weak} alone names "
                    f"{alone} right, {strong} alone {strongs}, the vote {together}.",
                )
            )
    return said


def gain_in_words(gains: pd.DataFrame, vote: str, member: str, name_of=title_of) -> str:
    """Where a vote's gain over a member comes from, in one sentence.

    Parameters
    ----------
    gains : pd.DataFrame
        As `gain_by_class` gives it.
    vote, member : str
        What the two are called.
    name_of : callable
        A class, an emotion or a gender in words.
    """
    clips = (gains["only_whole"] - gains["only_member"]).astype(int)
    counts = {name_of(truth): number for truth, number in zip(gains["truth"], clips, strict=True)}
    ranked = sorted(counts, key=counts.get, reverse=True)
    best = [f"{name} ({counts[name]:+d})" for name in ranked[:3] if counts[name] > 0]
    worst = [f"{name} ({counts[name]:+d})" for name in ranked[::-1][:3] if counts[name] < 0]
    more = f"{abs(clips.sum())} {'more' if clips.sum() >= 0 else 'fewer'}"
    words = f"Of {gains['clips'].sum():,} clips {vote} names {more} right than {member} alone"
    words += f"; it gains most in {', '.join(best)}" if best else "; it gains in none"
    words += f" and loses in {', '.join(worst)}" if worst else " and loses in none"
    sure = gains[gains["p"] < 0.05]["truth"]
    words += ". More than chance" if len(sure) else ". In no one of them is that more than chance"
    if len(sure):
        words += f" in {', '.join(map(name_of, sure))} (McNemar, corrected for {len(gains)})"
    return words + "."
