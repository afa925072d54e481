"""Another corpus than RAVDESS, EMO-DB, by a manifest: from its index to scores by speaker."""

import csv

import numpy as np
import pandas as pd
import pytest

from ser_core import corpus, evaluation, experiments
from ser_core.errors import ProtocolError
from ser_core.features import mean180, tables

# Burkhardt et al. (2005): the sixth character of a name is the emotion, in German.
EMOTIONS = dict(zip("WLEAFTN", ("angry", "boredom", "disgust", "fearful", "happy", "sad", "neutral"), strict=True))
WOMEN = ("08", "09")


def write_manifest(file, clips):
    """A manifest of some of EMO-DB's clips, whose names say speaker (2), sentence (3), emotion (1) and take (1)."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "speaker", "emotion", "gender", "language", "sentence"])
        for clip in clips:
            speaker, sentence, emotion = clip.stem[:2], clip.stem[2:5], EMOTIONS[clip.stem[5]]
            rows.writerow([clip, speaker, emotion, "female" if speaker in WOMEN else "male", "de", sentence])
    return file


@pytest.fixture(scope="module")
def clips(emodb):
    return sorted(emodb.glob("*.flac"))


@pytest.fixture(scope="module")
def manifest(clips, tmp_path_factory):
    return write_manifest(tmp_path_factory.mktemp("manifests") / "emodb.csv", clips)


@pytest.fixture(scope="module")
def table(manifest, tmp_path_factory):
    """The features of all its clips, saved and read again as `run --features F.parquet` has them."""
    folder = tmp_path_factory.mktemp("emodb")
    made = tables.extract(corpus.index(manifest), folder, jobs=-1)
    assert made.rejected == ()
    tables.save(made.table, folder / "F.parquet")
    return tables.read(folder / "F.parquet")


def test_the_index_is_of_all_its_clips(manifest, clips):
    found = corpus.index(manifest)
    assert found.rejected == ()
    assert len(found.clips) == len(clips) == 243
    assert sorted(found.clips["speaker"].unique()) == ["03", "08", "09", "10", "11"]
    assert (set(found.clips["corpus"]), set(found.clips["language"])) == ({"emodb"}, {"de"})
    assert found.clips["stem"].tolist() == [clip.stem for clip in clips]
    bored = found.clips[found.clips["emotion"] == "boredom"]
    assert len(bored) == sum(clip.stem[5] == "L" for clip in clips)
    assert set(bored["label"]) == {"boredom"}
    assert found.clips.set_index("stem").loc["03a01Fa", ["label", "sentence"]].tolist() == ["happy_male", "a01"]


def test_the_command_counts_them(call, manifest):
    status, answer, _ = call("index", manifest)
    assert status == 0
    assert (answer["clips"], answer["actors"], answer["speakers"], answer["corpus"]) == (243, 5, 5, "emodb")
    assert set(answer["emotions"]) == set(EMOTIONS.values())
    assert sum(answer["emotions"].values()) == 243
    assert "speech" not in answer and answer["rejected"] == []


def test_a_few_are_extracted_by_the_command(call, clips, tmp_path):
    out = tmp_path / "F.parquet"
    few = write_manifest(tmp_path / "few.csv", clips[::30])
    status, answer, _ = call("extract", few, "--out", out, "--jobs", 1)
    assert status == 0
    assert (answer["clips"], answer["features"], answer["rejected"]) == (9, 180, [])
    made = pd.read_parquet(out)
    assert list(made.columns[:10]) == [*corpus.COLUMNS, "sentence"]
    assert np.isfinite(made[list(mean180.NAMES)].to_numpy()).all()


def test_a_few_are_predicted_with_what_they_are_beside_it(call, clips, tmp_path):
    few = write_manifest(tmp_path / "few.csv", clips[:3])
    with few.open("a") as file:
        file.write("none.flac,03,sad,male,de,a01\n")
    status, answer, said = call("predict", few, "--model", "krr")
    assert status == 2
    assert [item["file"] for item in answer["predictions"]] == [str(clip) for clip in clips[:3]]
    assert [item["truth"] for item in answer["predictions"]] == [EMOTIONS[clip.stem[5]] for clip in clips[:3]]
    assert answer["errors"] == [{"file": "none.flac", "error": "line 5: there is no such file"}]
    assert "none.flac: line 5" in said


def test_an_emotion_that_ravdess_lacks_is_learned_like_any_other(table):
    run = experiments.run("lr", table, protocol="actors-5", jobs=1).run
    assert "p_boredom" in run.predictions
    assert (run.part("test")["truth"] == "boredom").sum() == (table["emotion"] == "boredom").sum()


def test_an_experiment_of_other_people_is_scored_by_speaker(table):
    known = table[table["emotion"] != "boredom"].reset_index(drop=True)
    run = experiments.run("lr", known, protocol="actors-5", jobs=1).run
    test = run.part("test")
    assert (set(test["corpus"]), test["speaker"].nunique()) == ({"emodb"}, 5)
    assert test.groupby("fold")["speaker"].nunique().tolist() == [1] * 5
    share, low, high = evaluation.accuracy_interval(test, "emotion", over="speakers")
    assert low <= share <= high
    assert share > 1 / 6 + 0.1  # six emotions
    by_speaker = evaluation.by_property(test, "speaker", "emotion")
    assert by_speaker["value"].tolist() == ["03", "08", "09", "10", "11"]
    by_sentence = evaluation.by_property(test, "sentence", "emotion", clips=known)
    assert by_sentence["clips"].sum() == len(known)


def test_a_protocol_of_ravdess_alone_says_what_it_needs(table):
    known = table[table["emotion"] != "boredom"].reset_index(drop=True)
    with pytest.raises(ProtocolError, match="emobox needs each clip's channel"):
        experiments.run("lr", known, protocol="emobox", jobs=1)
