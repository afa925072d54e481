import numpy as np
import pandas as pd
import pytest

from ser_core import corpus, evaluation, experiments
from ser_core.corpus.labels import EMOTION_NAMES, by_emotion, common_name, emotion_of
from ser_core.errors import ArtifactError, CorpusError, ModelError
from ser_core.results import comparison, differences, imported, run_titles, runs

PROTOCOL = "actors-4"


@pytest.fixture(scope="module")
def ours(table):
    return experiments.run("kn", table, protocol=PROTOCOL, jobs=1).run


@pytest.fixture
def predicted(ours) -> pd.DataFrame:
    """What a model elsewhere has predicted: clip, truth, and the probability of each emotion."""
    test = ours.part("test").sample(frac=1, random_state=0)
    given = pd.DataFrame(by_emotion(evaluation.probabilities(test)), columns=EMOTION_NAMES)
    known = {"clip": test["clip"].to_numpy(), "truth": test["truth"].map(emotion_of).to_numpy()}
    return pd.concat([pd.DataFrame(known), given], axis=1)


def read(predicted, table, tmp_path, **options):
    predicted.to_csv(tmp_path / "theirs.csv", index=False)
    return imported.read(tmp_path / "theirs.csv", table, PROTOCOL, **options)


def test_predictions_of_emotions_score_as_the_model_that_made_them(predicted, ours, table, tmp_path):
    run = read(predicted, table, tmp_path)
    for name in ("emotion_accuracy", "emotion_uar", "emotion_ua", "shared_emotion_uar"):
        assert run.scores[name] == pytest.approx(ours.scores[name])
    known = ["clip", "corpus", "speaker", "gender", "fold", "part"]
    first, second = (one.part("test").sort_values("clip")[known].reset_index(drop=True) for one in (run, ours))
    assert first.equals(second)
    assert (run.data_digest, run.clips, run.cv) == (ours.data_digest, len(table), False)


def test_of_emotions_alone_no_class_is_scored(predicted, table, tmp_path):
    run = read(predicted, table, tmp_path)
    assert evaluation.kinds(run.predictions) == ("emotion",)
    assert not {"test_accuracy", "uar", "log_loss"} & set(run.scores)


def test_predictions_of_classes_score_as_the_model_that_made_them(ours, table, tmp_path):
    run = read(ours.part("test"), table, tmp_path)  # our own form: the other columns are left out
    assert run.scores == pytest.approx(ours.scores)


def test_it_is_marked_as_imported_and_says_of_which_file(predicted, table, tmp_path):
    run = read(predicted, table, tmp_path, name="wav2vec2-large").own
    recipe = run.recipe
    assert (recipe.model, recipe.origin, run.family, run.mark) == ("imported:wav2vec2-large",) + ("imported",) * 3
    assert recipe.parameters["file"] == "theirs.csv" and len(recipe.parameters["sha256"]) == 64
    assert run.id.startswith("own-actors-4-imported-wav2vec2-large-default-")
    assert run_titles.titles([run], protocol=False) == {run.id: "wav2vec2-large (imported)"}


def test_another_file_is_another_run(predicted, table, tmp_path):
    first = read(predicted, table, tmp_path)
    predicted.loc[0, list(EMOTION_NAMES)] = [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert read(predicted, table, tmp_path).id != first.id


def test_it_is_saved_read_and_compared_like_any_other(predicted, ours, table, tmp_path):
    run = read(predicted, table, tmp_path)
    runs.save(run, tmp_path)
    (found,), unreadable = runs.read_own(tmp_path)
    assert not unreadable and found.predictions.equals(run.predictions)
    pair = differences.pair(found, ours, kind="emotion")
    assert (pair.clips, pair.only_first, pair.only_second, pair.p) == (64, 0, 0, 1.0)
    rows = comparison.table([found, ours], protocol=PROTOCOL, kind="emotion").set_index("family")
    assert rows.loc["imported", "test_accuracy"] == pytest.approx(rows.loc["classical", "test_accuracy"])
    assert np.isnan(rows.loc["imported", "seconds"])  # nobody here knows how long it took


def test_where_classes_are_scored_it_hides_no_other_run(predicted, ours, table, tmp_path):
    run = read(predicted, table, tmp_path)
    assert list(comparison.table([run, ours], protocol=PROTOCOL)["run"]) == [ours.id]
    with pytest.raises(ModelError, match="--kind emotion"):
        comparison.table([run], protocol=PROTOCOL)


@pytest.mark.parametrize("form", [".parquet", ";", "\t"])
def test_files_are_parquet_or_csv_of_any_separator(predicted, ours, table, tmp_path, form):
    file = tmp_path / "theirs"
    if form == ".parquet":
        predicted.to_parquet(file)
    else:
        predicted.to_csv(file, sep=form, index=False)
    assert imported.read(file, table, PROTOCOL).scores["emotion_uar"] == pytest.approx(ours.scores["emotion_uar"])


@pytest.mark.parametrize("written", ["/data/{path}", "{stem}.mp3", "C:\\clips\\{stem}.wav"])
def test_clips_are_named_by_stem_or_path(predicted, table, tmp_path, written):
    paths = table.set_index("stem")["path"]
    predicted["file"] = [written.format(path=paths[stem], stem=stem) for stem in predicted.pop("clip")]
    assert len(read(predicted, table, tmp_path).predictions) == 64


def test_emotions_without_a_column_have_no_probability(predicted, table, tmp_path):
    run = read(predicted[["clip", "truth", "angry", "sad"]], table, tmp_path)
    assert run.predictions[["p_calm_female", "p_happy_male"]].to_numpy().max() == 0


def changed(predicted, row, **cells):
    predicted.loc[row, list(cells)] = list(cells.values())
    return predicted


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda all: all.iloc[2:], "missing (2 of 64): {0}, {1}"),
        (lambda all: pd.concat([all, all.iloc[:1]]), "there twice (1): {0}"),
        (lambda all: pd.concat([all, all.iloc[:1].assign(clip="x.wav")]), "no test clips (1): x.wav"),
        (lambda all: changed(all, 1, truth="calm"), "of another truth (1): {1} is "),
        (lambda all: changed(all, 0, sad=np.nan), "probabilities that are no finite numbers (1): {0}"),
        (lambda all: changed(all, 0, sad=np.inf), "probabilities that are no finite numbers (1): {0}"),
        (lambda all: changed(all, 0, calm=-0.5), "negative probabilities (1): {0}"),
        (lambda all: changed(all, 1, calm=0.7), "probabilities that do not add up to 1 (1): {1}"),
        (lambda all: all.astype({"sad": object}).replace({"sad": {all["sad"][0]: "much"}}), "no finite numbers ("),
        (lambda all: all.rename(columns={"sad": "gloomy"}), "columns that are no emotions: gloomy. An emotion is one"),
        (lambda all: all.assign(Sadness=0.0), "two columns of sad"),
        (lambda all: all.drop(columns="truth"), "has no column truth"),
        (lambda all: all[["clip", "truth"]], "needs a column for each emotion"),
        (lambda all: all.assign(angry_female=0.0), "not both"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_clips(predicted, table, tmp_path, change, said):
    names = predicted["clip"].sort_values().tolist() if "missing" in said else predicted["clip"].tolist()
    if "missing" in said:
        predicted = predicted.set_index("clip").loc[names].reset_index()
    with pytest.raises(ArtifactError) as caught:
        read(change(predicted), table, tmp_path)
    assert said.format(*names) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_emotion_that_is_there_twice_is_named(predicted, table, tmp_path):
    with pytest.raises(CorpusError, match=r"theirs\.csv has the column 'sad' twice"):
        read(pd.concat([predicted, predicted["sad"]], axis=1), table, tmp_path)


def test_all_that_is_wrong_is_said_at_once(predicted, table, tmp_path):
    wrong = changed(changed(predicted, 0, sad=np.nan), 1, calm=0.7).iloc[:-1]
    with pytest.raises(ArtifactError, match=r"missing .*no finite numbers .*do not add up"):
        read(wrong, table, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file"),
        (b"\xff\xfe", "neither CSV in UTF-8 nor Parquet"),
        (b"PAR1 not really", "neither CSV in UTF-8 nor Parquet"),
        (b"name,truth,sad\na,sad,1\n", "has no column that names the clips: clip, stem, file or path. It has name"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(table, tmp_path, content, said):
    if content is not None:
        (tmp_path / "theirs.csv").write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        imported.read(tmp_path / "theirs.csv", table, PROTOCOL)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["a b", "../x", "x" * 61])
def test_a_name_is_a_files_name(predicted, table, tmp_path, name):
    with pytest.raises(ArtifactError, match="is no name for a model"):
        read(predicted, table, tmp_path, name=name)


def test_any_emotions_are_taken(elsewhere, tmp_path):
    clips = corpus.index(elsewhere).clips
    given = pd.DataFrame({"clip": clips["stem"], "truth": clips["emotion"]})
    for emotion in ("Anger", "sad", "boredom", "calm"):
        given[emotion] = np.where(clips["emotion"] == common_name(emotion), 0.7, 0.1)
    given.to_csv(tmp_path / "theirs.csv", index=False)
    run = imported.read(tmp_path / "theirs.csv", clips, "loso")
    assert evaluation.classes(run.predictions) == ("angry", "boredom", "calm", "sad")
    assert (run.scores["uar"], run.scores["emotion_uar"], run.has_classes) == (1.0, 1.0, True)
