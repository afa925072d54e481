import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score, recall_score

from ser_core import comparison, corpus, evaluation, training
from ser_core.errors import ModelError
from ser_core.labels import LABELS
from ser_core.runs import Run

CLIPS = corpus.official_clips()[::5]  # 491


def run(right, name="one", protocol="study", clips=CLIPS):
    """A run that names the clips right where it is said, and otherwise the next class."""
    truth = np.array([LABELS.index(clip.label) for clip in clips])
    named = np.where(right, truth, (truth + 1) % len(LABELS))
    given = np.full((len(clips), len(LABELS)), 0.01)
    given[np.arange(len(clips)), named] = 0.85
    known = pd.DataFrame({"clip": [clip.stem for clip in clips], "fold": 0, "part": "test"})
    known["truth"] = [clip.label for clip in clips]
    rows = pd.concat([known, pd.DataFrame(given, columns=evaluation.PROBABILITY_COLUMNS)], axis=1)
    info = {"protocol": protocol, "model": name, "data_digest": "abcdef0123456789", "seed": 9, "preset": "default"}
    info |= {"scores": {}, "family": "classical", "features": "study-1", "parameters": {}, "name": name.title()}
    return Run(name, info, rows, shipped=True)


def changed(run, **info):
    """The same run with other things in its run.json, and a name of its own."""
    known = {name: value for name, value in info.items() if name not in ("id", "shipped")}
    return dataclasses.replace(
        run, id=info.get("id", run.id), shipped=info.get("shipped", run.shipped), info=run.info | known
    )


def by_chance(seed, share=0.8):
    return np.random.default_rng(seed).uniform(size=len(CLIPS)) < share


def test_a_pair_counts_who_is_right_where():
    one, other = by_chance(1), by_chance(2)
    found = comparison.pair(run(one), run(other, "other"))
    assert (found.both, found.only_first, found.only_second, found.neither) == (
        (one & other).sum(),
        (one & ~other).sum(),
        (other & ~one).sum(),
        (~one & ~other).sum(),
    )
    assert found.p == binomtest(found.only_first, found.only_first + found.only_second).pvalue
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert found.low < found.difference < found.high


def test_a_run_cannot_be_told_from_itself():
    found = comparison.pair(run(by_chance(1)), run(by_chance(1)))
    assert (found.p, found.difference, found.low, found.high) == (1, 0, 0, 0)


def test_of_runs_that_are_equally_good_few_are_said_to_differ():
    """The test's size: at most 5 in 100."""
    found = [comparison.pair(run(by_chance(2 * i)), run(by_chance(2 * i + 1)), resamples=10).p for i in range(300)]
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_the_difference_of_most_pairs_lies_in_its_interval():
    """Coverage: 95 in 100."""
    inside = []
    for i in range(200):
        found = comparison.pair(run(by_chance(2 * i, 0.8)), run(by_chance(2 * i + 1, 0.7)), resamples=400)
        inside.append(found.low <= 0.1 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_where_actors_are_held_out_they_are_drawn_whole_so_that_intervals_are_wider():
    actors = np.array([clip.actor for clip in CLIPS])
    right = np.isin(actors, range(1, 13))
    one, other = (
        run(right if first else ~right, protocol=protocol) for first, protocol in ((1, "study"), (0, "study"))
    )
    clips = comparison.pair(one, other)
    held = [dataclasses.replace(each, info=each.info | {"protocol": "emobox"}) for each in (one, other)]
    by_actor = comparison.pair(*held)
    assert by_actor.high - by_actor.low > 2 * (clips.high - clips.low)


def test_pairs_are_corrected_for_their_number():
    found = comparison.all_pairs([run(by_chance(seed, share), str(seed)) for seed, share in enumerate((0.8, 0.8, 0.6))])
    assert len(found) == 3
    assert (found["corrected"] >= found["p"]).all()


def test_verdicts_say_it_in_words():
    best, worst = run(by_chance(1, 0.9), "best"), run(by_chance(2, 0.5), "worst")
    said = comparison.verdict(comparison.pair(worst, best), "worst", "best")
    assert said.startswith("best is better than worst by ")
    assert "p < 0.001" in said
    alike = by_chance(3)
    same = comparison.pair(run(alike), run(np.roll(alike, 1)))  # as many right
    assert "a and b cannot be told apart on 491 clips (p = " in comparison.verdict(same, "a", "b")


def test_runs_without_a_clip_in_common_are_named():
    with pytest.raises(ModelError, match="one and other have no test clip in common"):
        comparison.pair(run(by_chance(1)), run(np.ones(4, bool), "other", clips=corpus.official_clips()[1:5]))


def test_gains_are_told_class_by_class():
    member = by_chance(1, 0.5)
    whole = member | np.array([clip.label == "sad_male" for clip in CLIPS])
    found = comparison.gain_by_class(run(whole), run(member, "member"))
    assert found["truth"].iloc[0] == "sad_male"
    assert found["whole"].iloc[0] == 1
    assert (found["gain"].iloc[1:] == 0).all()


def test_gains_of_few_clips_are_no_more_than_chance():
    member = by_chance(1, 0.5)
    sad = [i for i, clip in enumerate(CLIPS) if clip.label == "sad_male" and not member[i]]
    few, many = member.copy(), member.copy()
    few[sad[:1]], many[sad] = True, True
    said = [
        comparison.gain_in_words(comparison.gain_by_class(run(whole), run(member, "member")), "vote", "member")
        for whole in (few, many)
    ]
    assert said[0] == (
        "Of 491 clips vote names 1 more right than member alone; it gains most in Sad, male (+1) and loses in none. "
        "In no one of them is that more than chance."
    )
    assert said[1].endswith("More than chance in Sad, male (McNemar, corrected for 16).")


def test_a_verdict_over_actors_says_where_other_actors_might_decide_otherwise():
    actors = np.array([clip.actor for clip in CLIPS])
    other = by_chance(1, 0.7)
    one = other | (actors == 3) | (actors == 8)  # better on two actors only
    pair = comparison.pair(run(one, protocol="emobox"), run(other, "two", "emobox"))
    assert pair.over == "actors"
    sure = dataclasses.replace(pair, p=0.01, low=0.01)
    unsure = dataclasses.replace(pair, p=0.01, low=-0.01)
    assert "points on 491 clips (95 % interval over actors 1.0 to" in comparison.verdict(sure, "A", "B")
    assert "with other actors it might not be (95 % interval over actors -1.0 to" in comparison.verdict(
        unsure, "A", "B"
    )


def test_runs_are_grouped_by_what_they_were_tested_on():
    first = run(by_chance(1), "v4")
    found = [
        changed(first, id="b", protocol="emobox"),
        first,
        changed(first, id="own", shipped=False),
        changed(first, id="elsewhere", shipped=False, data_digest="99999999ff"),
    ]
    groups = comparison.same_test(found)
    assert {name: [run.id for run in runs] for name, runs in groups.items()} == {
        "study": ["v4", "own"],
        "emobox": ["b"],
        "study of 99999999": ["elsewhere"],
    }


def test_every_run_is_called_otherwise():
    first = run(by_chance(1), "mlp")
    found = [
        first,
        changed(first, id="f", features="functionals-1"),
        changed(first, id="t", preset="tuned"),
        changed(first, id="s", seed=10),
        changed(first, id="study-mlp-default-11112222", shipped=False),
        changed(first, id="study-mlp-default-33334444", shipped=False),
    ]
    assert list(training.titles(found, protocol=False).values()) == [
        "mlp",
        "mlp, functionals",
        "mlp (tuned)",
        "mlp, seed 10",
        "mlp (yours) #11112222",
        "mlp (yours) #33334444",
    ]


def test_members_are_those_that_the_vote_is_made_of():
    mlp, xgb = changed(run(by_chance(1), "mlp"), parameters={"alpha": 3}), run(by_chance(2), "xgb")
    others = [
        changed(mlp, id="tuned", parameters={"alpha": 1}),
        changed(mlp, id="other features", features="functionals-1"),
        changed(mlp, id="other clips", data_digest="9"),
        changed(mlp, id="other seed", seed=10),
    ]
    vote = changed(run(by_chance(3), "v4"), parameters={"members": {"mlp": {"alpha": 3}, "xgb": {}}})
    assert comparison.members(vote, [mlp, xgb, *others]) == {"mlp": mlp, "xgb": xgb}
    saved = changed(vote, parameters={}, members={"mlp": "mlp", "xgb": "xgb"})
    assert comparison.members(saved, [mlp, xgb, *others]) == {"mlp": mlp, "xgb": xgb}
    assert comparison.members(mlp, [mlp, xgb]) == {}


def test_the_studys_story_is_held_against_the_runs():
    label = np.array([clip.label for clip in CLIPS])
    xgb = ~np.isin(label, ["fearful_female", "sad_male"])
    mlp = label != "sad_female"
    vote = label != "sad_male"  # mends two of the three
    found = comparison.studys_story(run(vote, "v4"), {"mlp": run(mlp, "mlp"), "xgb": run(xgb, "xgb")})
    assert [is_so for is_so, _ in found] == [True, False, True]
    clips = (label == "fearful_female").sum()
    assert found[0][1] == (
        f"mlp mends Fearful, female: **so it is**. Of {clips} clips xgb alone names 0 right, mlp alone {clips}, the "
        f"vote {clips}."
    )


def test_a_table_has_any_kind_and_is_the_runs_own_scores():
    rows = run(by_chance(1))
    info = {"fit_seconds": 2.0, "predict_seconds": 0.491, "seconds": 9.0, "layers": [{"parameters": 5}] * 2}
    whole = changed(rows, **info, scores=evaluation.scores(rows.predictions))
    by_class = comparison.table([whole], sizes={"one": 2_000_000}).iloc[0]
    by_gender = comparison.table([whole], kind="gender").iloc[0]
    assert by_class["test_accuracy"] == whole.scores["test_accuracy"]
    assert (by_class["test_low"], by_class["test_high"]) == evaluation.intervals(rows.part("test"))["accuracy"]
    assert (by_class["predict_ms"], by_class["parameters"], by_class["file_bytes"]) == (pytest.approx(1), 10, 2e6)
    named, truth = evaluation.named_and_true(rows.part("test"), "gender")
    assert by_gender["test_accuracy"] == np.mean(named == truth)
    assert by_gender["uar"] == pytest.approx(recall_score(truth, named, average="macro"))
    assert by_gender["macro_f1"] == pytest.approx(f1_score(truth, named, average="macro"))
    assert comparison.table([whole], protocol="emobox").empty


def test_a_table_for_people_leaves_out_what_it_cannot_say():
    whole = changed(run(by_chance(1)), fit_seconds=2.0, predict_seconds=0.5, seconds=9.0)
    whole = changed(whole, scores=evaluation.scores(whole.predictions), name="a | b")
    table = comparison.table([whole])
    head, _, row = comparison.written(table, "markdown").splitlines()
    assert "CV5" not in head and "file (MB)" not in head
    assert "a \\| b" in row
    assert comparison.written(table, "csv").startswith("run,label,model,name,")
    with pytest.raises(ModelError, match="no form 'word'"):
        comparison.written(table, "word")
