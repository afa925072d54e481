import numpy as np
import pandas as pd
import pytest

from ser_core.evaluation import protocols
from ser_core.results import generalization, runs
from ser_core.results.published import PUBLISHED
from ser_core.results.runs import Tables
from ser_core.settings import Settings
from tests.made_runs import CLIPS, by_chance, changed, run

ON_FUNCTIONALS = {"features": "functionals", "preset": "functionals"}


def ladder(**shares):
    found = [run(by_chance(1, share), "kn", protocol=name.replace("_", "-")) for name, share in shares.items()]
    return generalization.ladder(found, "kn")


def test_known_and_new_voices_are_of_the_runs_of_both_protocols():
    found = runs.list_all([Settings.from_environment().artifacts])
    table = generalization.known_and_new(found, ["best", "v4", "kn"])  # kn has no run on voices never heard
    assert list(table["model"]) == ["best", "best", "v4", "v4"]
    assert list(table["voices"]) == ["known", "new"] * 2
    for row in table.itertuples():
        run = runs.find(found, model=row.model, protocol="study" if row.voices == "known" else "emobox")
        assert row.accuracy == run.scores["emotion_accuracy"]
    assert (table["low"] < table["accuracy"]).all() and (table["accuracy"] < table["high"]).all()


@pytest.mark.parametrize("key", ["best", "v_robust"])
def test_a_vote_of_saved_runs_is_on_the_ladder(key):
    """Its runs name the features of its members, and a recipe that is asked for does not."""
    table = generalization.ladder(runs.list_all([Settings.from_environment().artifacts]), key, kind="emotion")
    assert {"study", "emobox", generalization.RECORDING} <= set(table["protocol"])


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


def recorded(right, condition, protocol):
    return run(right, "kn", protocol, id=f"{protocol}-{condition}", heard=condition)


def elsewhere(right, name="emodb", model="kn", **fields):
    about = {"corpus": name, "digest": "12345678", "speakers": ["03", "08"], "languages": ["de"]}
    about |= {"shortest_s": 1.25, "longest_s": 2.0}
    fields = {"id": f"on-{name}", "tested_on": about, "scores": {"emotion_claimed": 0.7}} | fields
    return run(right, model, **{"protocol": protocols.on_corpus(name, "12345678")} | fields)


def test_other_recordings_are_the_mean_over_conditions_of_the_hardest_protocol_that_was_heard():
    heard = [recorded(by_chance(2, 0.6), "louder", "emobox"), recorded(by_chance(3, 0.2), "telephone", "emobox")]
    easier = recorded(by_chance(4, 0.9), "telephone", "study")
    found = [run(by_chance(1, 0.5), "kn", "emobox"), *heard, easier]
    table = generalization.ladder(found, "kn").set_index("protocol")
    assert list(table.index) == ["emobox", "recording"]
    row = table.loc["recording"]
    assert row["accuracy"] == pytest.approx(np.mean([by_chance(2, 0.6), by_chance(3, 0.2)]))
    assert (row["clips"], row["run"]) == (len(CLIPS), "emobox-louder")
    assert row["heard"] == (
        "other recordings of clips by actors never heard (`emobox`): the mean over 2 recording conditions"
    )
    one = generalization.ladder([easier], "kn").iloc[0]
    assert one["heard"].endswith("by actors it has heard (`study`): the mean over 1 recording condition")
    assert one["low"] < one["accuracy"] < one["high"]


def test_a_clip_is_resampled_with_all_its_recordings():
    """Two conditions with the same answers say no more than one of them."""
    right = by_chance(2, 0.6)
    one, two = (
        generalization.ladder([recorded(right, condition, "study") for condition in conditions], "kn").iloc[0]
        for conditions in (("louder",), ("louder", "telephone"))
    )
    assert (one["accuracy"], one["low"], one["high"]) == (two["accuracy"], two["low"], two["high"])


def test_other_corpora_are_the_last_rungs_with_the_newest_run_of_each():
    found = [
        run(by_chance(1, 0.5), "kn", "emobox"),
        elsewhere(by_chance(2, 0.3), made="2026-01-02"),
        elsewhere(by_chance(3, 0.2), id="older", made="2026-01-01", protocol=protocols.on_corpus("emodb", "99999999")),
        elsewhere(by_chance(4, 0.1), id="svm", model="svm"),
        elsewhere(by_chance(5, 0.1), id="few", made="2026-01-03", data_digest="99", shipped=False),
    ]
    table = generalization.ladder(found, "kn", kind="emotion")
    assert list(table["run"]) == ["kn", "on-emodb"]
    assert table["heard"].iloc[1] == "another corpus, emodb: other people, recorded elsewhere"
    assert [run.id for run in generalization.on_other_corpora(found, "kn")] == ["on-emodb"]


def test_where_genders_are_not_known_a_corpus_has_no_rung_of_classes():
    known = elsewhere(by_chance(2, 0.3))
    rows = known.predictions.assign(truth=known.predictions["truth"].str.split("_").str[0])
    unknown = changed(known, tables=Tables(rows))
    assert len(generalization.ladder([unknown], "kn", kind="emotion")) == 1
    assert generalization.ladder([unknown], "kn").empty


def test_the_fall_goes_on_to_other_recordings_and_corpora():
    voices = [run(by_chance(1, 0.8), "kn"), run(by_chance(1, 0.5), "kn", "emobox")]
    further = [recorded(by_chance(2, 0.4), "telephone", "emobox"), elsewhere(by_chance(3, 0.3))]
    table = generalization.ladder([*voices, *further], "kn")
    said = generalization.fall(table, "kn")
    assert said.startswith(generalization.fall(table.head(2), "kn"))
    recording, corpus = table["accuracy"].tail(2)
    assert said.endswith(
        f"knowing the voice. Of other recordings {recording:.0%}; of another corpus (emodb) {corpus:.0%}."
    )
    assert generalization.fall(generalization.ladder(further, "kn"), "kn").startswith("Of other recordings")


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


def test_clips_known_before_are_a_gain_on_the_other_clips():
    plain = run(by_chance(1, 0.6), "robust", protocol="emobox")
    known = run(
        by_chance(2, 0.8)[10:], "robust", protocol="emobox+neutral-2", clips=CLIPS[10:], scores={"emotion_ua": 0.8}
    )
    everything = run(by_chance(3, 0.9), "robust", protocol="emobox+all", scores={"emotion_ua": 0.9})
    other = run(by_chance(4, 0.9), "robust", protocol="luna-jimenez+all", scores={"emotion_ua": 0.9})
    table = generalization.known_before([plain, everything, known, other])
    assert table["known"].tolist() == ["2 neutral clips", "all clips"]
    assert table["clips"].tolist() == [len(CLIPS) - 10, len(CLIPS)]
    assert (table["gain"] > 0.05).all() and (table["low"] < table["gain"]).all()
    assert generalization.known_before([known]).empty
