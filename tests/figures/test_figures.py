import numpy as np
import pandas as pd
import pytest

from ser_core.corpus import synthetic
from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES, LABELS
from ser_core.figures import clip, prediction, scores
from ser_core.figures.style import percent
from ser_core.results import comparison, runs

SURE = dict(zip(EMOTION_NAMES, (0.02, 0.01, 0.1, 0.01, 0.8, 0.02, 0.02, 0.02), strict=True))

TURNS = pd.DataFrame(
    {
        "start_s": [0.0, 4.0, 9.0],
        "end_s": [3.0, 6.0, 14.0],
        "verdict": ["heard", "unsure", "unlike"],
        "answer": ["angry", "angry or happy", "a guess: angry"],
        "emotion": "angry",
        "gender": "female",
        **SURE,
    }
)


def plain(sentence: str) -> str:
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


def every_figure(settings):
    samples = synthetic.speak("happy", actor=1)
    return {
        "original_and_ours": scores.original_and_ours(comparison.table(runs.list_all(settings.stores))),
        "emotions": prediction.emotions(SURE),
        "genders": prediction.genders({"female": 0.9, "male": 0.1}),
        "classes": prediction.classes(dict.fromkeys(LABELS, 1 / 16)),
        "members": prediction.members({"mlp": SURE, "xgb": SURE}, SURE),
        "timeline": prediction.timeline(TURNS),
        "waveform": clip.waveform(samples, 22_050),
        "mel": clip.mel(samples, 22_050),
    }


def test_every_figure_has_a_title_and_a_sentence(settings):
    for name, (figure, sentence) in every_figure(settings).items():
        assert figure.layout.meta["title"], name
        assert len(sentence) > 20 and sentence.endswith((".", "%")), name


def test_charts_of_sound_and_scores_name_their_axes(settings):
    figures = every_figure(settings)
    for name in ("waveform", "mel"):
        assert figures[name][0].layout.xaxis.title.text == "time (s)"
    assert "Hz" in figures["mel"][0].layout.yaxis.title.text
    assert figures["original_and_ours"][0].layout.xaxis.title.text


def test_emotions_have_their_own_colours_and_the_most_probable_is_on_top():
    figure, sentence = prediction.emotions(SURE)
    bars = figure.data[0]
    assert bars.y[-1] == "Angry"
    assert bars.x[-1] == 0.8
    for name, colour in zip(bars.y, bars.marker.color, strict=True):
        assert colour == BY_NAME[name.lower()].colour
    assert plain(sentence) == "Angry is the most probable at 80%, then happy at 10%."


def test_each_turn_is_a_bar_in_the_row_and_colour_of_its_emotion_with_its_number():
    figure, sentence = prediction.timeline(TURNS)
    (bars,) = figure.data
    assert (list(bars.base), list(bars.x)) == ([0, 4, 9], [3, 2, 5])
    assert list(bars.y) == ["Angry"] * 3 and set(bars.marker.color) == {BY_NAME["angry"].colour}
    assert list(bars.customdata) == [1, 2, 3]
    assert plain(bars.text[1]) == "Turn 2, 4.0 to 6.0 s: angry or happy<br>It gives angry 80%, and a female voice"
    assert sentence.startswith("3 turns, 10 s of speech: angry in 30% of it, cannot tell in 70%. ")


def test_turns_are_pale_and_hatched_where_the_model_cannot_tell():
    figure, sentence = prediction.timeline(TURNS)
    (bars,) = figure.data
    assert bars.marker.opacity[0] == 1 and max(bars.marker.opacity[1:]) < 1
    assert list(bars.marker.pattern.shape) == ["", "/", "/"]
    assert "pale and hatched" in sentence
    assert "pale" not in prediction.timeline(TURNS.assign(verdict="heard"))[1]


def test_members_that_agree_are_counted():
    calm = dict.fromkeys(EMOTION_NAMES, 0.0) | {"calm": 1.0}
    _, sentence = prediction.members({"mlp": SURE, "xgb": calm}, SURE)
    assert sentence == "1 of 2 members has angry first: mlp."
    _, sentence = prediction.members({"mlp": SURE, "xgb": SURE}, SURE)
    assert sentence == "2 of 2 members have angry first: mlp, xgb."


def test_the_waveform_keeps_its_extremes():
    samples = np.zeros(50_000, dtype=np.float32)
    samples[31_234] = 0.9
    figure, sentence = clip.waveform(samples, 10_000)
    assert max(figure.data[1].y) == pytest.approx(0.9)
    assert "5.0 s of sound; it is loudest at 3.1 s, where it reaches 0.90" in sentence


def test_the_sentence_of_the_headline_chart_counts_what_it_shows(settings):
    table = comparison.table(runs.list_all(settings.stores))
    figure, sentence = scores.original_and_ours(table)
    assert f"Of {table['original_test_accuracy'].notna().sum()} models" in sentence
    assert len(figure.data[0].x) == len(table)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (0.001, "< 1%"), (0.714, "71%"), (0.999, "> 99%"), (1, "100%")]
)
def test_no_percentage_claims_a_certainty_that_is_not_there(share, words):
    assert plain(percent(share)) == words
    assert " " not in percent(share)
