"""The pages of the data with a corpus that is not RAVDESS."""

import pandas as pd
import pytest

from ser_core import corpus
from ser_core.corpus import manifest, registered
from ser_core.features import tables
from tests.app.pages import at, charts, open_app, texts, well, widget

PAGES = ("dataset", "sound", "features")


@pytest.fixture(autouse=True)
def no_ravdess(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "none"))


@pytest.fixture(scope="session")
def bored(elsewhere, tmp_path_factory) -> pd.DataFrame:
    """The features of 16 clips, of which some are of an emotion that is none of the eight."""
    return tables.extract(corpus.index(elsewhere), tmp_path_factory.mktemp("cache"), jobs=1).table


@pytest.fixture
def with_index(elsewhere, own_workspace):
    manifest.write([corpus.index(elsewhere)], registered.place("mine", own_workspace, ".csv"))


@pytest.fixture
def with_features(bored, own_workspace):
    tables.save(bored, registered.place("mine", own_workspace, ".parquet"))


def labels(app) -> set[str]:
    return {one.label for kind in (app.selectbox, app.multiselect) for one in kind}


@pytest.mark.parametrize("page", PAGES)
def test_where_there_is_ravdess_alone_nothing_is_to_be_chosen(app, page):
    at(app, page)
    assert "Corpus" not in labels(app)
    assert "corpus" not in app.query_params


@pytest.mark.parametrize("page", PAGES)
def test_ravdess_is_the_start(app, page, with_features):
    at(app, page)
    assert widget(app, "corpus-chosen").value == "ravdess"
    assert "corpus" not in app.query_params


def test_the_recordings_of_another_corpus(app, with_features):
    at(app, "dataset", corpus="mine")
    assert not app.error and not app.warning
    assert "mine: 16 clips" in texts(app) and "4 speakers, 4 emotions" in texts(app)
    assert labels(app) == {"Corpus", "Emotion", "Speaker", "Gender", "by", "and by"}
    assert "16 clips, 4 of each emotion." in charts(app)[0].alt
    assert widget(app, "view").options == ["Counts", "Duration"]
    assert {"Boredom", "Angry"} <= set(widget(app, "emotion").options)
    widget(app, "emotion").set_value(["boredom"]).run()
    well(app)
    assert list(app.dataframe[-1].value["speaker"]) == ["01", "02", "03", "04"]
    widget(app, "view").set_value("Duration").run()
    assert "Half of the clips lie below 1.3 s" in charts(well(app))[0].alt
    assert "second of silence" not in charts(app)[0].alt  # as only RAVDESS has


def test_a_clip_of_another_corpus_is_heard_and_compared(app, with_features):
    at(app, "sound", corpus="mine", clip="boredom-6")
    assert not app.error and not app.warning
    assert "Boredom by speaker 2, female" in texts(app)
    assert len(app.get("audio")) == 1
    assert {"Channel", "Intensity", "Sentence", "Repetition"}.isdisjoint(labels(app))
    app.button(key="pair-Angry").click().run()
    assert app.query_params["other"] == "angry-6"
    assert len(well(app).get("audio")) == 2
    widget(app, "clip-speaker").set_value("04").run()
    assert app.query_params["clip"] == "boredom-8"
    assert dict(app.query_params)["corpus"] == "mine"


def test_a_clip_of_another_corpus_is_heard_in_another_condition(app, with_features):
    at(app, "sound", corpus="mine", clip="boredom-6", heard="babble-10")
    assert not app.error
    assert len(app.get("audio")) == 2


def test_a_clip_that_another_corpus_has_not_is_named(app, with_features):
    at(app, "sound", corpus="mine", clip="03-01-05-01-01-01-02")
    assert "no clip '03-01-05-01-01-01-02' in mine" in app.warning[0].value.replace("\\", "")
    assert len(app.get("audio")) == 1


def test_a_recording_that_is_gone_leaves_the_page_whole(app, bored, own_workspace, tmp_path):
    gone = bored.copy()
    gone.attrs = bored.attrs | {tables.FOLDER: str(tmp_path / "gone")}
    tables.save(gone, registered.place("mine", own_workspace, ".parquet"))
    at(app, "sound", corpus="mine", clip="boredom-6")
    assert "no recording of it here" in app.info[0].value
    assert not app.error


def test_the_features_of_another_corpus(app, with_features):
    at(app, "features", corpus="mine")
    assert not app.error and not app.warning
    assert "16 clips, 180 features of each" in texts(app)
    assert "of the same speaker" in texts(app) and "actor" not in texts(app)
    for view in widget(app, "view").options:
        widget(app, "view").set_value(view).run()
        assert charts(well(app)) and not app.error
    assert widget(app, "view").options[-1] == "How many numbers"


def test_features_of_another_set_are_shown_without_the_words_for_ours(app, bored, own_workspace):
    names = [f"embedding_{place}" for place in range(5)]
    own = bored.drop(columns=[name for name in bored.select_dtypes("float32")][5:])
    own.columns = [*own.columns[:-5], *names]
    own.attrs = {tables.VERSION: "own.csv@0123456789ab", tables.FOLDER: bored.attrs[tables.FOLDER]}
    tables.save(own, registered.place("mine", own_workspace, ".parquet"))
    at(app, "features", corpus="mine")
    assert "16 clips, 5 features of each" in texts(app)
    assert "Energy by pitch" not in widget(app, "view").options
    for view in widget(app, "view").options:
        widget(app, "view").set_value(view).run()
        assert charts(well(app)) and not app.error


def foot(app) -> str:
    return app.sidebar.caption[-1].value.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_the_foot_cites_the_corpus_that_is_shown(app, page, with_features):
    assert "Livingstone" in foot(at(app, page))
    assert foot(at(app, page, corpus="mine")).startswith("elsewhere: one's own recordings, added by those who run")
    assert "Livingstone" not in foot(app)
    app.query_params.clear()
    assert "Livingstone" in foot(at(app, "glossary"))


@pytest.mark.parametrize(
    ("named", "cited"),
    [
        ("emodb", ["Berlin Database of Emotional Speech (Burkhardt et al. 2005)", "https://doi.org/10.21437/"]),
        ("crema-d", ["(Cao et al. 2014)", "https://doi.org/10.1109/"]),
        ("tess", ["(Pichora-Fuller and Dupuis 2020)", "https://doi.org/10.5683/"]),
        ("savee", ["(Haq and Jackson 2010)", "https://doi.org/10.4018/"]),
        ("ravdess", ["Livingstone & Russo (2018)", "CC BY-NC-SA 4.0"]),
    ],
)
def test_a_known_corpus_is_cited_under_whatever_name_it_is_registered(app, named, cited, elsewhere, own_workspace):
    found = corpus.index(elsewhere)
    found.clips["corpus"] = named
    manifest.write([found], registered.place("mine", own_workspace, ".csv"))
    assert all(words in foot(at(app, "dataset", corpus="mine")) for words in cited)
    assert ("Livingstone" in foot(app)) == (named == "ravdess") and "one's own" not in foot(app)


def test_of_several_corpora_each_is_cited(app, elsewhere, voices, own_workspace):
    both = [corpus.index(elsewhere), corpus.index(voices)]
    manifest.write(both, registered.place("both", own_workspace, ".csv"))
    said = foot(at(app, "dataset", corpus="both"))
    assert "Livingstone" in said and "elsewhere: one's own recordings" in said


def test_where_ravdess_is_shown_in_place_of_another_corpus_it_is_cited(app, own_workspace):
    file = registered.place("mine", own_workspace, ".csv")
    file.parent.mkdir(parents=True)
    file.write_text("file,speaker\na.wav,1\n")
    assert "Livingstone" in foot(at(app, "dataset", corpus="mine"))


def test_speakers_of_two_corpora_with_the_same_ids_are_told_apart(app, elsewhere, voices, own_workspace):
    both = [corpus.index(elsewhere), corpus.index(voices)]
    manifest.write(both, registered.place("both", own_workspace, ".csv"))
    at(app, "dataset", corpus="both")
    assert "80 clips.** 8 speakers" in texts(app)
    assert "Speaker ravdess 01" in widget(app, "speaker").options
    assert "Corpus" in labels(app) and not app.error
    at(app, "sound", corpus="both")
    assert charts(app) and not app.error


def test_where_only_an_index_exists_the_command_for_features_is_said(app, with_index, own_workspace):
    for page in ("dataset", "sound"):
        at(app, page, corpus="mine")
        assert charts(app) and not app.error
    at(app, "features", corpus="mine")
    made = own_workspace / "corpora" / "mine.csv"
    assert app.code[0].value == f"python -m ser_core extract workspace/corpora/{made.name} --name mine"
    assert not charts(app) and not app.error


def test_speakers_of_unknown_gender_are_shown_without_it(app, genderless, own_workspace):
    manifest.write([corpus.index(genderless)], registered.place("mine", own_workspace, ".csv"))
    for page in ("dataset", "sound"):
        at(app, page, corpus="mine")
        assert charts(app) and not app.error
        assert "Gender" not in labels(app)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("content", ["file,speaker\na.wav,1\n", "file,speaker,emotion\ngone.wav,1,sad\n", "\xff"])
def test_a_broken_manifest_is_one_clear_line_and_ravdess_is_shown(app, page, content, own_workspace):
    file = registered.place("mine", own_workspace, ".csv")
    file.parent.mkdir(parents=True)
    file.write_bytes(content.encode("latin-1"))
    at(app, page, corpus="mine")
    (error,) = app.error
    assert error.value.startswith("mine cannot be shown") and "RAVDESS is shown" in error.value
    assert charts(app)


def test_a_damaged_table_is_one_clear_line_and_ravdess_is_shown(app, own_workspace):
    file = registered.place("mine", own_workspace, ".parquet")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no table")
    at(app, "features", corpus="mine")
    assert "cannot be read as a feature table" in app.error[0].value.replace("\\", "")
    assert charts(app)


@pytest.mark.parametrize("page", PAGES)
def test_an_entry_that_is_no_file_is_named_and_the_others_are_shown(app, page, with_features, own_workspace):
    (own_workspace / "corpora" / "theirs.csv").mkdir()
    (own_workspace / "corpora" / "loop.parquet").symlink_to("loop.parquet")
    at(app, page, corpus="mine")
    told = [one.value.replace("\\", "") for one in app.warning]
    assert [words.partition(" cannot")[0] for words in told] == ["Corpus loop.parquet", "Corpus theirs.csv"]
    assert all("Move it out of the folder corpora of the workspace" in words for words in told)
    assert charts(app) and not app.error and widget(app, "corpus-chosen").options == ["RAVDESS", "mine"]


def test_where_nothing_else_is_registered_it_is_named_beside_ravdess(app, own_workspace):
    (own_workspace / "corpora" / "theirs.csv").mkdir(parents=True)
    at(app, "dataset")
    (told,) = app.warning
    assert "it is a folder" in told.value and "RAVDESS: 2,452 clips" in texts(app)


@pytest.mark.parametrize("name", ["", "other", "../mine", "/etc/passwd"])
def test_a_corpus_that_is_not_registered_is_never_looked_for(app, name, with_features):
    at(app, "dataset", corpus=name)
    assert "RAVDESS: 2,452 clips" in texts(app)
    assert "corpus" not in app.query_params


def test_the_choice_is_in_the_address_and_goes_along_to_other_pages(app, with_features):
    at(app, "dataset")
    widget(app, "corpus-chosen").set_value("mine").run()
    assert well(app).query_params["corpus"] == "mine"
    assert "16 clips, 4 of each emotion" in charts(app)[0].alt
    app.query_params.clear()
    app.switch_page("pages/features.py").run()
    assert "16 clips" in texts(well(app))
    assert app.query_params["corpus"] == "mine"
    widget(app, "corpus-chosen").set_value("ravdess").run()
    assert "Each clip is 180 numbers" in texts(well(app))
    app.query_params.clear()
    app.switch_page("pages/dataset.py").run()
    assert "RAVDESS: 2,452 clips" in texts(well(app))


def test_what_was_chosen_of_one_corpus_holds_for_another_that_has_it(app, with_features):
    at(app, "dataset", view="Loudness", rows="channel", columns="statement", channel="Song", emotion="Sad")
    widget(app, "corpus-chosen").set_value("mine").run()
    well(app)
    assert "4 clips, all of one emotion: Sad" in charts(app)[0].alt
    assert widget(app, "emotion").value == ["sad"]
    assert widget(app, "view").value == "Counts" and widget(app, "rows").value == "emotion"
    widget(app, "corpus-chosen").set_value("ravdess").run()
    assert "of one emotion: Sad" in charts(well(app))[0].alt


def test_a_clip_of_one_corpus_is_not_looked_for_in_another(app, with_features):
    at(app, "sound", clip="03-01-05-02-01-01-12", other="03-01-04-02-01-01-12")
    widget(app, "corpus-chosen").set_value("mine").run()
    assert not well(app).warning and not app.error
    assert len(app.get("audio")) == 1
    assert not app.query_params["clip"].startswith("03-")


def test_a_link_to_a_clip_of_ravdess_opens_it_whatever_was_chosen(app, with_features):
    at(app, "dataset", corpus="mine")
    app.query_params.clear()
    at(app, "sound", clip="03-01-05-02-01-01-12")
    assert "by actor 12" in texts(app)


def test_a_changed_index_is_read_again_and_its_older_features_are_told(app, with_features, elsewhere, own_workspace):
    at(app, "dataset", corpus="mine")
    found = corpus.index(elsewhere)
    found.clips["emotion"] = found.clips["emotion"].replace("boredom", "tired")
    manifest.write([found], registered.place("mine", own_workspace, ".csv"))
    other = at(open_app(), "dataset", corpus="mine")
    assert "Tired" in widget(other, "emotion").options
    assert "has been changed since" in at(other, "features", corpus="mine").warning[0].value


def test_emodb_is_shown_on_all_three_pages(app, emodb, own_workspace):
    manifest.write([corpus.index(emodb)], registered.place("emodb", own_workspace, ".csv"))
    at(app, "dataset", corpus="emodb")
    assert {"Text", "Version"} <= labels(app)
    assert "Boredom" in charts(app)[0].spec
    at(app, "sound", corpus="emodb", clip="03a01Fa")
    assert "Happy by speaker 3, male" in texts(app)
    assert "extract" in at(app, "features", corpus="emodb").code[0].value
