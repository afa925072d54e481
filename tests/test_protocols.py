import numpy as np
import pandas as pd
import pytest

from ser_core import protocols
from ser_core.corpus import official_clips
from ser_core.errors import ProtocolError


def test_the_study_splits_80_to_20_and_cross_validates_on_the_80(table):
    *inner, outer = protocols.get("study").folds(table)
    assert (outer.part, len(outer.train), len(outer.held_out)) == ("test", 51, 13)
    assert sorted([*outer.train, *outer.held_out]) == list(range(64))
    assert [fold.part for fold in inner] == ["cv"] * 5
    held = np.concatenate([fold.held_out for fold in inner])
    assert sorted(held) == sorted(outer.train)
    for fold in inner:
        assert not set(fold.train) & set(fold.held_out)
        assert not set(fold.train) & set(outer.held_out)


def test_the_split_is_the_same_every_time(table):
    first, again = (protocols.get("study").folds(table) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.train, other.train)
        assert np.array_equal(one.held_out, other.held_out)


def test_emobox_holds_four_actors_out_at_a_time_and_tests_on_speech():
    index = pd.DataFrame(
        [(actor, channel) for actor in range(1, 25) for channel in ("speech", "song")], columns=["actor", "channel"]
    )
    folds = protocols.get("emobox").folds(index)
    assert [set(index.loc[fold.held_out, "actor"]) for fold in folds] == [set(four) for four in protocols.PUBLISHED["emobox"]]
    assert sorted(actor for four in protocols.PUBLISHED["emobox"] for actor in four) == list(range(1, 25))
    for fold in folds:
        assert set(index.loc[[*fold.train, *fold.held_out], "channel"]) == {"speech"}
        assert not set(index.loc[fold.train, "actor"]) & set(index.loc[fold.held_out, "actor"])
        assert len(fold.train) == 20


def test_emobox_needs_its_actors(table):
    with pytest.raises(ProtocolError, match="emobox tests on the speech of actors 8, 9, 19, 23"):
        protocols.get("emobox").folds(table)


def test_an_unknown_protocol_lists_the_known():
    with pytest.raises(ProtocolError, match="no protocol 'random'; there is study, study-speech"):
        protocols.get("random")


def test_too_few_clips_of_a_class_are_named(table):
    few = table[(table["label"] != "sad_male") | (table["repetition"] == 1) & (table["statement"] == 1)]
    with pytest.raises(ProtocolError, match=r"sad_male has [1-6]"):
        protocols.get("study").folds(few.reset_index(drop=True))


def test_a_handful_of_clips_cannot_be_split(table):
    with pytest.raises(ProtocolError, match="more than 4 clips"):
        protocols.get("study").folds(table.head(4))


def test_the_studys_parts_by_name_are_those_of_the_split_of_all_clips(settings):
    from ser_core.features import store

    table = store.read_table(settings.feature_table)
    *_, split = protocols.get("study").folds(table)
    parts = protocols.study_parts()
    assert {stem for stem, part in parts.items() if part == "test"} == set(table["stem"].iloc[split.held_out])
    assert list(parts) == list(table["stem"])


def official_index() -> pd.DataFrame:
    """RAVDESS' clips in the order of an index."""
    clips = sorted(official_clips(), key=lambda clip: (clip.actor, clip.stem))
    return pd.DataFrame([(clip.actor, clip.gender, clip.label) for clip in clips], columns=["actor", "gender", "label"])


def test_tuning_folds_stay_in_the_training_part():
    index = official_index()
    *inner, last = protocols.get("study").folds(index)
    five = protocols.tuning_folds(index)
    assert all((one.held_out == other.held_out).all() for one, other in zip(five, inner, strict=True))
    for cv, number in (("study", 3), ("actors", 3), ("actors", 5)):
        folds = protocols.tuning_folds(index, cv, number)
        held_out = np.concatenate([fold.held_out for fold in folds])
        assert sorted(held_out) == sorted(last.train)
        for fold in folds:
            assert not set(fold.train) & set(fold.held_out)
            assert not set(last.held_out) & {*fold.train, *fold.held_out}


def test_tuning_folds_by_actor_hear_nobody_twice():
    index = official_index()
    for fold in protocols.tuning_folds(index, "actors", 4):
        assert not set(index["actor"].iloc[fold.train]) & set(index["actor"].iloc[fold.held_out])
        assert set(index["gender"].iloc[fold.held_out]) == {"female", "male"}
