import pandas as pd
import pytest

from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES
from ser_core.features import exploration
from ser_core.figures import corpus as figures


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    from ser_core.settings import Settings

    return exploration.clips(Settings.from_environment())


def behind(trace, place: int) -> list:
    return list(trace.customdata[place])


def test_bars_stand_for_emotions_in_their_order_and_colours(clips):
    figure, sentence = figures.counts(clips, "emotion")
    (bars,) = figure.data
    assert list(bars.x) == [188, 376, 376, 376, 376, 376, 192, 192]
    assert list(bars.marker.color) == [BY_NAME[name].colour for name in EMOTION_NAMES]
    assert behind(bars, 3) == ["sad"]
    assert figure.layout.xaxis.title.text == "clips"
    assert sentence == "2,452 clips: from 188 (Neutral) to 376 (Calm, Happy, Sad, Angry, Fearful)."


def test_an_even_property_is_said_to_be_even(clips):
    assert figures.counts(clips, "statement")[1] == "2,452 clips, 1,226 of each sentence."


def test_many_that_are_alike_are_counted_and_one_alone_is_named(clips):
    assert figures.counts(clips, "speaker")[1] == "2,452 clips: from 60 (Actor 18) to 104 (23 of them)."
    assert figures.counts(clips[clips["emotion"] == "sad"], "emotion")[1] == "376 clips, all of one emotion: Sad."
    assert figures.counts(clips.head(1), "emotion")[1] == "1 clip, all of one emotion: Neutral."


def test_cells_count_pairs_and_each_can_be_clicked(clips):
    figure, sentence = figures.counts(clips, "emotion", "channel")
    cells, marks = figure.data
    assert cells.z.sum() == 2452
    assert len(marks.customdata) == cells.z.size
    place = list(zip(marks.y, marks.x, strict=True)).index(("Disgust", "Song"))
    assert behind(marks, place) == ["disgust", "song"]
    assert marks.text[place] == "0 clips"
    assert figure.layout.hoverdistance == -1  # wherever in a cell one clicks
    assert sentence == "2 of 16 pairs are not among these clips: Disgust with song; Surprised with song."


def test_pairs_that_all_occur_are_said_so(clips):
    counted = exploration.count(clips, "gender", "statement").to_numpy()
    said = figures.counts(clips, "gender", "statement")[1]
    assert said == f"Every pair occurs: from {counted.min()} to {counted.max()} clips each."


@pytest.mark.parametrize(
    ("measure", "unit"), [("duration_s", "(s)"), ("loudness_lufs", "(LUFS)"), ("pitch_hz", "(Hz)")]
)
def test_a_spread_has_a_dot_for_each_clip_and_its_unit(clips, measure, unit):
    figure, sentence = figures.spread(clips, measure, "emotion")
    assert sum(len(box.x) for box in figure.data) == len(clips)
    assert sum(len(box.customdata) for box in figure.data) == len(clips)
    assert unit in figure.layout.xaxis.title.text
    medians = clips.groupby("emotion")[measure].median()
    assert f"highest for {medians.idxmax().capitalize()} ({medians.max():.1f}" in sentence


def test_an_angry_voice_is_the_loudest_and_a_calm_one_the_softest(clips):
    speech = clips[clips["channel"] == "speech"]
    assert "highest for Angry" in figures.spread(speech, "loudness_lufs", "emotion")[1]
    assert "lowest for Calm" in figures.spread(speech, "loudness_lufs", "emotion")[1]


def test_a_spread_of_one_group_compares_nothing(clips):
    sentence = figures.spread(clips[clips["emotion"] == "sad"], "duration_s", "emotion")[1]
    assert sentence.startswith("Half of the clips lie below")


def test_an_actors_one_gender_is_no_gap(clips):
    assert "no gaps" in figures.counts(clips, "speaker", "gender")[1]


def test_medians_that_print_alike_are_said_to_be_alike(clips):
    said = figures.spread(clips[clips["channel"] == "song"], "duration_s", "intensity")[1]
    assert said.startswith("The median duration is the same for each intensity: 4.6 s.")


def test_one_part_alone_is_not_compared(clips):
    assert figures.split(clips[clips["part"] == "test"])[1] == "491 clips, all of the part to be tested on (test)."


def test_the_split_has_both_parts_of_every_class(clips):
    figure, sentence = figures.split(clips)
    train, test = figure.data
    assert (sum(train.x), sum(test.x)) == (1961, 491)
    assert behind(test, list(test.y).index("Angry, female")) == ["angry_female", "test"]
    assert test.x[list(test.y).index("Angry, female")] == 30
    assert "1,961 clips to learn from and 491 to be tested on" in sentence
    assert "The same actors are in both parts." in sentence


def test_a_split_of_few_clips_draws_only_their_classes(clips):
    figure, _ = figures.split(clips[(clips["emotion"] == "sad") & (clips["part"] == "train")])
    assert list(figure.data[0].y) == ["Sad, female", "Sad, male"]
    assert sum(figure.data[1].x) == 0


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """The index of 12,000 clips of a corpus that is not RAVDESS, one of them of an emotion of its own."""
    emotions = ["sad"] * 6000 + ["boredom"] * 5999 + ["awe"]
    speakers = [f"{number % 4:02d}" for number in range(12_000)]
    stems = [f"clip{number}" for number in range(12_000)]
    index = pd.DataFrame({"stem": stems, "speaker": speakers, "emotion": emotions, "gender": ""})
    return index.assign(duration_s=index.index / 1000)


def test_of_many_clips_a_sample_is_drawn_and_the_sentence_says_so(many):
    figure, sentence = figures.spread(many, "duration_s", "emotion")
    assert [len(box.x) for box in figure.data] == [2500, 1, 2499]
    assert "5,000 of the clips are drawn, a dot each" in sentence
    assert f"of all clips it is {many['duration_s'].median():.1f} s" in sentence


def test_emotions_of_another_corpus_have_colours_of_their_own_and_stand_after_the_known_ones(many):
    figure, sentence = figures.counts(many, "emotion")
    assert list(figure.data[0].y) == ["Sad", "Awe", "Boredom"]
    assert len(set(figure.data[0].marker.color)) == 3
    assert figure.data[0].marker.color[0] == BY_NAME["sad"].colour
    assert sentence == "12,000 clips: from 1 (Awe) to 6,000 (Sad)."


def test_speakers_of_another_corpus_are_no_actors(many):
    assert figures.counts(many, "speaker")[1] == "12,000 clips, 3,000 of each speaker."
