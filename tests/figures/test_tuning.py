"""Charts of studies: of none, one and many trials, of every state, and of every kind of parameter."""

from datetime import datetime, timedelta

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from ser_core.corpus.labels import BY_NAME
from ser_core.figures import tuning

BEGIN = datetime(2026, 11, 1, 12)
NOW = BEGIN + timedelta(hours=3)
RANGES = {
    "C": FloatDistribution(0.01, 100, log=True),
    "n": IntDistribution(1, 50),
    "weights": CategoricalDistribution(("uniform", None, True)),
}


def study_of(*trials: optuna.trial.FrozenTrial, name: str = "one", cv: str = "study") -> optuna.Study:
    study = optuna.create_study(direction="maximize", study_name=name)
    for key, value in {"model": "kn", "space": "ours", "cv": cv, "folds": 3, "trials": 9}.items():
        study.set_user_attr(key, value)
    study.add_trials(trials)
    return study


def trial(number: int, state: str = "complete", seconds: float = 2.0, worker: str = "here:1"):
    """A trial that began `number` minutes into the work, but for a night's break after the tenth."""
    began = BEGIN + timedelta(seconds=number * seconds, hours=1 if number >= 10 else 0)
    scores = {"complete": 3, "pruned": 1, "fail": 1}.get(state, 0)
    facts = {"fold_scores": [0.5 + 0.01 * number + 0.02 * fold for fold in range(scores)], "worker": worker}
    if state == "fail":
        facts["reason"] = "ValueError: no"
    values = {"C": 10.0 ** (number % 4 - 2), "n": number + 1, "weights": ("uniform", None, True)[number % 3]}
    made = create_trial(
        state=TrialState[state.upper()],
        value=0.52 + 0.01 * number if state == "complete" else None,
        params={} if state == "waiting" else values,
        distributions={} if state == "waiting" else RANGES,
        user_attrs=facts,
    )
    made.datetime_start = None if state == "waiting" else began
    made.datetime_complete = (
        began + timedelta(seconds=seconds) if state in ("complete", "pruned", "fail", "stopped") else None
    )
    return made


MIXED = ["complete", "pruned", "fail", "complete", "complete", "pruned", "complete", "complete", "running", "waiting"]


def mixed() -> optuna.Study:
    return study_of(*(trial(number, state) for number, state in enumerate(MIXED)))


def many(number: int = 24, name: str = "many", cv: str = "study", seconds: float = 2.0) -> optuna.Study:
    trials = [trial(place, seconds=seconds, worker=f"here:{place % 2}") for place in range(number)]
    return study_of(*trials, name=name, cv=cv)


FIGURES = {
    "history": tuning.history,
    "history with another": lambda study: tuning.history(study, {"the default": 0.6}),
    "importances": tuning.importances,
    "parallel": tuning.parallel,
    "one parameter": lambda study: tuning.one_parameter(study, "C"),
    "one category": lambda study: tuning.one_parameter(study, "weights"),
    "nothing of one": lambda study: tuning.one_parameter(study, "nonsense"),
    "contour": lambda study: tuning.contour(study, "C", "n"),
    "contour of categories": lambda study: tuning.contour(study, "weights", "C"),
    "contour of one": lambda study: tuning.contour(study, "C", "C"),
    "contour of none": lambda study: tuning.contour(study, "nonsense", "C"),
    "timeline": lambda study: tuning.timeline(study, NOW),
    "folds": lambda study: tuning.folds(study, [0, 1, 99]),
    "compared by trials": lambda study: tuning.compared([study], by_time=False, now=NOW),
    "compared by time": lambda study: tuning.compared([study, study], by_time=True, now=NOW),
}
STUDIES = {
    "none": study_of,
    "waiting": lambda: study_of(trial(0, "waiting")),
    "running": lambda: study_of(trial(0, "running")),
    "failed": lambda: study_of(trial(0, "fail"), trial(1, "fail")),
    "pruned": lambda: study_of(trial(0, "pruned")),
    "one": lambda: study_of(trial(0)),
    "two": lambda: study_of(trial(0), trial(1)),
    "two alike": lambda: study_of(trial(0), trial(0)),
    "mixed": mixed,
    "many": many,
}


@pytest.mark.parametrize("kind", STUDIES)
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_every_figure_of_every_study_says_something(name, kind):
    figure, sentence = FIGURES[name](STUDIES[kind]())
    assert figure.layout.meta["title"]
    assert len(sentence) > 20 and sentence.endswith(".") and "nan" not in sentence
    figure.to_json()
    if kind == "many" and name not in ("contour of one", "contour of none", "nothing of one"):
        assert figure.data
    if figure.data and figure.data[0].type in ("scatter", "bar"):
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text or name in ("importances", "timeline")  # rows that name themselves
    drawn = figure.to_json().upper()
    assert not [emotion for emotion in BY_NAME.values() if emotion.name != "neutral" and emotion.colour in drawn]


def test_two_parameters_of_which_one_never_differed_are_said_not_drawn():
    alike = study_of(*(trial(number) for number in range(0, 24, 3)))
    figure, sentence = tuning.contour(alike, "C", "weights")
    assert not figure.data
    assert sentence == "All trials that ran all folds have weights uniform. Choose another parameter."
    assert tuning.contour(alike, "C", "n")[0].data[0].z is not None


def test_all_parameters_end_in_the_score_under_its_name():
    for cv, name in (("study", "accuracy"), ("actors", "UAR")):
        (drawn,) = tuning.parallel(many(cv=cv))[0].data
        assert drawn.dimensions[-1].label == name


def test_the_history_names_the_best_and_what_became_of_the_others():
    figure, sentence = tuning.history(mixed(), {"the default": 0.55})
    assert sentence == (
        "10 trials: 5 ran all folds, 2 were given up early, 1 failed, 1 is running, 1 waits. "
        "The best is trial 7 with 0.5900; the default has 0.5500, 0.0400 less."
    )
    assert list(figure.data[2].y) == pytest.approx([0.52, 0.55, 0.56, 0.58, 0.59, 0.59])
    assert figure.layout.yaxis.title.text == "mean accuracy (3 folds)"


def test_a_study_of_one_kind_of_trial_is_said_in_words():
    assert tuning.counted(study_of()) == "No trial yet"
    assert tuning.counted(study_of(trial(0))) == "1 trial, which ran all folds"
    assert tuning.counted(many(3)) == "3 trials, all of which ran all folds"


def test_importances_add_up_and_the_first_is_named():
    figure, sentence = tuning.importances(many())
    (bars,) = figure.data
    assert sum(bars.x) == pytest.approx(1)
    assert sentence.startswith(f"{bars.y[-1]} matters most")


def test_logarithms_and_categories_have_axes_of_their_own():
    parallel, _ = tuning.parallel(many())
    c, n, weights, value = parallel.data[0].dimensions
    assert list(c.ticktext) == ["0.01", "0.1", "1", "10"]
    assert list(weights.ticktext) == ["uniform", "none", "True"]
    assert (n.label, value.label) == ("n", "accuracy")
    assert tuning.one_parameter(many(), "C")[0].layout.xaxis.type == "log"
    figure, sentence = tuning.one_parameter(many(), "weights")
    assert list(figure.layout.xaxis.categoryarray) == ["uniform", "none", "True"]
    assert sentence.endswith("The best of them, trial 23, has True.")


def test_a_timeline_leaves_breaks_out_and_has_a_row_for_each_worker():
    figure, sentence = tuning.timeline(many(), NOW)
    (bars,) = figure.data
    assert set(bars.y) == {"worker 1", "worker 2"}
    assert max(base + length for base, length in zip(bars.base, bars.x, strict=True)) == pytest.approx(48)
    assert sentence == "24 trials by 2 workers in 48 s of work; one took 2 s in the middle, 2 s at most."


def test_studies_are_compared_by_trials_and_by_time():
    slow = many(11, name="slow", seconds=4)
    slow.add_trial(trial(11, "pruned", seconds=4))
    figure, sentence = tuning.compared([many(), slow], by_time=False, now=NOW)
    assert [max(line.x) for line in figure.data] == [24, 12]
    assert sentence == "many reached 0.7500 in 24 trials; slow reached 0.6200 in 12 trials."
    figure, _ = tuning.compared([many(), slow], by_time=True, now=NOW)
    assert [max(line.x) for line in figure.data] == pytest.approx([48, 48])
    assert len({(line.line.color, line.line.dash) for line in figure.data}) == 2


def test_studies_of_two_measures_are_not_compared_in_silence():
    _, sentence = tuning.compared([many(), many(name="other", cv="actors")], by_time=False, now=NOW)
    assert "their heights cannot be compared" in sentence


def test_trials_are_a_table_to_be_read():
    table = tuning.trial_table(mixed())
    assert list(table["state"][:3]) == ["ran all folds", "was given up early", "failed"]
    assert table.loc[0, "fold_scores"] == "0.500 0.520 0.540"
    assert table["params_weights"][:3].tolist() == ["uniform", "None", "True"]
    assert table.loc[2, "reason"] == "ValueError: no"
    assert tuning.trial_table(study_of()).empty


def test_compared_studies_are_a_table_with_the_best_first():
    table = tuning.compared_table([study_of(name="new"), many(11, name="slow", seconds=4), mixed(), many()])
    assert table["study"].tolist() == ["many", "slow", "one", "new"]
    assert table["best"].tolist()[:3] == pytest.approx([0.75, 0.62, 0.59])
    assert table["trials"].tolist() == [24, 11, 10, 0]
    assert table["given up early"].tolist() == [0, 0, 2, 0]
    assert table["seconds a trial"].tolist()[:2] == [2, 4]
