import numpy as np
import pandas as pd
import pytest

from ser_core.corpus import official_clips
from ser_core.errors import ProtocolError
from ser_core.evaluation import protocols
from ser_core.evaluation.emobox_emodb import FOLDS as EMODB_FOLDS


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


def names_of_emodb():
    return pd.DataFrame({"stem": sorted(name for names in EMODB_FOLDS for name in names.split())})


def test_emobox_has_five_folds_of_emodb_each_clip_in_one():
    index = names_of_emodb()
    folds = protocols.get("emobox-emodb").folds(index)
    assert [len(fold.held_out) for fold in folds] == [107] * 5
    assert sorted(np.concatenate([fold.held_out for fold in folds])) == list(range(535))
    held_out = set(index["stem"].iloc[folds[0].held_out])
    assert {"03a02Wb", "16b10Td"} <= held_out and "03a01Wa" not in held_out
    # Angry, bored, neutral, happy, fearful, sad, disgusted: as many as the corpus is published with.
    counts = index["stem"].str[5].value_counts()
    assert counts[list("WLNFATE")].tolist() == [127, 81, 79, 71, 69, 62, 46]
    assert not protocols.get("emobox-emodb").holds_actors_out


def test_emobox_needs_all_clips_of_emodb_and_no_others():
    index = names_of_emodb()
    with pytest.raises(ProtocolError, match="needs all 535 clips of EMO-DB: 2 are missing, such as 03a01Fa"):
        protocols.get("emobox-emodb").folds(index.iloc[2:])
    with pytest.raises(ProtocolError, match="zebra is none of them"):
        protocols.get("emobox-emodb").folds(pd.concat([index, pd.DataFrame({"stem": ["zebra"]})]))


def test_the_split_is_the_same_every_time(table):
    first, again = (protocols.get("study").folds(table) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.train, other.train)
        assert np.array_equal(one.held_out, other.held_out)


def test_emobox_holds_four_actors_out_at_a_time_and_tests_on_speech():
    index = pd.DataFrame(
        [(f"{actor:02d}", channel) for actor in range(1, 25) for channel in ("speech", "song")],
        columns=["speaker", "channel"],
    )
    folds = protocols.get("emobox").folds(index)
    published = protocols.PUBLISHED["emobox"]
    assert [set(index.loc[fold.held_out, "speaker"].astype(int)) for fold in folds] == [set(four) for four in published]
    assert sorted(actor for four in published for actor in four) == list(range(1, 25))
    for fold in folds:
        assert set(index.loc[[*fold.train, *fold.held_out], "channel"]) == {"speech"}
        assert not set(index.loc[fold.train, "speaker"]) & set(index.loc[fold.held_out, "speaker"])
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
    from ser_core.features import tables

    table = tables.read(settings.feature_table)
    *_, split = protocols.get("study").folds(table)
    parts = protocols.original_parts()
    assert {stem for stem, part in parts.items() if part == "test"} == set(table["stem"].iloc[split.held_out])
    assert list(parts) == list(table["stem"])


def official_index() -> pd.DataFrame:
    """RAVDESS' clips in the order of an index."""
    return everyone()[["speaker", "gender", "label"]]


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
        assert not set(index["speaker"].iloc[fold.train]) & set(index["speaker"].iloc[fold.held_out])
        assert set(index["gender"].iloc[fold.held_out]) == {"female", "male"}


def everyone():
    """All clips of RAVDESS by name alone."""
    return pd.DataFrame([vars(clip) | {"label": clip.label} for clip in official_clips()])


def test_published_folds_are_the_published_ones():
    reference = {
        "emobox": [[1, 11, 20, 21], [4, 10, 12, 14], [8, 9, 19, 23], [3, 5, 7, 24], [2, 15, 16, 18], [6, 13, 17, 22]],
        "luna-jimenez": [
            [2, 5, 14, 15, 16], [3, 6, 7, 13, 18], [10, 11, 12, 19, 20], [8, 17, 21, 23, 24], [1, 4, 9, 22],
        ],
    }  # fmt: skip
    assert {name: [list(fold) for fold in folds] for name, folds in protocols.PUBLISHED.items()} == reference


@pytest.mark.parametrize("name", [*sorted(protocols.PROTOCOLS.keys() - {"emobox-emodb"}), "actors-6", "actors-24-3"])
def test_every_protocol_holds_apart_what_it_says_on_all_of_ravdess(name):
    index, protocol = everyone(), protocols.get(name)
    for fold in protocol.folds(index):
        train, held_out = index.iloc[fold.train], index.iloc[fold.held_out]
        assert not set(train["stem"]) & set(held_out["stem"])
        if protocol.apart:
            assert not set(train[protocol.apart]) & set(held_out[protocol.apart])


@pytest.mark.parametrize("name", ["repetition", "statement", "actors-6", "actors-12-3"])
def test_protocols_of_all_clips_test_each_of_them_once(name):
    index = everyone()
    tested = np.concatenate([fold.held_out for fold in protocols.get(name).folds(index)])
    assert sorted(tested) == list(range(len(index)))


@pytest.mark.parametrize("name", ["emobox", "luna-jimenez"])
def test_song_of_the_others_may_be_learned_from_and_is_never_tested(name):
    index = everyone()
    for without, with_song in zip(
        protocols.get(name).folds(index), protocols.get(f"{name}+song").folds(index), strict=True
    ):
        assert np.array_equal(without.held_out, with_song.held_out)
        assert set(without.train) < set(with_song.train)
        added = index.iloc[sorted(set(with_song.train) - set(without.train))]
        assert set(added["channel"]) == {"song"}
        assert not set(added["speaker"]) & set(index.iloc[without.held_out]["speaker"])
    assert "song" in protocols.get(f"{name}+song").note


def test_without_song_the_speech_of_the_studys_split_stays_on_its_side():
    index = everyone()
    *inner, outer = protocols.get("study-speech").folds(index)
    *_, whole = protocols.get("study").folds(index)
    assert set(outer.train) < set(whole.train)
    assert set(outer.held_out) < set(whole.held_out)
    assert set(index.iloc[[*outer.train, *outer.held_out]]["channel"]) == {"speech"}
    assert len(inner) == 5


def test_another_seed_draws_other_folds_of_actors_with_both_genders_in_each():
    index = everyone()
    one, other = (protocols.get(name).folds(index) for name in ("actors-6-1", "actors-6-2"))
    drawn = [[set(index.iloc[fold.held_out]["speaker"]) for fold in folds] for folds in (one, other)]
    assert drawn[0] != drawn[1]
    assert all(set(index.iloc[fold.held_out]["gender"]) == {"female", "male"} for fold in one)


@pytest.mark.parametrize("name", ["actors-1", "actors-25", "actors-0-3"])
def test_a_number_of_folds_that_makes_no_sense_is_named(name):
    with pytest.raises(ProtocolError, match=r"folds of speakers are out of bounds: 2 to 24"):
        protocols.get(name)


def test_fewer_actors_than_folds_are_named(table):
    with pytest.raises(ProtocolError, match="'actors-6' needs 6 speakers, and there are 4"):
        protocols.get("actors-6").folds(table)


def test_a_protocol_that_mixes_what_it_claims_to_hold_apart_is_caught(table):
    rows = np.arange(len(table))
    mixed = protocols.Protocol("wrong", "", lambda _: [protocols.Fold(1, "test", rows[:32], rows[32:])], "statement")
    with pytest.raises(AssertionError, match=r"statement \d is on both sides"):
        mixed.folds(table)
    twice = protocols.Protocol("twice", "", lambda _: [protocols.Fold(1, "test", rows, rows[:3])])
    with pytest.raises(AssertionError, match="on both sides"):
        twice.folds(table)


@pytest.mark.parametrize(
    ("name", "column"), [("statement", "statement"), ("emobox", "channel"), ("study-speech", "channel")]
)
def test_what_only_some_corpora_say_of_their_clips_is_named_where_it_is_needed(table, name, column):
    with pytest.raises(
        ProtocolError, match=f"{name} needs each clip's {column}, and this table has no such column: protocols for any"
    ):
        protocols.get(name).folds(table.drop(columns=column))


def test_speakers_may_be_called_anything_and_their_gender_be_unknown():
    index = pd.DataFrame({"speaker": ["Ada", "Bo", "Cleo", "Dan"] * 5, "gender": ""})
    one, other = protocols.get("actors-2").folds(index)
    assert set(index.loc[one.held_out, "speaker"]) | set(index.loc[other.held_out, "speaker"]) == {*index["speaker"]}
    assert not set(index.loc[one.held_out, "speaker"]) & set(index.loc[other.held_out, "speaker"])


def test_intervals_are_over_whatever_is_held_out():
    assert [protocols.get(name).interval_over for name in ("study", "statement", "actors-6", "emobox")] == [
        "clips",
        "clips",
        "speakers",
        "speakers",
    ]


def test_a_sentence_cannot_be_held_out_of_one(table):
    with pytest.raises(ProtocolError, match="statement needs clips of two values"):
        protocols.get("statement").folds(table[table["statement"] == 1].reset_index(drop=True))


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("emodb", "corpus-emodb-a1b2c3d4"),
        ("my talk/shows", "corpus-my-talk-shows-a1b2c3d4"),
        ("a+b", "corpus-a+b-a1b2c3d4"),
    ],
)
def test_another_corpus_to_test_on_has_a_protocol_of_its_own(name, protocol):
    assert protocols.on_corpus(name, "a1b2c3d4" + 56 * "0") == protocol
    assert protocols.get(protocol).holds_actors_out
    assert protocols.corpus_of(protocol) == protocol.removeprefix("corpus-").removesuffix("-a1b2c3d4")


def test_other_protocols_test_on_no_other_corpus():
    assert [protocols.corpus_of(name) for name in ("study", "actors-6", "corpus-emodb")] == [None] * 3


@pytest.fixture(scope="module")
def index():
    """All clips that there are of RAVDESS."""
    clips = [vars(clip) | {"label": clip.label} for clip in official_clips()]
    return pd.DataFrame(clips).sort_values(["speaker", "stem"], ignore_index=True)


def test_clips_known_before_are_the_speakers_own_and_not_tested(index):
    plain = protocols.get("emobox").folds(index)
    for calibration, number in (("neutral:2", 2), ("random:8", 8)):
        protocol = protocols.get(protocols.calibrated("emobox", calibration))
        assert protocol.holds_actors_out and protocol.interval_over == "speakers"
        for fold, before in zip(protocol.folds(index), plain, strict=True):
            np.testing.assert_array_equal(fold.train, before.train)
            known = np.concatenate([one.clips for one in fold.known])
            assert not set(known) & set(fold.held_out)
            assert set(known) | set(fold.held_out) == set(before.held_out)
            for one in fold.known:
                assert len(one.clips) == number
                assert len(set(index["speaker"].iloc[np.concatenate([one.clips, one.tested])])) == 1
                if calibration == "neutral:2":
                    assert set(index["emotion"].iloc[one.clips]) == {one.emotion} == {"neutral"}
                else:
                    assert one.emotion is None


def test_all_clips_known_before_are_tested_too(index):
    for fold, before in zip(
        protocols.get("emobox+all").folds(index), protocols.get("emobox").folds(index), strict=True
    ):
        np.testing.assert_array_equal(fold.held_out, np.sort(before.held_out))
        for one in fold.known:
            np.testing.assert_array_equal(one.clips, one.tested)


def test_clips_drawn_to_be_known_are_the_same_each_time(index):
    first, again = (protocols.get("emobox+random-8").folds(index)[0] for _ in range(2))
    np.testing.assert_array_equal(first.known[0].clips, again.known[0].clips)
    assert len(set(index["emotion"].iloc[np.concatenate([one.clips for one in first.known])])) > 4


@pytest.mark.parametrize("calibration", ["", "neutral", "neutral:0", "happy:2", "random:100", "all:3", "neutral:2 "])
def test_a_calibration_that_there_is_not_is_named(calibration):
    with pytest.raises(ProtocolError, match="no calibration"):
        protocols.calibrated("emobox", calibration)


def test_nobody_is_known_before_where_nobody_is_held_out():
    with pytest.raises(ProtocolError, match="holds no speakers out"):
        protocols.calibrated("study", "neutral:2")


def test_more_clips_than_a_speaker_has_are_refused(index):
    with pytest.raises(ProtocolError, match=r"neutral:9 needs 9 neutral clips of each speaker, and .. has 4"):
        protocols.get("emobox+neutral-9").folds(index)
    with pytest.raises(ProtocolError, match="random:60 needs 60 clips"):
        protocols.get("emobox+random-60").folds(index)


def test_names_of_calibrated_protocols_can_be_taken_apart():
    name = protocols.calibrated("emobox+song", "random:8")
    assert (name, protocols.uncalibrated(name), protocols.calibration_of(name)) == (
        "emobox+song+random-8",
        "emobox+song",
        "random:8",
    )
    assert protocols.calibration_of("emobox") == ""
    assert protocols.get("corpus-emodb-a1b2c3d4+all").holds_actors_out


@pytest.fixture
def two_corpora():
    """Two speakers of one corpus, and two of another with the same ids; parts and folds in columns."""
    rows = [
        (f"{name}{speaker}{take}", name, speaker, "", part, fold)
        for name, part, fold in (("a", "train", "1"), ("b", "test", "2"))
        for speaker in ("01", "02")
        for take in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["stem", "corpus", "speaker", "gender", "part", "fold"])


def test_leave_one_speaker_out_holds_out_each_speaker_of_each_corpus_once(two_corpora):
    protocol = protocols.get("loso")
    assert protocol.holds_actors_out
    folds = protocol.folds(two_corpora)
    held_out = [two_corpora.iloc[fold.held_out] for fold in folds]
    assert [set(clips["corpus"] + clips["speaker"]) for clips in held_out] == [{"a01"}, {"a02"}, {"b01"}, {"b02"}]
    assert all(len(fold.train) == 9 for fold in folds)


def test_one_speaker_cannot_be_left_out(two_corpora):
    with pytest.raises(ProtocolError, match="loso needs clips of two speakers at least, and there is 1"):
        protocols.get("loso").folds(two_corpora.head(3))


def test_folds_of_speakers_count_each_corpus_own(two_corpora):
    held_out = [set(fold.held_out) for fold in protocols.get("actors-4").folds(two_corpora)]
    assert sorted(held_out, key=min) == [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9, 10, 11}]


def test_given_parts_are_one_split(two_corpora):
    two_corpora.loc[0, "part"] = "dev"
    (fold,) = protocols.get("split-part").folds(two_corpora)
    assert (fold.number, list(fold.train), list(fold.held_out)) == (0, [1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])


@pytest.mark.parametrize("column", ["fold", "corpus"])
def test_given_folds_are_held_out_in_turn(two_corpora, column):
    first, second = protocols.get(f"split-{column}").folds(two_corpora)
    assert list(first.held_out) == list(second.train) == [0, 1, 2, 3, 4, 5]
    assert list(second.held_out) == list(first.train) == [6, 7, 8, 9, 10, 11]


def test_clips_without_a_fold_are_left_out(two_corpora):
    two_corpora.loc[0, "fold"] = ""
    first, second = protocols.get("split-fold").folds(two_corpora)
    assert list(first.held_out) == list(second.train) == [1, 2, 3, 4, 5]


def test_parts_are_read_in_upper_and_lower_case(two_corpora):
    (fold,) = protocols.get("split-part").folds(two_corpora.replace({"train": "Train", "test": "TEST"}))
    assert len(fold.train) == len(fold.held_out) == 6


def test_a_given_split_that_shares_speakers_is_refused_unless_its_name_says_so(two_corpora):
    two_corpora.loc[0, "part"] = "test"
    with pytest.raises(ProtocolError, match=r"speakers such as a 01\. .* name the protocol split-part\+shared"):
        protocols.get("split-part").folds(two_corpora)
    shared = protocols.get("split-part+shared")
    assert not shared.holds_actors_out
    assert list(shared.folds(two_corpora)[0].held_out) == [0, 6, 7, 8, 9, 10, 11]


def test_a_split_in_a_column_that_is_not_there_is_refused(two_corpora):
    with pytest.raises(ProtocolError, match="split-session needs each clip's session"):
        protocols.get("split-session").folds(two_corpora)


@pytest.mark.parametrize("parts", ["test", "train"])
def test_a_split_of_one_part_is_refused(two_corpora, parts):
    with pytest.raises(ProtocolError, match=f"the column 'part' has {parts}"):
        protocols.get("split-part").folds(two_corpora.assign(part=parts))
