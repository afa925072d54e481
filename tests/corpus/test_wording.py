import pandas as pd
import pytest

from ser_core import corpus
from ser_core.corpus import wording


@pytest.fixture(scope="module")
def words(elsewhere) -> wording.Wording:
    return wording.of(corpus.index(elsewhere).clips)


def test_the_words_of_ravdess_are_its_own(voices):
    words = wording.of(corpus.index(voices).clips)
    assert words is wording.RAVDESS
    assert words.said("speaker", "03") == "Actor 3"


def test_what_only_ravdess_has_is_no_column_of_another_corpus(words):
    assert list(words.titles) == ["emotion", "speaker", "gender"]
    assert words.speaker == "speaker"


def test_clips_of_another_corpus_are_named_by_emotion_and_speaker(words, elsewhere):
    first = corpus.index(elsewhere).clips.head(1)
    assert words.titles_of(first) == ["Boredom by speaker 1, male"] or words.titles_of(first)[0].endswith("1, male")
    assert words.titles_of(first.assign(gender="", speaker="Ada", emotion="angry")) == ["Angry by speaker Ada"]


def test_columns_of_a_manifest_are_offered_where_they_have_a_few_values():
    many = pd.DataFrame({"emotion": "angry", "speaker": "1", "gender": "", "place": [str(i) for i in range(200)]})
    clips = many.assign(text=["a", "b"] * 100, room="one", weight=0.5)
    assert list(wording.of(clips).titles) == ["emotion", "speaker", "text"]


def test_a_manifest_of_ravdess_has_no_statements_that_can_be_quoted(voices, tmp_path):
    from ser_core.corpus import manifest

    manifest.write([corpus.index(voices)], tmp_path / "copy.csv")
    words = wording.of(corpus.index(tmp_path / "copy.csv").clips)
    assert words.said("statement", "1") == "1"


def test_an_empty_value_is_said_to_be_unknown(words):
    assert words.said("gender", "") == "Not known"
