import numpy as np
import pandas as pd
import pytest

from ser_core.features import exploration, functionals, mean180, prosody
from ser_core.figures import features as figures


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    from ser_core.settings import Settings

    return exploration.clips(Settings.from_environment())


@pytest.fixture(scope="module")
def shares(clips) -> pd.DataFrame:
    return exploration.separation(clips)


def test_every_feature_has_a_title_a_unit_and_an_explanation():
    titles = [figures.title(name) for name in (*mean180.NAMES, *prosody.NAMES)]
    assert len(set(titles)) == 182
    assert figures.title("mel_128") == "mel band 128 (10,736 Hz)"
    assert all(figures.unit(name) and figures.ABOUT[figures.family(name)] for name in (*mean180.NAMES, *prosody.NAMES))


@pytest.mark.parametrize("feature", ["mfcc_01", "chroma_C#", "mel_128", "loudness_lufs", "pitch_hz"])
def test_a_distribution_has_a_box_for_each_emotion_and_gender(clips, feature):
    figure, sentence = figures.distribution(clips, feature)
    assert len(figure.data) == 16
    assert sum(len(box.y) for box in figure.data) == len(clips)
    assert figure.layout.yaxis.title.text == figures.unit(feature)
    assert "The median is highest for" in sentence


def test_mel_bands_are_shown_in_decibels(clips):
    figure, _ = figures.distribution(clips, "mel_050")
    values = np.concatenate([box.y for box in figure.data])
    assert values.max() == pytest.approx(10 * np.log10(clips["mel_050"].max()), abs=1e-3)


def test_a_profile_says_which_emotion_is_loudest(clips):
    figure, sentence = figures.mel_profiles(exploration.mel_profiles(clips))
    assert len(figure.data) == 8
    assert sentence.startswith("Over all bands angry has 18 dB more than calm.")
    assert "(Hz, mel scale)" in figure.layout.xaxis.title.text
    assert "(dB)" in figure.layout.yaxis.title.text


def test_each_feature_is_a_mark_between_speaker_and_emotion(shares):
    figure, sentence = figures.emotion_or_speaker(shares)
    assert sum(len(trace.x) for trace in figure.data[:-1]) == 180
    below = (shares["speaker"] > shares["emotion"]).sum()
    assert f"{below} of 180 do" in sentence


def test_the_features_that_separate_most_are_those_within_actors(shares):
    figure, sentence = figures.separating(shares, number=5)
    bars, marks = figure.data
    assert list(bars.x) == pytest.approx(shares["within"].head(5).round(4).tolist())
    assert list(marks.y) == list(bars.y)
    said = sentence.replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("Most by MFCC 1: emotion explains 43% of it within actors, 37% over all voices.")


def test_mel_bands_in_decibels_tell_more_of_the_emotion_than_as_power(clips, shares):
    decibels = exploration.separation(clips, decibels=True)
    bands = [name for name in decibels.index if name.startswith("mel_")]
    assert decibels.loc[bands, "within"].mean() > 2 * shares.loc[bands, "within"].mean()
    others = [name for name in decibels.index if not name.startswith("mel_")]
    pd.testing.assert_frame_equal(decibels.loc[others].sort_index(), shares.loc[others].sort_index())


def test_the_95_percent_line_is_reached_where_it_says(clips):
    cumulative = exploration.cumulative_variance(clips)
    _, sentence = figures.cumulative_variance(cumulative, {"the study": 66})
    number = exploration.components_kept(cumulative)
    assert sentence.startswith(f"{number} of 180 components hold 95%")
    assert "the study: 66" in sentence
    assert cumulative[number - 2] < 0.95 <= cumulative[number - 1]


@pytest.mark.parametrize("colour", figures.MAP_COLOURS)
@pytest.mark.parametrize("method", exploration.METHODS)
@pytest.mark.parametrize("of", ["all", "speaker"])
def test_a_map_has_a_dot_with_its_name_for_each_clip(clips, method, of, colour):
    figure, sentence = figures.clip_map(clips, method, of, colour)
    stems = [row[0] for trace in figure.data for row in trace.customdata]
    assert sorted(stems) == sorted(clips["stem"])
    assert len(figure.data) == clips[colour].nunique()
    assert ("lie near each other" if method == "tsne" else "principal components") in sentence
    assert ("diamonds" in sentence) == (colour == "speaker")
    dot = figure.data[0]
    row = clips[clips["stem"] == dot.customdata[0][0]].iloc[0]
    assert dot.x[0] == pytest.approx(row[f"{method}_{of}_x"], abs=0.01)
    assert f"actor {int(row['speaker'])}," in dot.text[0]


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """12,000 clips of another corpus with one feature of its own, and their places on a map."""
    random = np.random.default_rng(0)
    index = pd.DataFrame({"stem": [f"clip{number}" for number in range(12_000)], "gender": ""})
    index = index.assign(speaker=[f"S{number % 3}" for number in range(12_000)])
    index = index.assign(emotion=["boredom" if number % 2 else "sad" for number in range(12_000)])
    names = ["energy", "pca_all_x", "pca_all_y"]
    return index.assign(**dict(zip(names, random.normal(size=(3, 12_000)), strict=True)))


def test_of_many_clips_a_map_has_a_sample(many):
    figure, _ = figures.clip_map(many, "pca", "all", "emotion")
    assert [len(trace.x) for trace in figure.data] == [2500, 2500]
    assert figure.layout.meta["title"] == "A map of 5,000 clips, coloured by emotion"
    assert figure.data[0].text[0].startswith("Sad by speaker S")


def test_a_map_of_another_corpus_is_coloured_by_what_it_has(many):
    assert figures.colours_offered(many) == ["emotion", "speaker"]
    figure, sentence = figures.clip_map(many, "pca", "all", "speaker")
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert "Circles" not in sentence  # whose genders are not known


def test_a_feature_of_another_set_is_shown_under_its_own_name(many):
    figure, sentence = figures.distribution(many, "energy")
    assert figure.layout.meta["title"] == "Energy, by emotion"
    assert "5,000 of the clips" in sentence and sentence.endswith("value.")
    assert sum(len(box.y) for box in figure.data) == 5_000


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("mfcc_01_p75", "MFCC 1, 75th percentile"),
        ("plp_03_delta_std", "PLP 3, change, spread"),
        ("band_31_mean", "filter bank band 31, mean"),
        ("jitter", "jitter"),
        ("of_another_set", "of_another_set"),
    ],
)
def test_functionals_have_words(feature, words):
    assert figures.title(feature) == words


def test_every_functional_says_what_it_is_and_another_set_says_nothing():
    assert all(figures.FUNCTIONAL in figures.about(name) for name in functionals.NAMES)
    assert figures.about("of_another_set") == ""
    assert "filter bank" in figures.about("band_31_mean")
