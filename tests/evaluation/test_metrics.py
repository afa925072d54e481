import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, recall_score

from ser_core import corpus, evaluation
from ser_core.corpus.labels import EMOTION_NAMES, LABELS, by_emotion
from ser_core.errors import ModelError


def predictions(clips: int = 300, seed: int = 0, part: str = "test", skill: float = 1.5) -> pd.DataFrame:
    """Predictions by chance and a little skill."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(LABELS), size=clips)
    raw = random.normal(size=(clips, len(LABELS)))
    raw[np.arange(clips), truth] += skill
    given = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    known = pd.DataFrame({"clip": [f"c{i}" for i in range(clips)], "corpus": "made", "speaker": "1", "gender": ""})
    known = known.assign(fold=0, part=part, truth=np.array(LABELS)[truth])
    return pd.concat([known, pd.DataFrame(given.astype(np.float32), columns=evaluation.PROBABILITY_COLUMNS)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_scikit_learns(seed):
    rows = predictions(seed=seed)
    truth = rows["truth"]
    given = np.array(LABELS)[evaluation.probabilities(rows).argmax(axis=1)]
    scores = evaluation.scores(rows)
    assert scores["test_accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert scores["uar"] == pytest.approx(recall_score(truth, given, average="macro"))
    assert scores["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro"))
    assert scores["log_loss"] == pytest.approx(log_loss(truth, evaluation.probabilities(rows), labels=LABELS), rel=1e-5)
    assert np.array_equal(evaluation.confusion(rows), confusion_matrix(truth, given, labels=LABELS))


def test_emotion_scores_add_up_genders():
    rows = predictions(seed=7)
    truth = rows["truth"].str.split("_").str[0]
    given = np.array(EMOTION_NAMES)[by_emotion(evaluation.probabilities(rows)).argmax(axis=1)]
    scores = evaluation.scores(rows)
    assert scores["emotion_accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert scores["emotion_uar"] == pytest.approx(recall_score(truth, given, average="macro"))
    assert scores["emotion_claimed"] == pytest.approx(by_emotion(evaluation.probabilities(rows)).max(axis=1).mean())


def with_emotions(rows: pd.DataFrame, *emotions: str) -> pd.DataFrame:
    return rows[rows["truth"].str.split("_").str[0].isin(emotions)]


def test_where_the_test_has_fewer_emotions_these_alone_are_scored_too():
    rows = with_emotions(predictions(600, seed=4), "angry", "happy", "sad")
    truth = rows["truth"].str.split("_").str[0]
    among = by_emotion(evaluation.probabilities(rows))[
        :, [EMOTION_NAMES.index(name) for name in ("angry", "happy", "sad")]
    ]
    given = np.array(["angry", "happy", "sad"])[among.argmax(axis=1)]
    scores = evaluation.scores(rows)
    assert scores["shared_emotion_accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert scores["shared_emotion_uar"] == pytest.approx(recall_score(truth, given, average="macro"))
    assert scores["shared_emotion_uar"] > scores["emotion_uar"]


def test_where_the_test_has_all_emotions_none_is_shared_more_than_others():
    assert not [name for name in evaluation.scores(predictions()) if name.startswith("shared")]


def test_clips_of_other_emotions_are_in_no_score():
    rows, other = predictions(seed=5), predictions(50, seed=6, part=evaluation.OTHER).assign(truth="boredom")
    assert evaluation.scores(pd.concat([rows, other])) == evaluation.scores(rows)


def test_where_a_gender_is_not_known_emotions_alone_are_scored():
    rows = predictions(seed=5)
    unknown = rows.assign(truth=rows["truth"].str.split("_").str[0])
    scores = evaluation.scores(rows)
    assert evaluation.scores(unknown) == {name: value for name, value in scores.items() if name.startswith("emotion")}
    assert evaluation.kinds(rows) == tuple(evaluation.KINDS)
    assert evaluation.kinds(unknown) == ("emotion",)


@pytest.mark.parametrize("kind", ["class", "gender"])
def test_a_kind_that_is_not_known_of_the_clips_is_refused(kind):
    rows = predictions(seed=5)
    rows.loc[3, "truth"] = "angry"
    with pytest.raises(ModelError, match=f"so no {kind} can be scored"):
        evaluation.confusion(rows, kind)


def test_the_interval_of_the_uar_among_shared_emotions_is_over_speakers():
    rows = with_emotions(predictions(600, seed=4), "angry", "happy", "sad")
    by_clip = rows.assign(speaker=[str(row) for row in range(len(rows))])
    by_few = rows.assign(speaker=np.where(rows["truth"].str.endswith("female"), "1", "2"))
    value, low, high = evaluation.shared_uar_interval(by_clip)
    assert value == evaluation.scores(rows)["shared_emotion_uar"]
    assert low < value < high
    assert evaluation.shared_uar_interval(rows) == (value, pytest.approx(value), pytest.approx(value))  # one speaker
    assert evaluation.shared_uar_interval(by_few)[0] == value


def test_cv_accuracy_is_the_mean_over_folds_not_over_clips():
    right, wrong = predictions(90, part="cv", skill=50), predictions(10, part="cv", skill=-50)
    rows = pd.concat([right.assign(fold=1), wrong.assign(fold=2)])
    assert evaluation.scores(rows) == {"cv_accuracy": pytest.approx(0.5)}


def test_a_class_without_a_clip_counts_for_nothing():
    rows = predictions(400, seed=3)
    rows = rows[rows["truth"].isin(LABELS[:5])]
    given = np.array(LABELS)[evaluation.probabilities(rows).argmax(axis=1)]
    assert evaluation.scores(rows)["uar"] == pytest.approx(
        recall_score(rows["truth"], given, average="macro", labels=LABELS[:5])
    )


def test_intervals_hold_the_score_and_are_the_same_every_time():
    rows = predictions()
    scores, bounds = evaluation.scores(rows), evaluation.intervals(rows)
    for name, score in (("accuracy", "test_accuracy"), ("uar", "uar"), ("macro_f1", "macro_f1")):
        low, high = bounds[name]
        assert low < scores[score] < high
    assert evaluation.intervals(rows) == bounds


def test_the_interval_of_accuracy_is_as_wide_as_theory_says():
    rows = predictions(491, seed=1)
    accuracy = evaluation.scores(rows)["test_accuracy"]
    low, high = evaluation.intervals(rows)["accuracy"]
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(accuracy * (1 - accuracy) / 491), rel=0.1)


def test_the_interval_covers_the_truth_about_95_times_in_100():
    everyone = predictions(50_000, seed=2)
    truth = evaluation.scores(everyone)["test_accuracy"]
    inside = 0
    for start in range(0, 200 * 250, 250):
        low, high = evaluation.intervals(everyone.iloc[start : start + 250], resamples=300)["accuracy"]
        inside += low <= truth <= high
    assert 180 <= inside <= 198


def test_the_interval_over_speakers_is_wider_where_speakers_differ():
    right, wrong = predictions(600, skill=50), predictions(600, skill=-50, seed=1)
    people, others = ([f"{first + i % 12:02d}" for i in range(600)] for first in (1, 13))
    apart = pd.concat([right.assign(speaker=people), wrong.assign(speaker=others)])
    mixed = apart.assign(speaker=np.random.default_rng(0).permutation(apart["speaker"]))
    share, low, high = evaluation.accuracy_interval(apart, "emotion", over="speakers")
    assert share == evaluation.scores(apart)["emotion_accuracy"]
    assert low < share < high
    _, near, far = evaluation.accuracy_interval(mixed, "emotion", over="speakers")
    assert high - low > 3 * (far - near)


def test_the_interval_over_clips_asks_nobody_who_speaks():
    rows = predictions(300)
    told = evaluation.accuracy_interval(rows.assign(speaker=[f"{i}" for i in range(300)]))
    assert told == evaluation.accuracy_interval(rows)
    assert told[0] == evaluation.scores(rows)["test_accuracy"]


def test_a_speaker_is_one_within_a_corpus_only():
    right, wrong = predictions(300, skill=50), predictions(300, skill=-50, seed=1)
    one = pd.concat([right, wrong])
    two = pd.concat([right.assign(corpus="a"), wrong.assign(corpus="b")])
    assert evaluation.accuracy_interval(one, over="speakers") == (0.5, 0.5, 0.5)
    assert evaluation.accuracy_interval(two, over="speakers") == (0.5, 0.0, 1.0)


def test_a_clip_is_resampled_with_all_its_recordings():
    once = predictions(300)
    assert evaluation.accuracy_interval(pd.concat([once, once])) == evaluation.accuracy_interval(once)


def test_an_interval_over_something_else_is_refused():
    with pytest.raises(ValueError, match="not over 'actors'"):
        evaluation.accuracy_interval(predictions(30), over="actors")


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_and_uar_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    truth, named = (np.array(EMOTION_NAMES)[random.integers(5, size=200)] for _ in range(2))
    assert evaluation.accuracy(truth, named) == pytest.approx(accuracy_score(truth, named))
    assert evaluation.uar(truth, named) == pytest.approx(
        recall_score(truth, named, average="macro", labels=np.unique(truth))
    )


def test_the_uar_counts_each_class_that_is_there_as_much_however_few_its_clips():
    truth, named = np.array(["sad"] * 9 + ["happy"]), np.array(["sad"] * 9 + ["calm"])
    assert (evaluation.accuracy(truth, named), evaluation.uar(truth, named)) == (0.9, 0.5)


def test_the_report_has_a_row_for_each_class_and_their_means():
    report = evaluation.report(predictions())
    assert list(report.index) == [*LABELS, "macro avg", "weighted avg"]
    assert report.loc["macro avg", "clips"] == 300
    assert report.loc[list(LABELS), "clips"].sum() == 300


@pytest.mark.parametrize("kind", ["class", "emotion", "gender"])
def test_confusions_are_scikit_learns_in_the_order_of_the_labels(kind):
    rows = predictions(seed=4)
    values = evaluation.KINDS[kind][0]
    named, truth = evaluation.named_and_true(rows, kind)
    assert np.array_equal(evaluation.confusion(rows, kind), confusion_matrix(truth, named, labels=list(values)))
    assert evaluation.confusion(rows, kind).sum() == len(rows)


def test_top_2_counts_a_clip_whose_class_is_second():
    rows = predictions(seed=5)
    given = evaluation.probabilities(rows)
    second = np.argsort(given, axis=1)[:, -2:]
    truth = np.searchsorted(LABELS, rows["truth"])
    assert evaluation.scores(rows)["top2_accuracy"] == pytest.approx((second == truth[:, None]).any(axis=1).mean())


def test_who_claims_what_is_so_is_calibrated_and_who_claims_more_is_not():
    random = np.random.default_rng(0)
    clips = 20_000
    claimed = random.uniform(0.2, 1, clips)
    truth = random.choice(len(LABELS), size=clips)
    named = np.where(random.uniform(size=clips) < claimed, truth, (truth + 1) % len(LABELS))
    given = np.tile(((1 - claimed) / (len(LABELS) - 1))[:, None], len(LABELS))
    given[np.arange(clips), named] = claimed
    rows = pd.DataFrame(given, columns=evaluation.PROBABILITY_COLUMNS)
    rows.insert(0, "truth", np.array(LABELS)[truth])
    assert evaluation.ece(evaluation.calibration(rows)) < 0.02
    bold = rows.copy()
    bold[evaluation.PROBABILITY_COLUMNS] = (bold[evaluation.PROBABILITY_COLUMNS] ** 3).pipe(
        lambda table: table.div(table.sum(axis=1), axis=0)
    )
    bins = evaluation.calibration(bold)
    assert evaluation.ece(bins) > 0.05
    assert bins["clips"].sum() == clips
    assert (bins["claimed"].between(bins["low"], bins["high"])).all()


def real(clips: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions by chance and a little skill of some of RAVDESS' clips, and an index of all of them."""
    index = pd.DataFrame([vars(clip) | {"label": clip.label} for clip in corpus.official_clips()])
    chosen = index.iloc[:: len(index) // clips].head(clips)
    rows = predictions(len(chosen))
    known = {"clip": chosen["stem"], "speaker": chosen["speaker"], "gender": chosen["gender"], "truth": chosen["label"]}
    return rows.assign(**{name: values.to_numpy() for name, values in known.items()}), index


@pytest.mark.parametrize(
    "name", ["class", "emotion", "gender", "speaker", "channel", "intensity", "statement", "repetition"]
)
def test_each_property_divides_the_clips(name):
    rows, index = real()
    table = evaluation.by_property(rows, name, clips=index)
    values = index.set_index("stem").loc[rows["clip"]]["label" if name == "class" else name]
    assert dict(zip(table["value"], table["clips"], strict=True)) == values.value_counts().to_dict()
    mean = np.average(table["accuracy"], weights=table["clips"])
    assert mean == pytest.approx(evaluation.scores(rows)["test_accuracy"])
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()


def test_a_property_that_nobody_tells_is_named():
    rows, index = real()
    for clips in (None, index):
        with pytest.raises(ValueError, match="has a column 'age'"):
            evaluation.by_property(rows, "age", clips=clips)


def test_where_several_folds_are_tested_ua_is_the_mean_of_their_uars():
    rows = pd.concat([predictions(200, seed=seed).assign(fold=seed) for seed in (1, 2, 3)])
    each = [evaluation.scores(fold)["emotion_uar"] for _, fold in rows.groupby("fold")]
    assert evaluation.scores(rows)["emotion_ua"] == pytest.approx(np.mean(each))
    assert "emotion_ua" not in evaluation.scores(rows[rows["fold"] == 1])


def test_a_run_with_emotions_as_classes_is_scored_by_them():
    """Beside scikit-learn: three emotions, of which one is none of the eight, and no genders."""
    names, random = ("angry", "boredom", "sad"), np.random.default_rng(3)
    truth, given = random.choice(names, 60), random.dirichlet(np.ones(3), 60)
    rows = pd.DataFrame({"fold": np.arange(60) % 2, "part": "test", "truth": truth})
    rows = rows.join(pd.DataFrame(given, columns=[f"p_{name}" for name in names]))
    named = np.array(names)[given.argmax(axis=1)]
    made = evaluation.scores(rows)
    assert made["test_accuracy"] == made["emotion_accuracy"] == pytest.approx(accuracy_score(truth, named))
    assert made["uar"] == made["emotion_uar"] == pytest.approx(recall_score(truth, named, average="macro"))
    assert made["macro_f1"] == pytest.approx(f1_score(truth, named, average="macro"))
    assert made["log_loss"] == pytest.approx(log_loss(truth, given, labels=names))
    assert evaluation.kinds(rows) == ("class", "emotion")
    assert np.array_equal(evaluation.confusion(rows, "emotion"), confusion_matrix(truth, named, labels=names))
    assert set(evaluation.intervals(rows, resamples=20)) == {"accuracy", "uar", "macro_f1"}


def test_a_run_of_two_emotions_is_scored_too():
    rows = pd.DataFrame({"fold": 0, "part": "test", "truth": ["bored", "angry"], "p_angry": 0.4, "p_bored": 0.6})
    made = evaluation.scores(rows)
    assert (made["test_accuracy"], made["uar"], made["top2_accuracy"]) == (0.5, 0.5, 1.0)
