import numpy as np
import pandas as pd
import pytest

from ser_core.evaluation import protocols
from ser_core.results import generalization
from ser_core.results.published import PUBLISHED
from tests.made_runs import CLIPS, by_chance, changed, run

ON_FUNCTIONALS = {"features": "functionals", "preset": "functionals"}


def ladder(**shares):
    found = [run(by_chance(1, share), "kn", protocol=name.replace("_", "-")) for name, share in shares.items()]
    return generalization.ladder(found, "kn")


def test_the_ladder_goes_from_the_kindest_to_the_hardest_whatever_comes_first():
    table = ladder(emobox=0.4, actors_6=0.5, study=0.8, repetition=0.8)
    assert list(table["protocol"]) == ["study", "repetition", "actors-6", "emobox"]
    assert ((table["low"] < table["accuracy"]) & (table["accuracy"] < table["high"])).all()


def test_the_fall_is_said_in_words():
    said = generalization.fall(ladder(study=0.8, actors_6=0.4), "K nearest neighbours")
    assert said.startswith("When it has heard the same people before, K nearest neighbours names 8")
    assert "The rest was knowing the voice" in said
    assert "no actor has been held out yet" in generalization.fall(ladder(study=0.8, statement=0.7), "kn")
    assert "one protocol only" in generalization.fall(ladder(study=0.8), "kn")


def test_where_actors_are_held_out_the_interval_is_over_actors():
    right = np.array([int(clip.speaker) <= 12 for clip in CLIPS])
    found = [run(right, "kn", protocol) for protocol in ("study", "emobox")]
    clips, actors = generalization.ladder(found, "kn").itertuples()
    assert actors.high - actors.low > 2 * (clips.high - clips.low)


def test_published_numbers_stand_only_beside_their_own_folds():
    for protocol in ("emobox", "luna-jimenez"):
        table = generalization.published(protocol)
        assert len(table) == len(PUBLISHED)
        assert ((table["why_not"] == "") == (table["protocol"] == protocol)).all()


def test_every_published_protocol_is_one_of_ours():
    assert {one.protocol for one in PUBLISHED} <= set(protocols.PROTOCOLS)


def test_speakers_are_recognised_on_the_studys_test_clips(table):
    found = generalization.recognise_speakers(table)
    assert len(found) == 13
    assert set(found["named"]) <= set(table["speaker"])
    assert isinstance(found, pd.DataFrame)
    assert (found["speaker"] == found["named"]).sum() >= 10  # of 13; one in four by chance


def test_an_idea_is_held_against_what_it_changes_and_nothing_else():
    found = []
    for protocol in ("study", "emobox"):
        for model, recipe, share in (("krr", {}, 0.5), ("hier", {}, 0.8), ("krr", ON_FUNCTIONALS, 0.9)):
            found.append(run(by_chance(len(found), share), model, protocol, recipe=recipe))
    table = generalization.ideas(found).set_index(["idea", "protocol"])
    assert set(table.index.get_level_values("idea")) == {"Gender first, then emotion", "Functionals for krr"}
    for (_, _), row in table.iterrows():
        assert row["low"] < row["gain"] < row["high"]
        assert row["gain"] == pytest.approx(row["after"] - row["before"])
    assert table.loc[("Functionals for krr", "study"), "gain"] == pytest.approx(0.4, abs=0.1)
    assert generalization.ideas([]).empty


def test_only_runs_on_the_studys_clips_and_with_its_seed_are_compared():
    """Runs on a few clips of one's own, or with another seed, change nothing; a newer one of all clips counts."""
    study = run(by_chance(1, 0.8), "krr")
    spoken = run(by_chance(2, 0.6), "krr", protocol="study-speech")
    functionals = run(by_chance(3, 0.9), "krr", recipe=ON_FUNCTIONALS)
    shipped = [study, spoken, functionals]
    few = run(np.ones(10, dtype=bool), "krr", clips=CLIPS[:10])
    elsewhere = changed(few, id="few", shipped=False, data_digest="99")
    reseeded = run(by_chance(4, 0.1), "krr", recipe={"seed": 10}, id="reseeded", shipped=False)

    def shown(found):
        ladder = generalization.ladder(found, "krr")
        return [
            list(ladder["run"]),
            *(make(found).to_dict() for make in (generalization.ideas, generalization.song_helps)),
        ]

    expected = shown(shipped)
    assert len(expected[1]["idea"]) == len(expected[2]["model"]) == 1
    assert shown([*shipped, elsewhere, reseeded]) == expected
    newer = run(by_chance(5, 0.7), "krr", id="newer", shipped=False)
    assert list(generalization.ladder([*shipped, newer], "krr")["run"]) == ["newer"]
    assert generalization.ideas([*shipped, newer])["before"].tolist() == [np.mean(by_chance(5, 0.7))]
