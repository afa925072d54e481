import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from ser_core.errors import FeatureError
from ser_core.features import exploration, mean180, prosody, tables
from ser_core.settings import Settings


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    return exploration.clips(Settings.from_environment())


def test_every_shipped_clip_has_its_features_its_voice_its_part_and_its_places(clips):
    assert len(clips) == 2452
    assert clips[[*mean180.NAMES, *prosody.NAMES]].notna().all(axis=None)
    assert clips["part"].value_counts().to_dict() == {"train": 1961, "test": 491}
    assert np.isfinite(
        clips[[f"{method}_{of}_{axis}" for method in exploration.METHODS for of in ("all", "speaker") for axis in "xy"]]
    ).all(axis=None)


def test_the_parts_are_those_that_a_run_is_scored_on(clips):
    from ser_core.results import runs

    shipped = runs.list_all([Settings.from_environment().artifacts])
    tested = runs.find(shipped, model="best", protocol="study").part("test")["clip"]
    assert set(clips.loc[clips["part"] == "test", "stem"]) == set(tested)


def test_maps_of_other_clips_than_the_features_are_refused(clips, tmp_path, monkeypatch):
    settings = dataclasses.replace(Settings.from_environment(), artifacts=tmp_path)
    shipped = Settings.from_environment()
    (tmp_path / "features").mkdir()
    for name in ("mean180", "prosody"):
        settings.shipped_table(name).write_bytes(shipped.shipped_table(name).read_bytes())
    pd.read_parquet(shipped.maps).iloc[::-1].to_parquet(settings.maps)
    with pytest.raises(FeatureError, match=r"maps\.parquet has other clips than .* make study"):
        exploration.clips(settings)
    settings.maps.write_bytes(b"no table")
    with pytest.raises(FeatureError, match=r"cannot be read .* make study"):
        exploration.clips(settings)


def test_counts_are_of_one_property_or_of_two_crossed(clips):
    assert exploration.count(clips, "emotion")["clips"].to_dict() == {
        "neutral": 188,
        "calm": 376,
        "happy": 376,
        "sad": 376,
        "angry": 376,
        "fearful": 376,
        "disgust": 192,
        "surprised": 192,
    }
    crossed = exploration.count(clips, "emotion", "channel")
    assert crossed.loc["disgust"].to_dict() == {"song": 0, "speech": 192}
    assert crossed.to_numpy().sum() == len(clips)


def test_the_gaps_of_the_corpus_are_said(clips):
    said = " ".join(exploration.gaps(clips))
    assert "There is no song of actor 18." in said
    assert "Disgust and surprised are never sung" in said
    assert "Neutral has 188 clips, about half of the 376" in said


def test_no_gap_is_said_where_there_is_none(clips):
    song = clips[(clips["channel"] == "song") & (clips["emotion"] != "neutral")]
    assert exploration.gaps(song) == []
    part = clips[(clips["part"] == "test") & (clips["emotion"] == "calm") & (clips["statement"] == 1)]
    said = exploration.gaps(part[part["speaker"] != "18"])  # some of its actors have no song in it, but did sing
    assert said == []


def test_only_the_cause_of_a_gap_that_is_seen_in_the_clips_is_named(clips):
    eighteenth = exploration.gaps(clips[clips["speaker"] == "18"])
    assert "There is no song of actor 18." in eighteenth
    normal = clips[(clips["intensity"] == "normal") & (clips["part"] == "test") & (clips["speaker"] == "01")]
    assert not [said for said in exploration.gaps(normal) if "strong version" in said]


def test_a_feature_that_is_the_emotion_is_explained_by_it_and_one_that_is_the_speaker_is_not(clips):
    table = clips[clips["channel"] == "speech"].reset_index(drop=True)
    noise = np.random.default_rng(0).normal(scale=0.01, size=len(table))
    codes, _ = pd.factorize(table["emotion"])
    speakers = table["speaker"].astype(int)
    made = table.assign(mfcc_01=codes + noise, mfcc_02=speakers + noise, mfcc_03=codes + 100 * speakers + noise)
    shares = exploration.separation(made)
    assert shares.loc["mfcc_01", "emotion"] > 0.99
    assert shares.loc["mfcc_01", "speaker"] < 0.01
    assert shares.loc["mfcc_02", "speaker"] > 0.99
    assert shares.loc["mfcc_02", "within"] < 0.05
    assert shares.loc["mfcc_03", "emotion"] < 0.01  # drowned in who speaks
    assert shares.loc["mfcc_03", "within"] > 0.99  # and found again within actors
    assert shares["within"].is_monotonic_decreasing


def test_shares_are_sums_of_squares(clips):
    shares = exploration.separation(clips)
    values = clips["mfcc_05"].astype(float)
    between = values.groupby(clips["speaker"]).transform("mean").var(ddof=0)
    assert shares.loc["mfcc_05", "speaker"] == pytest.approx(between / values.var(ddof=0), rel=1e-6)
    assert shares[["speaker", "emotion", "within"]].stack().between(0, 1).all()


def test_one_emotion_alone_cannot_be_separated(clips):
    with pytest.raises(FeatureError, match="two emotions and two speakers"):
        exploration.separation(clips[clips["emotion"] == "sad"])


def test_components_are_counted_as_scikit_learn_counts_them(clips):
    cumulative = exploration.cumulative_variance(clips)
    assert cumulative[-1] == pytest.approx(1)
    wanted = PCA(0.95).fit(StandardScaler().fit_transform(tables.matrix(clips))).n_components_
    assert exploration.components_kept(cumulative) == wanted


def test_neighbours_by_hand():
    """Two actors far apart, each with two emotions that lie near each other: all neighbours are the actor's own."""
    rows = [(speaker, emotion) for speaker in (1, 2) for emotion in ("calm", "angry") for _ in range(6)]
    table = pd.DataFrame(rows, columns=["speaker", "emotion"]).assign(gender="male")
    random = np.random.default_rng(1)
    far = 100.0 * table["speaker"] + (table["emotion"] == "calm")
    values = far.to_numpy()[:, None] + random.normal(scale=0.01, size=(len(table), len(mean180.NAMES)))
    table = pd.concat([table, pd.DataFrame(values, columns=list(mean180.NAMES))], axis=1)
    shares = exploration.neighbours(table)
    assert shares["speaker"] == (1.0, pytest.approx(11 / 23))
    assert shares["gender"] == (1.0, 1.0)
    assert shares["emotion"][0] == pytest.approx(5 / 10)  # five of its own emotion, then five of the actor's other
    within = exploration.neighbours(table, within=True)
    assert within["emotion"][0] == 1.0
    assert within["speaker"][0] < 0.7


def test_a_clips_nearest_clips_are_the_actors_own_more_than_the_emotions(clips):
    shares = exploration.neighbours(clips)
    for share, chance in shares.values():
        assert share > 2 * chance or chance > 0.4
    assert shares["speaker"][0] > shares["emotion"][0]


def test_maps_have_a_place_for_each_clip_and_are_the_same_each_time(table):
    once, again = exploration.maps(table), exploration.maps(table)
    assert list(once["stem"]) == list(table["stem"])
    pd.testing.assert_frame_equal(once, again)
    assert np.isfinite(once.drop(columns="stem")).all(axis=None)


def test_profiles_are_means_of_decibels(clips):
    profiles = exploration.mel_profiles(clips)
    assert profiles.shape == (8, 128)
    angry = clips.loc[clips["emotion"] == "angry", "mel_050"]
    assert profiles.loc["angry", "mel_050"] == pytest.approx(float((10 * np.log10(angry)).mean()), abs=1e-3)
