import json
import shutil
import sys
from dataclasses import asdict

import numpy as np
import pytest

from ser_core.audio import conditions
from ser_core.cli import main
from ser_core.features import functionals, model_input, tables
from ser_core.models import registry
from ser_core.results import runs
from ser_core.settings import Settings


def test_run(call, file, own_workspace):
    status, answer, _ = call("run", "kn", "--protocol", "study", "--features", file, "--jobs", 1)
    assert status == 0
    assert list(answer) == [
        "model", "protocol", "preset", "test_counts", "seconds", "train_accuracy", "cv_accuracy", "test_accuracy",
        "uar", "macro_f1", "emotion_accuracy", "emotion_uar", "emotion_ua", "folds", "run", "recipe",
    ]  # fmt: skip
    assert (answer["model"], answer["protocol"], answer["preset"]) == ("kn", "study", "default")
    assert answer["recipe"] == asdict(registry.recipe("kn"))
    assert sum(answer["test_counts"].values()) == 13
    assert answer["run"].startswith("own-study-kn-default-")
    assert len(answer["folds"]["cv"]["each"]) == 5
    assert answer["folds"]["cv"]["mean"]["accuracy"] == pytest.approx(answer["cv_accuracy"])
    record = json.loads((own_workspace / "runs" / answer["run"] / "run.json").read_text())
    assert record["folds"] == answer["folds"]
    assert (own_workspace / "runs" / answer["run"] / "predictions.parquet").is_file()


def test_several_seeds_are_a_run_each_with_mean_and_deviation(call, file, capsys):
    options = ("--features", file, "--jobs", 1, "--seed", 3, "--seeds", 2)
    status, answer, error = call("run", "dt", *options)
    assert status == 0, error
    assert answer["seeds"] == [one["recipe"]["seed"] for one in answer["runs"]] == [3, 4]
    accuracies = [one["test_accuracy"] for one in answer["runs"]]
    assert len({one["run"] for one in answer["runs"]}) == 2
    assert answer["mean"]["test_accuracy"] == pytest.approx(np.mean(accuracies))
    assert answer["deviation"]["test_accuracy"] == pytest.approx(np.std(accuracies, ddof=1))
    assert main(["run", "dt", *map(str, options)]) == 0
    *_, table = capsys.readouterr().out.partition("2 seeds")
    assert "mean ± deviation" in table


@pytest.mark.parametrize("command", ["run", "train", "verify"])
def test_a_wrong_protocol_is_told_before_any_work(call, monkeypatch, command):
    monkeypatch.setattr(tables, "read", lambda file: pytest.fail("the clips are read"))
    monkeypatch.setattr(runs, "list_all", lambda stores: pytest.fail("the runs are read"))
    status, _, error = call(command, "kn", "--protocol", "emobx")
    assert status == 2
    assert "no protocol 'emobx'" in error


@pytest.mark.slow
def test_under_a_protocol_whose_publications_score_emotions_these_come_first(own_workspace, capsys):
    assert main(["run", "kn", "--protocol", "emobox", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    places = [said.index(words) for words in ("accuracy of eight emotions", "accuracy on test", "Fold by fold")]
    assert places == sorted(places)
    assert "happy_female" not in said


@pytest.mark.parametrize(
    ("named", "expected"), [("small", ["gain+1", "cut-end-100"]), ("all", ["louder"]), ("gain+1", ["gain+1"])]
)
def test_test_clips_are_also_heard_in_one_condition_or_in_a_list_of_them(
    call, file, voices, monkeypatch, named, expected
):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    small = {key: conditions.SMALL_CHANGES[key] for key in ("gain+1", "cut-end-100")}
    monkeypatch.setattr(conditions, "SMALL_CHANGES", small)
    monkeypatch.setattr(conditions, "CONDITIONS", {"louder": conditions.CONDITIONS["louder"]})
    status, answer, error = call("run", "kn", "--features", file, "--heard", named, "--jobs", 1)
    assert status == 0, error
    assert [one["condition"] for one in answer["heard"]] == expected
    status, compared, _ = call("compare", "--heard", expected[-1])
    assert status == 0
    assert answer["heard"][-1]["run"] in {one["run"] for one in compared["runs"]}


def test_a_model_hears_some_clips_of_each_speaker_before(call, file, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    protocol = ("--protocol", "actors-2", "--calibrate", "random:3")
    status, answer, error = call("run", "centred", "--features", file, *protocol, "--jobs", 1)
    assert status == 0, error
    assert answer["protocol"] == "actors-2+random-3"
    assert sum(answer["test_counts"].values()) == 64 - 4 * 3
    status, repeated, error = call("verify", answer["run"], "--features", file, "--jobs", 1)
    assert status == 0, error
    assert repeated["changed"] == 0
    status, everything, _ = call("run", "centred", "--features", file, *protocol[:3], "all", "--jobs", 1)
    assert sum(everything["test_counts"].values()) == 64


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("kn", ("--protocol", "actors-2", "--calibrate", "random:3"), "choose robust or centred"),
        ("centred", ("--calibrate", "random:3"), "study holds no speakers out"),
        ("centred", ("--protocol", "actors-2", "--calibrate", "happy:3"), "no calibration 'happy:3'"),
        ("centred", ("--protocol", "actors-2", "--calibrate", "neutral:2"), "neutral:2 needs 2 neutral clips"),
    ],
)
def test_clips_that_cannot_be_heard_before_are_refused(call, file, voices, monkeypatch, model, options, said):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, _, error = call("run", model, "--features", file, *options, "--jobs", 1)
    assert status == 2
    assert said in error


def test_an_unknown_condition_is_refused(call, file):
    status, _, error = call("run", "kn", "--features", file, "--heard", "smal", "--jobs", 1)
    assert status == 2
    assert "There is no condition 'smal'; there is quieter" in error


def test_train_then_predict_with_it(call, file, voices, own_workspace):
    status, answer, _ = call("train", "lr", "--features", file, "--jobs", 1)
    assert status == 0
    assert (own_workspace / "models" / "lr" / "card.md").is_file()
    clips = [voices / "Actor_01" / "03-01-05-01-01-01-01.wav", voices / "Actor_02" / "03-01-04-01-01-01-02.wav"]
    status, answer, _ = call("predict", *clips, "--model", "lr")
    assert status == 0
    assert [item["label"] for item in answer["predictions"]] == ["angry_male", "sad_female"]


def test_a_model_runs_on_the_functionals_of_ones_own_recordings(call, file, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, answer, error = call("run", "lr", "--features", file, "--preset", "functionals", "--jobs", 1)
    assert status == 0, error
    assert answer["preset"] == "functionals"
    assert answer["test_accuracy"] > 0.7


def test_functionals_of_the_shipped_clips_need_no_recording(call, monkeypatch):
    settings = Settings.from_environment()
    table = tables.read(settings.feature_table)
    monkeypatch.setenv("SER_DATA_DIR", "nowhere")
    seen = model_input.load(table, settings, features="functionals")
    assert (seen.version, seen.values.shape) == (functionals.VERSION, (2452, len(functionals.NAMES)))


@pytest.fixture(scope="module")
def functionals_file(voices, tmp_path_factory) -> str:
    """What `extract --features functionals` makes."""
    folder = tmp_path_factory.mktemp("functionals")
    arguments = ["extract", str(voices), "--out", str(folder / "F.parquet"), "--features", "functionals", "--jobs", "1"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SER_WORKSPACE", str(folder))
        assert main(arguments) == 0
    return str(folder / "F.parquet")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), {"preset": "functionals", "origin": "default"}),  # the parameters that suit them
        (("--preset", "default"), {"preset": "default", "origin": "default"}),
        (("--preset", "study"), {"preset": "study", "origin": "study", "preprocessing": "plain"}),
        (("--tune", 1, "--protocol", "actors-2"), {"preset": "functionals-tuned-inside", "origin": "nested"}),
    ],
)
def test_a_table_of_functionals_is_what_the_model_sees(call, functionals_file, monkeypatch, options, wanted):
    monkeypatch.setenv("SER_DATA_DIR", "nowhere")  # no recording is needed
    status, answer, error = call("run", "dt", "--features", functionals_file, "--jobs", 1, *options)
    assert status == 0, error
    recipe = answer["recipe"]
    assert recipe["features"] == "functionals"
    assert {name: recipe[name] for name in wanted} == wanted
    run = runs.get(answer["run"], Settings.from_environment().stores)
    assert run.versions.features == functionals.VERSION
    assert answer["test_accuracy"] > 0.7


def test_a_model_is_trained_on_a_table_of_functionals_and_predicts(call, functionals_file, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", "nowhere")
    status, _, error = call("train", "lr", "--features", functionals_file, "--jobs", 1)
    assert status == 0, error
    status, answer, _ = call("predict", voices / "Actor_01" / "03-01-05-01-01-01-01.wav", "--model", "lr")
    assert status == 0
    assert answer["predictions"][0]["label"] == "angry_male"


def test_a_study_takes_the_clips_of_a_table_of_functionals(call, functionals_file, voices, monkeypatch):
    """Their 180 features, on which it tunes, come from the recordings."""
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    options = ("--features", functionals_file, "--trials", 1, "--folds", 3, "--workers", 1)
    status, answer, error = call("tune", "kn", *options)
    assert status == 0, error
    assert answer["trials"] == {"complete": 1}


def test_a_preset_is_a_set_of_parameters_and_goes_with_any_features(call, file):
    status, answer, error = call(
        "run", "lr", "--features", file, "--preset", "default", "--preprocessing", "plain", "--jobs", 1
    )
    assert status == 0, error
    assert answer["recipe"]["preprocessing"] == "plain"
    assert registry.recipe("mlp", "study", features="functionals").features == "functionals"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "svm", "--features", "plp"), "no feature set 'plp'"),
        (("run", "svm", "--features", "frames"), "'svm' learns from tables of numbers, such as mean180, functionals"),
        (("run", "svm", "--features", "voices"), "'svm' does not learn from copies by speaker-perturbation"),
        (("run", "svm", "--augmentation", "echo"), "no augmentation 'echo'; there is none, "),
        (("run", "svm", "--preprocessing", "soft"), "no preprocessing 'soft'; there is plain and tailored"),
        (("run", "cnn", "--features", "functionals"), "'cnn' sees mean180, and not functionals"),
        (("run", "best", "--features", "functionals"), "'best' is made of saved runs, whose features it takes: leave"),
        (("extract", "nowhere", "--out", "x.parquet", "--features", "frames"), "frames is no table of numbers"),
        (("extract", "nowhere", "--out", "x.parquet", "--features", "plp"), "no feature set 'plp'"),
    ],
)
def test_a_feature_set_that_does_not_fit_is_one_clear_line(call, arguments, said):
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_a_workspace_that_cannot_be_made_is_named_before_any_work(call, file, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SER_WORKSPACE", str(tmp_path / "file" / "workspace"))
    monkeypatch.setattr("ser_core.experiments.run", lambda *_, **__: pytest.fail("it was run"))
    status, _, said = call("run", "kn", "--features", file)
    assert status == 2
    assert "Set SER_WORKSPACE" in said


@pytest.mark.parametrize("weight", ["1.5", "-0.1", "nan"])
def test_a_weight_that_is_no_share_is_refused_before_any_run_is_read(call, monkeypatch, weight):
    monkeypatch.setattr("ser_core.results.runs.list_all", lambda *_: pytest.fail("the runs were read"))
    monkeypatch.setattr("ser_core.features.tables.read", lambda *_: pytest.fail("the clips were read"))
    assert call("run", "v_cnn_vgg16", "--weight", weight) == (
        2,
        None,
        f"Error: --weight {weight} is out of bounds: give 0 to 1\n",
    )


def test_a_weight_is_taken_by_votes_of_two_runs_alone(call):
    status, _, said = call("run", "svm", "--weight", "0.5")
    assert status == 2
    assert "svm is no vote of two runs and takes no --weight. Such votes are " in said and "v_cnn_vgg16" in said


def test_parameters_are_looked_for_inside_each_fold(call, file):
    status, answer, error = call("run", "lr", "--features", file, "--protocol", "actors-4", "--tune", 2, "--jobs", 1)
    assert status == 0, error
    assert answer["preset"] == "tuned-inside"
    assert answer["run"].startswith("own-actors-4-lr-tuned-inside-")
    status, _, error = call("run", "lr", "--features", file, "--preset", "study", "--tune", 2)
    assert (status, error) == (2, "Error: --tune searches the parameters itself: leave out --preset study\n")


@pytest.mark.parametrize("command", ["run", "train"])
def test_without_tensorflow_a_network_is_refused_before_any_clip_is_read(call, file, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(model_input, "load", lambda *_, **__: pytest.fail("clips were read"))
    status, answer, error = call(command, "cnn", "--features", file)
    assert (status, answer) == (2, None)
    assert 'Error: Model cnn needs TensorFlow, which is not installed: pip install "ser-core[train]"' in error


def test_a_model_is_tested_on_another_corpus_compared_and_verified(call, file, elsewhere, own_workspace, capsys):
    arguments = ("run", "kn", "--features", file, "--test-on", elsewhere, "--jobs", 1)
    status, answer, error = call(*arguments)
    assert status == 0, error
    assert answer["run"].startswith(f"own-corpus-elsewhere-{answer['tested_on']['digest'][:8]}-kn-default-")
    assert (sum(answer["test_counts"].values()), answer["other_clips"]) == (8, 8)
    assert {"emotion_accuracy", "emotion_claimed", "shared_emotion_uar"} <= set(answer)
    assert (own_workspace / "runs" / answer["run"] / "predictions.parquet").is_file()
    assert main([str(one) for one in arguments]) == 0
    printed = capsys.readouterr().out
    assert "UAR among the emotions of the test" in printed
    assert "elsewhere: 8 clips of 2 emotions by 4 speakers (01, 02, 03, 04), in German" in printed
    status, table, _ = call("compare", "--protocol", answer["protocol"], "--kind", "emotion")
    assert (status, [row["run"] for row in table["runs"]]) == (0, [answer["run"]])
    assert table["runs"][0]["test_accuracy"] == answer["emotion_accuracy"]
    status, verified, error = call("verify", answer["run"], "--features", file, "--test-on", elsewhere, "--jobs", 1)
    assert (status, verified["predictions"], verified["changed"]) == (0, 8, 0), error
    status, _, error = call("verify", answer["run"], "--features", file)
    assert status == 2 and error.endswith("name the manifest or folder of these clips with --test-on\n")


def test_a_model_of_other_features_than_the_tables_says_that_it_takes_its_clips_alone(call, file, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, answer, error = call("run", "krr", "--preset", "functionals", "--features", file, "--jobs", 1)
    assert (status, answer["recipe"]["features"]) == (0, "functionals"), error
    assert f"krr learned from functionals, which were measured on the clips of {file}; the mean180 in it" in error


def test_without_genders_emotions_alone_are_scored(call, file, genderless, capsys):
    arguments = ("run", "kn", "--features", file, "--test-on", genderless, "--jobs", 1)
    status, answer, error = call(*arguments)
    assert status == 0, error
    assert answer["test_accuracy"] is None and answer["emotion_accuracy"] > 0
    assert main([str(one) for one in arguments]) == 0
    assert "8 clips of other emotions (boredom, calm) are in no score." in capsys.readouterr().out
    status, compared, _ = call("compare", "--protocol", answer["protocol"])
    assert (status, compared["kind"]) == (0, "emotion")
    status, _, error = call("compare", "--protocol", answer["protocol"], "--kind", "class")
    assert (status, error) == (
        2,
        "Error: The gender of some of these clips is not known, so no class can be scored. Score emotions: --kind "
        "emotion\n",
    )


def test_a_folder_of_a_corpus_whose_file_names_are_known_is_tested_on(call, file, elsewhere, tmp_path):
    for emotion, code in (("angry", "W"), ("Sad", "T"), ("boredom", "L")):
        for actor in range(5, 7):
            shutil.copy(elsewhere.with_name(f"{emotion}-{actor}.wav"), tmp_path / f"{actor + 8:02d}a01{code}a.wav")
    status, answer, error = call("run", "kn", "--features", file, "--test-on", tmp_path, "--jobs", 1)
    assert status == 0, error
    assert answer["tested_on"]["corpus"] == "emodb"
    assert answer["tested_on"]["speakers"] == ["13", "14"]
    assert (sum(answer["test_counts"].values()), answer["other_clips"]) == (4, 2)


@pytest.mark.parametrize("more", [("--protocol", "emobox"), ("--heard", "telephone")])
def test_a_test_on_another_corpus_is_a_protocol_of_its_own(call, file, elsewhere, more):
    status, _, error = call("run", "kn", "--features", file, "--test-on", elsewhere, *more)
    assert status == 2
    assert error == "Error: --test-on trains on all clips and tests on others: leave out --protocol and --heard\n"


def test_what_cannot_be_used_of_another_corpus_is_told(call, file, elsewhere):
    manifest = elsewhere.with_name("told.csv")
    manifest.write_text(elsewhere.read_text() + "gone.wav,09,angry,male,de\n")
    status, answer, error = call("run", "kn", "--features", file, "--test-on", manifest, "--jobs", 1)
    assert (status, sum(answer["test_counts"].values())) == (0, 8)
    assert "Left out gone.wav: line 18: there is no such file" in error


def test_no_run_on_another_corpus_yet_says_how_one_is_made(call):
    status, _, error = call("compare", "--protocol", "corpus-emodb-12345678")
    assert status == 2
    assert error.endswith(
        "no run under corpus-emodb-12345678 yet. Make one: python -m ser_core run MODEL --test-on MANIFEST\n"
    )


@pytest.fixture
def joined(voices, elsewhere, tmp_path, call) -> str:
    """A table of two corpora: RAVDESS' two emotions, and four of another, of which one is none of the eight."""
    call("index", voices, elsewhere, "--out", tmp_path / "joined.csv")
    status, answer, _ = call("extract", tmp_path / "joined.csv", "--out", tmp_path / "joined.parquet", "--jobs", "1")
    assert (status, answer["clips"]) == (0, 80)
    return str(tmp_path / "joined.parquet")


def test_any_emotions_are_learned_scored_and_compared(call, joined, capsys):
    status, answer, _ = call("run", "kn", "--features", joined, "--protocol", "loso", "--jobs", "1")
    assert status == 0
    assert answer["test_counts"] == {"angry": 36, "boredom": 4, "calm": 4, "sad": 36}
    assert answer["uar"] == answer["emotion_uar"]
    assert main(["run", "kn", "--features", joined, "--protocol", "loso", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "boredom" in shown
    assert "eight emotions" not in shown
    status, compared, _ = call("compare", "--protocol", "loso")
    (row,) = compared["runs"]
    assert (status, row["test_accuracy"]) == (0, answer["emotion_accuracy"])


def test_one_corpus_is_held_out_by_the_column_that_names_it(call, joined):
    status, answer, _ = call("run", "lr", "--features", joined, "--protocol", "split-corpus", "--jobs", "1")
    assert status == 0
    assert answer["test_counts"] == {
        "angry": 36,
        "sad": 36,
    }  # the others are learned in no fold in which they are tested


def test_predictions_know_the_16_classes_alone(call, joined):
    status, _, said = call("train", "kn", "--features", joined, "--jobs", "1")
    assert status == 2
    assert "4 of 'boredom'" in said


def test_seeds_of_any_emotions_are_not_called_eight(joined, capsys):
    options = ["--seeds", "2", "--features", joined, "--protocol", "loso", "--jobs", "1"]
    assert main(["run", "lr", *options]) == 0
    shown = capsys.readouterr().out
    assert "2 seeds" in shown and "eight emotions" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hier", "--protocol", "loso"), "'hier' tells women from men first"),
        (("svm", "--protocol", "actors-20"), "'actors-20' needs 20 speakers"),
    ],
)
def test_what_cannot_be_run_is_told_before_features_are_extracted(call, joined, monkeypatch, arguments, said):
    monkeypatch.setattr("ser_core.features.store.extract", lambda *_, **__: pytest.fail("features were extracted"))
    status, _, error = call("run", *arguments, "--features", joined)
    assert status == 2 and said in error


@pytest.fixture
def embedded(elsewhere, tmp_path) -> str:
    """A file of numbers by clip of the other corpus."""
    with elsewhere.open() as lines:
        stems = [line.partition(",")[0] for line in lines][1:]
    rows = [f"{stem},{place},{place % 3}" for place, stem in enumerate(stems)]
    (tmp_path / "numbers.csv").write_text("\n".join(["file,a,b", *rows]) + "\n")
    return str(tmp_path / "numbers.csv")


def test_own_features_of_ones_own_corpus(call, elsewhere, embedded, tmp_path):
    out = tmp_path / "own.parquet"
    status, answer, error = call("extract", elsewhere, "--features", embedded, "--out", out)
    assert (status, answer["clips"], answer["features"], answer["extracted"]) == (0, 16, 2, 0), error
    status, answer, error = call("run", "lr", "--features", out, "--protocol", "loso", "--jobs", 1)
    assert status == 0, error
    assert answer["recipe"]["features"].startswith("numbers.csv@")
    status, verified, error = call("verify", answer["run"], "--features", out, "--jobs", 1)
    assert (status, verified["changed"]) == (0, 0), error


def test_own_features_of_another_corpus_say_how_they_are_used(call, embedded):
    status, _, error = call("run", "kn", "--features", embedded, "--protocol", "loso")
    assert status == 2
    assert "missing (2,452 of 2,452)" in error
    assert f"python -m ser_core extract CORPUS --features {embedded} --out F.parquet" in error


def test_own_features_that_lack_the_clips_to_test_on_say_what_to_do(call, voices, elsewhere, embedded, tmp_path):
    out = tmp_path / "own.parquet"
    call("extract", elsewhere, "--features", embedded, "--out", out)
    status, _, error = call("run", "kn", "--features", out, "--test-on", voices)
    assert status == 2
    assert "holds no features of the clips of ravdess" in error and "--protocol split-corpus" in error


def test_gaps_by_a_column_of_ones_own_table(call, joined, file):
    call("run", "kn", "--features", joined, "--protocol", "loso", "--jobs", "1")
    status, answer, error = call("compare", "--protocol", "loso", "--by", "language", "--features", joined)
    assert status == 0, error
    assert {row["clips"] for row in answer["gaps"]} <= {16, 64}
    status, _, error = call("compare", "--protocol", "loso", "--by", "language")  # of the clips that ship
    assert status == 2 and "Name the table that they were run on: --features" in error


def test_a_property_that_is_the_same_of_all_clips_has_no_gap(call, file, joined, capsys):
    for table in (file, joined):
        assert call("run", "kn", "--features", table, "--protocol", "loso", "--jobs", "1")[0] == 0
    assert main(["compare", "--protocol", "loso", "--by", "corpus"]) == 0
    assert "Left out 1 runs: corpus is the same of all their clips" in capsys.readouterr().err
