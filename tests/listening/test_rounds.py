"""Which clips a round has, who answers for the model, and what a round gives away."""

import io
import re

import numpy as np
import pytest
import soundfile

from ser_core import audio, corpus, evaluation
from ser_core.audio import conditions
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import ListeningError
from ser_core.evaluation import protocols
from ser_core.listening import rounds
from ser_core.results import runs
from ser_core.settings import Settings
from tests import made_runs

SUNG = ("neutral", "calm", "happy", "sad", "angry", "fearful")
PINNED = (
    "03-01-07-01-01-02-03",
    "03-01-01-01-02-01-09",
    "03-01-01-01-01-01-04",
    "03-01-08-02-01-01-04",
    "03-01-02-02-01-02-12",
    "03-01-03-01-02-01-09",
    "03-01-06-02-01-01-12",
    "03-01-06-02-01-02-11",
    "03-01-04-01-01-02-03",
    "03-01-05-01-02-01-02",
)
ADDRESSES = ("7", "7.song", "7.telephone", "7.all", "7.song.all", "7.20clips.all", "7.emodb")


@pytest.fixture(scope="module")
def found():
    return runs.list_all([Settings.from_environment().artifacts])


@pytest.fixture(scope="module")
def shipped():
    return corpus.look_through(Settings.from_environment().clips)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_repeats_a_round(address, found):
    one, again = (rounds.from_address(address, found=found) for _ in range(2))
    assert one.address == address
    assert one.stems == again.stems and one.run.id == again.run.id
    assert len(set(one.stems)) == len(one.stems)


def test_a_round_is_the_same_on_every_machine(found):
    """If this changes, addresses that people have handed out give other clips than before."""
    assert rounds.draw(7, found=found).stems == PINNED


@pytest.mark.parametrize("among", ["shipped", "all"])
@pytest.mark.parametrize("seed", range(20))
def test_emotions_and_genders_balance(seed, among, found):
    truth = rounds.draw(seed, among=among, found=found).truth
    emotions = truth["emotion"].value_counts().reindex(EMOTION_NAMES, fill_value=0)
    assert emotions.min() == 1 and emotions.max() == 2
    assert truth["gender"].value_counts().to_dict() == {"female": 5, "male": 5}
    twice = truth.groupby("emotion")["gender"].agg(["size", "nunique"])
    assert (twice["size"] == twice["nunique"]).all()  # what comes twice is said by a woman and by a man


def test_speakers_differ_where_there_are_enough(found):
    assert all(rounds.draw(seed, among="all", found=found).truth["speaker"].nunique() == 10 for seed in range(20))


def test_emotions_do_not_come_in_the_order_in_which_they_were_drawn(found):
    """Otherwise a listener knew that no emotion comes twice among the first eight."""
    early = [rounds.draw(seed, found=found).truth["emotion"].iloc[:8].duplicated().any() for seed in range(20)]
    assert any(early)


def test_other_seeds_give_other_clips(found):
    assert len({rounds.draw(seed, among="all", found=found).stems for seed in range(50)}) == 50


def test_a_condition_does_not_change_the_clips(found):
    assert rounds.draw(7, heard="telephone", found=found).stems == rounds.draw(7, found=found).stems


def test_of_what_ships_every_clip_can_be_heard_and_a_short_supply_gives_a_short_round(found, shipped):
    spoken, sung = (rounds.draw(3, channel=channel, found=found) for channel in ("speech", "song"))
    assert spoken.missing(shipped) == [] and len(spoken.clips) == 10
    assert sung.missing(shipped) == [] and len(sung.clips) == 6
    assert set(sung.truth["emotion"]) == set(SUNG) == set(sung.emotions)


def test_song_is_song_and_speech_is_speech(found):
    for channel in ("speech", "song"):
        one = rounds.draw(5, channel=channel, among="all", count=40, found=found)
        assert {corpus.parse(stem).channel for stem in one.stems} == {channel}


def test_another_corpus_has_its_own_emotions(found):
    one = rounds.draw(5, corpus="emodb", found=found)
    assert set(one.emotions) == {"neutral", "happy", "sad", "angry", "fearful", "disgust"}
    assert set(one.truth["emotion"]) == set(one.emotions)
    assert one.truth["gender"].value_counts().to_dict() == {"female": 5, "male": 5}
    assert not set(one.model["answer"]) - set(one.emotions)


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_model_has_not_heard_the_speakers(address, found):
    one = rounds.from_address(address, found=found)
    assert one.run.shipped and protocols.get(one.run.protocol).holds_actors_out
    assert not protocols.calibration_of(one.run.protocol)
    clips = one.run.part("test")
    assert set(one.stems) <= set(clips["clip"])
    assert not one.run.predictions.loc[one.run.predictions["part"] == "train", "clip"].isin(one.stems).any()


def test_a_round_over_the_telephone_has_the_models_answers_over_the_telephone(found):
    assert rounds.draw(7, heard="telephone", found=found).run.heard == "telephone"
    assert rounds.draw(7, found=found).run.heard == ""


def test_the_models_answers_are_those_of_the_saved_predictions(found):
    for run, chosen in (
        (runs.find(found, protocol="emobox", model="v_robust"), {}),
        (runs.find(found, protocol="actors-6", model="krr", preset="functionals"), {"channel": "song"}),
    ):
        one = rounds.draw(11, among="all", count=60, found=found, **chosen)
        rows = run.part("test").set_index("clip").loc[list(one.stems)].reset_index()
        named, truth = evaluation.named_and_true(rows, "emotion")
        assert one.run.id == run.id
        assert one.truth["emotion"].tolist() == truth.tolist()
        among = np.isin(named, one.emotions)  # in song, disgust and surprise are no possible answer
        assert (one.model["answer"].to_numpy()[among] == named[among]).all()
        assert among.all() or chosen


def test_a_model_that_may_answer_eight_is_asked_among_six_as_the_scores_do(found):
    one = rounds.draw(0, corpus="emodb", count=100, found=found)
    rows = one.run.part("test").set_index("clip")
    named, truth = evaluation.named_among_shared(rows)
    at = rows.index.get_indexer(list(one.stems))
    assert one.model["answer"].tolist() == named[at].tolist()
    assert one.truth["emotion"].tolist() == truth[at].tolist()
    assert one.model["sure"].between(1 / 6, 1).all()


def test_a_round_names_no_clip_where_it_is_printed(found):
    one = rounds.draw(7, found=found)
    for said in (repr(one), str(one), one.address):
        assert not re.search(r"03-0[12]|_female|_male", said)
        assert not any(stem in said for stem in one.stems)
    assert one.clips == tuple(range(1, 11))


def test_a_sound_is_the_clip_and_its_content_names_nothing(found, shipped):
    one = rounds.draw(7, found=found)
    content = one.sound(3, shipped)
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    plain = audio.load(shipped.file(one.stems[2]))
    assert rate == plain.rate
    np.testing.assert_allclose(samples, plain.samples, atol=2 / 2**15)
    assert content[36:40] == b"data" and len(content) == 44 + 2 * len(samples)  # no other chunk, such as a title


def test_a_condition_is_heard_as_the_model_hears_it(found, shipped):
    one = rounds.draw(7, heard="telephone", found=found)
    samples, _ = soundfile.read(io.BytesIO(one.sound(3, shipped)), dtype="float32")
    plain = audio.load(shipped.file(one.stems[2]))
    changed = conditions.get("telephone").apply(plain.samples, plain.rate)
    np.testing.assert_allclose(samples, np.clip(changed, -1, 1), atol=2 / 2**15)


def test_conditions_are_offered_where_the_model_has_answered(found):
    assert rounds.offered(found) == list(rounds.OFFERED)
    assert rounds.offered(found, channel="song") == []
    assert rounds.offered(found, corpus="emodb") == []


def test_what_is_missing_is_said_by_number(found, shipped):
    one = rounds.draw(7, among="all", found=found)
    missing = one.missing(shipped)
    assert missing and set(missing) <= set(one.clips)
    with pytest.raises(ListeningError, match=f"no recording of clip {missing[0]} here. Get the recordings"):
        one.sound(missing[0], shipped)


def test_an_own_run_of_another_corpus_will_do(found):
    answered = made_runs.answers(model="v_robust")
    other = made_runs.elsewhere(answered, name="my.clips")
    one = rounds.from_address("7.my.clips", found=[other])
    assert one.address == "7.my.clips" and one.run.id == other.id
    assert set(one.emotions) == {"angry", "happy", "sad"}
    with pytest.raises(ListeningError, match="SER_OTHER_CORPUS to the folder or the manifest"):
        one.sound(1, corpus.look_through("nowhere"))


def test_own_runs_do_not_answer_for_ravdess():
    own = made_runs.answers(model="v_robust", shipped=False)
    with pytest.raises(ListeningError, match="No model that ships has answered speech"):
        rounds.draw(7, found=[own])


def test_known_speakers_do_not_count_as_unheard():
    study = made_runs.run(made_runs.by_chance(0), model="v_robust", protocol="study")
    with pytest.raises(ListeningError, match="No model that ships"):
        rounds.draw(7, found=[study])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "'' is not a round"),
        ("x", "'x' is not a round"),
        ("-1", "'-1' is not a round"),
        ("1234567", "'1234567' is not a round"),
        ("03-01-05-02-01-01-12", "is not a round"),
        ("7.song.telephone", "song by unheard actors over a telephone"),
        ("7.babble-10", "babble-10 needs other speakers' clips"),
        ("7.0clips", "1 to 100 clips, and not 0"),
        ("7.101clips", "1 to 100 clips, and not 101"),
        ("7.nothing", "No model has answered the corpus 'nothing'. There are answers on emodb"),
        ("7.song.emodb", "Only RAVDESS has song"),
        ("7.telephone.emodb", "answered the corpus 'emodb' over a telephone"),
    ],
)
def test_an_address_of_no_round_is_refused_in_one_line(address, said, found):
    with pytest.raises(ListeningError, match=said) as error:
        rounds.from_address(address, found=found)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"seed": -1}, "0 to 999,999, and not -1"),
        ({"channel": "opera"}, "no channel 'opera'"),
        ({"among": "some"}, "and not 'some'"),
        ({"heard": "underwater"}, "no recording condition 'underwater'"),
    ],
)
def test_a_value_that_is_none_is_refused(chosen, said, found):
    with pytest.raises(ListeningError, match=said):
        rounds.draw(**{"seed": 7} | chosen, found=found)


@pytest.mark.parametrize("clip", [0, 11])
def test_a_clip_that_a_round_has_not_is_refused(clip, found, shipped):
    with pytest.raises(ListeningError, match=f"no clip {clip} in this round: it has 10"):
        rounds.draw(7, found=found).sound(clip, shipped)
