import numpy as np
import pandas as pd
import pytest

from ser_core import evaluation
from ser_core.evaluation import verdicts as of_evaluation
from ser_core.prediction import predictor
from ser_core.results import verdicts
from tests.made_runs import answers, changed, elsewhere

CONDITIONS = ("louder", "telephone", "hall")


@pytest.fixture(scope="module")
def found():
    plain = answers(blur=0.8)
    heard = [answers(key, 0.8 + blur / 10) for key, blur in zip(CONDITIONS, (0, 3, 9), strict=True)]
    return [plain, *heard, elsewhere(plain)]


@pytest.fixture(scope="module")
def said(found):
    return verdicts.of_runs(found, "emobox")


def row(said, source, part="test"):
    (one,) = said.shares.query("source == @source and part == @part").to_dict("records")
    return one


def test_verdicts_have_the_names_of_a_prediction():
    assert verdicts.NO_VOICE == predictor.NO_VOICE
    assert set(verdicts.SAID) == set(predictor.VERDICTS) - {predictor.UNTESTED}


def test_only_speaker_independent_tests_count(found):
    known = [changed(run, protocol="study") for run in found[:4]]
    assert verdicts.protocols([*known, *found]) == ["emobox"]
    assert verdicts.protocols(known) == []
    with pytest.raises(ValueError, match="study has speakers in training and test"):
        verdicts.of_runs(known, "study")


def test_a_model_without_a_test_in_conditions_has_no_verdicts(found):
    said = verdicts.of_runs([found[0], found[-1]], "emobox")
    assert said.shares.empty and said.risk.empty and said.groups.empty


def test_every_source_has_its_row_and_its_shares_add_up(said):
    assert said.shares["source"].tolist() == ["", *CONDITIONS, "pooled", "elsewhere", "elsewhere"]
    assert said.shares["title"].tolist() == [
        "As recorded",
        "20 dB louder",
        "Over a telephone",
        "In a hall",
        "All recordings together",
        "Another corpus: elsewhere",
        "elsewhere: boredom",
    ]
    assert said.shares[["heard", "unsure", "unlike"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert said.shares["no_voice"].isna().all()
    scored = said.shares[said.shares["part"] == "test"]
    for low, value, high in (("heard_low", "heard", "heard_high"), ("right_low", "right", "right_high")):
        assert ((scored[low] <= scored[value]) & (scored[value] <= scored[high])).all()
    assert row(said, "hall")["unlike"] > row(said, "")["unlike"]
    assert row(said, "")["right"] > row(said, "")["accuracy"]


def test_the_limits_for_a_fold_come_from_the_other_folds(found, said):
    tests = [run.part("test") for run in found[:4]]
    heard = 0
    for fold in range(6):
        others = [one[one["fold"] != fold] for one in tests]
        bounds = of_evaluation.limits(others[0], others[1:])
        of_fold = tests[2][tests[2]["fold"] == fold]
        heard += (of_evaluation.of_predictions(of_fold, bounds) == of_evaluation.HEARD).sum()
    assert row(said, "telephone")["heard"] == heard / len(tests[2])


def test_one_fold_of_other_answers_does_not_move_its_own_limits(found, said):
    """Whatever a fold's distances are, its clips are judged by those of the others."""
    predictions = found[0].predictions.copy()
    predictions.loc[predictions["fold"] == 0, evaluation.DISTANCE] *= 100
    far = changed(found[0], tables=type(found[0].tables)(predictions))
    again = verdicts.of_runs([far, *found[1:4]], "emobox")
    assert row(again, "")["unlike"] > row(said, "")["unlike"] + 0.1


def test_the_limits_for_another_corpus_come_from_all_folds(found, said):
    tests = [run.part("test") for run in found[:4]]
    bounds = of_evaluation.limits(tests[0], tests[1:])
    rows = found[-1].part("test")
    is_heard = of_evaluation.of_predictions(rows, bounds) == of_evaluation.HEARD
    named, truth = evaluation.named_and_true(rows, "emotion")
    there = row(said, "elsewhere")
    assert there["heard"] == is_heard.mean()
    assert there["right"] == (named == truth)[is_heard].mean()
    assert there["accuracy"] == (named == truth).mean()


def test_an_emotion_that_was_never_learned_has_no_right_answer(said):
    bored = row(said, "elsewhere", evaluation.OTHER)
    assert bored["heard"] > 0
    assert np.isnan([bored["right"], bored["right_low"], bored["accuracy"]]).all()


def test_the_newest_run_on_another_corpus_counts_and_no_other_models(found):
    other = changed(elsewhere(answers(blur=3)), id="newer")
    strange = changed(elsewhere(answers(blur=3), "strange"), {"seed": 10}, id="strange")
    said = verdicts.of_runs([*found, other, strange], "emobox")
    assert "strange" not in set(said.shares["source"])
    assert row(said, "elsewhere")["accuracy"] < 0.6


def test_voices_that_are_not_found_take_their_share_of_every_verdict(found, said):
    clips = found[0].predictions["clip"][::10].tolist()
    rows = [("hall", clip, number % 4 > 0, "", "") for number, clip in enumerate(clips)]
    rows += [("", clip, True, "", "") for clip in clips]
    rows += [("non-speech", f"drums {seed}", False, "robust", verdict) for seed, verdict in enumerate(verdicts.SAID)]
    rows += [("non-speech", "wind 0", True, "another", "heard")]
    listened = verdicts.of_runs(found, "emobox", pd.DataFrame(rows, columns=verdicts.VOICES))
    assert row(listened, "hall")["no_voice"] == 0.25
    for name in ("heard", "heard_low", "unsure", "unlike"):
        assert row(listened, "hall")[name] == pytest.approx(0.75 * row(said, "hall")[name])
    assert row(listened, "hall")["right"] == row(said, "hall")["right"]
    assert row(listened, "")["no_voice"] == 0
    assert row(listened, "pooled")["no_voice"] == pytest.approx(0.125)  # of the two sources that were listened to
    assert np.isnan(row(listened, "louder")["no_voice"])
    sounds = row(listened, "non-speech", "other")
    assert sounds["clips"] == 4
    assert [sounds[verdict] for verdict in verdicts.SAID] == [0.25] * 4


def test_risk_is_the_share_of_wrong_answers_among_the_surest(found, said):
    for source, rows in said.risk.groupby("source"):
        assert rows["coverage"].is_monotonic_increasing
        assert rows["coverage"].iloc[-1] == 1
        assert rows["risk"].iloc[-1] == pytest.approx(1 - row(said, source)["accuracy"])
    recorded = said.risk.query("source == ''").set_index("coverage")["risk"]
    named, truth = evaluation.named_and_true(found[0].predictions, "emotion")
    claims = evaluation.KINDS["emotion"][1](evaluation.probabilities(found[0].predictions)).max(axis=1)
    half = recorded.index[len(recorded) // 2]
    surest = np.argsort(-claims)[: round(half * len(claims))]
    assert recorded[half] == pytest.approx((named != truth)[surest].mean())


def test_women_men_and_every_emotion_are_told_apart(said):
    groups = said.groups.set_index("who")
    assert len(groups) == 10
    assert groups.loc["women", "clips"] + groups.loc["men", "clips"] == row(said, "")["clips"]
    mean = np.average(groups.loc[["women", "men"], "heard"], weights=groups.loc[["women", "men"], "clips"])
    assert mean == pytest.approx(row(said, "pooled")["heard"])


def test_it_is_said_for_whom_it_is_silent_and_how_often_it_is_right(said):
    words = verdicts.in_words(said, "robust")
    recorded, pooled, there = (row(said, source) for source in ("", "pooled", "elsewhere"))
    bored = row(said, "elsewhere", evaluation.OTHER)
    assert words == (
        f"Of people whom it had never heard, robust names an emotion in {recorded['heard']:.0%} of clips, and "
        f"{recorded['right']:.0%} of these answers are right; of the others it says that it cannot tell, or that its "
        f"answer is a guess. Of all 4 recordings of each clip it names one in {pooled['heard']:.0%}, and "
        f"{pooled['right']:.0%} of these answers are right. Of another corpus (elsewhere), it names one in "
        f"{there['heard']:.0%}, and {there['right']:.0%} of these answers are right. It names one in "
        f"{bored['heard']:.0%} of the clips of boredom there, too, which it never learned."
    )


def test_sounds_that_pass_for_a_voice_are_counted(found):
    rows = [("non-speech", "drums 0", False, "robust", "no_voice"), ("non-speech", "wind 0", True, "robust", "unlike")]
    for more, number in (([], "none"), ([("non-speech", "a tone 0", True, "robust", "unsure")], "1")):
        voices = pd.DataFrame([*rows, *more], columns=verdicts.VOICES)
        words = verdicts.in_words(verdicts.of_runs(found, "emobox", voices), "robust")
        assert f"Of {len(voices)} sounds without a voice, it takes {number} for a voice" in words


def test_the_worst_and_the_best_conditions_are_named(said):
    heard = said.shares.set_index("source").loc[list(CONDITIONS)]
    words = verdicts.extremes_in_words(said, "robust")
    assert f"in {heard['heard'].min():.0%} of clips at least (in a hall)" in words
    assert f"{heard['heard'].max():.0%} at most (20 dB louder)" in words
    assert f"{heard['right'].min():.0%} of these are right at worst" in words


def test_a_model_that_never_names_an_emotion_is_never_right(found):
    """All eight emotions are as likely for it."""
    even = []
    for run in found[:4]:
        predictions = run.predictions.copy()
        predictions[evaluation.PROBABILITY_COLUMNS] = 1 / 16
        even.append(changed(run, tables=type(run.tables)(predictions)))
    said = verdicts.of_runs(even, "emobox")
    assert (said.shares["heard"] == 0).all()
    assert said.shares["right"].isna().all()
    assert "names an emotion in 0% of clips; of the others" in verdicts.in_words(said, "robust")
    assert "right" not in verdicts.extremes_in_words(said, "robust")
