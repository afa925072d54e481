import math

import pandas as pd
import pytest

from ser_core.corpus import index, official_clips, pairs, parse, wording
from ser_core.corpus.pairs import Voice

CLIPS = official_clips()
ANGRY = parse("03-01-05-02-01-02-12")


def stems(clips) -> list[str]:
    return [clip.stem for clip in clips]


def test_only_what_exists_is_offered():
    neutral, song = parse("03-01-01-01-01-01-03"), parse("03-02-03-01-01-01-03")
    assert pairs.offered(CLIPS, ANGRY, "channel") == ["song", "speech"]
    assert pairs.offered(CLIPS, neutral, "intensity") == ["normal"]
    assert pairs.offered(CLIPS, ANGRY, "intensity") == ["normal", "strong"]
    assert len(pairs.offered(CLIPS, ANGRY, "emotion")) == 8
    assert pairs.offered(CLIPS, song, "emotion") == ["neutral", "calm", "happy", "sad", "angry", "fearful"]
    assert "18" in pairs.offered(CLIPS, ANGRY, "speaker")
    assert "18" not in pairs.offered(CLIPS, song, "speaker")


def test_of_a_part_of_the_clips_only_these_are_offered():
    few = [clip for clip in CLIPS if clip.speaker in ("03", "12") and clip.emotion in ("angry", "sad")]
    assert pairs.offered(few, ANGRY, "emotion") == ["sad", "angry"]
    assert pairs.offered(few, ANGRY, "speaker") == ["03", "12"]


@pytest.mark.parametrize(
    ("field", "value", "becomes"),
    [
        ("emotion", "sad", "03-01-04-02-01-02-12"),
        ("emotion", "neutral", "03-01-01-01-01-02-12"),  # which is never strong
        ("intensity", "normal", "03-01-05-01-01-02-12"),
        ("statement", 2, "03-01-05-02-02-02-12"),
        ("speaker", "07", "03-01-05-02-01-02-07"),
        ("channel", "song", "03-02-05-02-01-02-12"),
    ],
)
def test_a_choice_changes_one_thing_and_keeps_the_others_as_far_as_it_can(field, value, becomes):
    assert pairs.changed(CLIPS, ANGRY, field, value).stem == becomes


def test_every_choice_that_is_offered_leads_to_a_clip_that_is_there():
    few = [clip for clip in CLIPS if clip.speaker in ("03", "18")][::7]
    for clip in few[::5]:
        for field in pairs.FIELDS:
            for value in pairs.offered(few, clip, field):
                found = pairs.changed(few, clip, field, value)
                assert found in few and getattr(found, field) == value


def test_a_clip_that_is_not_there_is_answered_with_the_one_most_like_it():
    assert pairs.nearest(CLIPS, ANGRY) == ANGRY
    unsung = parse("03-02-05-02-01-02-18")
    assert pairs.nearest(CLIPS, unsung).stem == "03-01-05-02-01-02-18"
    others = [clip for clip in CLIPS if clip.speaker != "12"]
    assert pairs.nearest(others, ANGRY).emotion == "angry"


def test_the_same_actor_and_sentence_are_there_in_every_other_emotion():
    found = pairs.other_emotions(CLIPS, ANGRY)
    assert list(found) == ["neutral", "calm", "happy", "sad", "fearful", "disgust", "surprised"]
    for clip in found.values():
        assert (clip.speaker, clip.statement, clip.channel, clip.repetition) == ("12", 1, "speech", 2)
        assert clip.intensity == ("normal" if clip.emotion == "neutral" else "strong")
    assert "disgust" not in pairs.other_emotions(CLIPS, parse("03-02-05-02-01-02-12"))


def test_the_same_emotion_and_sentence_are_there_in_another_voice_of_either_gender():
    found = pairs.other_voices(CLIPS, ANGRY, after="12")
    assert stems(found.values()) == ["03-01-05-02-01-02-14", "03-01-05-02-01-02-13"]
    assert stems(pairs.other_voices(CLIPS, ANGRY, after="14").values())[0].endswith("16")


def test_asking_for_another_voice_again_and_again_goes_round_all_actors_but_the_first():
    after, heard = "12", []
    for _ in range(11):
        after = pairs.other_voices(CLIPS, ANGRY, after)["female"].speaker
        heard.append(after)
    assert sorted(heard) == [f"{actor:02d}" for actor in range(2, 25, 2) if actor != 12]


def test_a_lone_clip_is_its_own_partner():
    assert pairs.partners([ANGRY], ANGRY) == [ANGRY]
    assert pairs.partners(CLIPS, ANGRY)[0].emotion == "neutral"
    assert len(pairs.partners(CLIPS, ANGRY)) == 9


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ("03-01-02-02-01-02-12", ("Angry", "Calm")),
        ("03-01-05-02-01-02-13", ("Actor 12", "Actor 13")),
        ("03-01-05-02-01-01-12", ("Repetition 2", "Repetition 1")),
        ("03-01-01-01-01-02-12", ("Angry (strong intensity)", "Neutral (normal intensity)")),
        ("03-02-05-02-02-02-12", ("Speech (“Kids …”)", "Song (“Dogs …”)")),
        ("03-01-05-02-01-02-12", ("Angry", "Angry")),
    ],
)
def test_two_clips_are_called_by_what_sets_them_apart(other, names):
    assert pairs.names(ANGRY, parse(other)) == names


def test_the_difference_of_two_clips_is_counted_and_said():
    said = pairs.compare(Voice(-20.0, 400.0, 3.0), Voice(-31.2, 300.0, 3.4), ("Angry", "Calm"))
    assert said == "Angry is **11 dB louder**, **5 semitones higher** and **0.4 s shorter** than calm."
    said = pairs.compare(Voice(-31.2, 106.0, 3.0), Voice(-31.0, 100.0, 3.05), ("Actor 1", "Actor 3"))
    assert said == "Actor 1 is **1 semitone higher** than actor 3. Both are about equally loud and long."


def test_what_nobody_hears_is_no_difference():
    voice = Voice(-20.0, 200.0, 3.0)
    said = pairs.compare(voice, Voice(-20.4, 201.0, 3.02), ("Angry", "Calm"))
    assert said == "Angry and calm are about equally loud, high and long."


def test_a_clip_without_voice_or_loudness_is_compared_by_the_rest():
    said = pairs.compare(Voice(-math.inf, math.nan, 3.0), Voice(-20.0, 200.0, 2.0), ("Angry", "Calm"))
    assert said == "Angry is **1.0 s longer** than calm."


def test_a_voice_is_said_in_numbers_with_units():
    assert str(Voice(-20.4, 200.2, 3.04)) == "3.0 s, loudness −20 LUFS, median pitch 200 Hz"
    assert "no pitch" in str(Voice(-20.4, math.nan, 3.04))


@pytest.fixture(scope="module")
def others(elsewhere):
    """Clips of a corpus that is not RAVDESS: four emotions by four speakers."""
    return pairs.clips_of(index(elsewhere).clips)


def test_clips_of_another_corpus_are_chosen_by_what_it_has(others):
    first = others[0]
    assert pairs.fields_of(first) == ("emotion", "speaker", "stem")
    assert pairs.offered(others, first, "emotion") == ["calm", "sad", "angry", "boredom"]
    assert pairs.offered(others, first, "speaker") == ["01", "02", "03", "04"]
    assert pairs.offered(others, first, "stem") == [first.stem]
    assert pairs.changed(others, first, "speaker", "03").emotion == first.emotion


def test_clips_of_another_corpus_are_compared_by_emotion_and_voice(others):
    angry = next(clip for clip in others if clip.emotion == "angry")
    assert list(pairs.other_emotions(others, angry)) == ["calm", "sad", "boredom"]
    assert {clip.speaker for clip in pairs.other_emotions(others, angry).values()} == {angry.speaker}
    assert {clip.emotion for clip in pairs.other_voices(others, angry, after=angry.speaker).values()} == {"angry"}
    words = wording.of(pd.DataFrame({"emotion": ["angry"], "speaker": ["01"], "gender": ["male"]}))
    bored = pairs.other_emotions(others, angry)["boredom"]
    assert pairs.names(angry, bored, words)[1].startswith("Boredom")


def test_a_column_of_a_manifest_may_have_any_name(others):
    table = pd.DataFrame({"emotion": ["angry", "sad"], "speaker": "1", "gender": "", "stem": ["a", "b"]})
    first, _ = pairs.clips_of(table.assign(**{"fields": ["x", "y"], "the place": ["here", "there"]}))
    assert pairs.fields_of(first) == ("emotion", "speaker", "fields", "the place", "stem")
    assert getattr(first, "the place") == "here"
