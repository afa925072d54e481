"""On pages, whatever a file that is read has become: it is named where it would stand, and all else is shown."""

import hashlib
import json
import shutil

import pytest
import streamlit as st

from ser_core.classroom.rules import Store
from ser_core.models import registry
from ser_core.settings import ARTIFACTS
from ser_core.tuning import descriptions
from tests.app.pages import at, charts, texts, well
from tests.damage import DAMAGES, House, shipped_run, spoil
from tests.job_folders import put_job
from tests.jobs.test_jobs import ODD_STATES

CLIP = "03-01-01-01-01-01-04"  # ships
UNHEARD = shipped_run("emobox", "v4")
NETWORK = shipped_run("study", "cnn")
STUDY = descriptions.title("kn-ours-study5-tpe-median-s9")  # as addresses have it
CNN, KRR = ({"clip": CLIP, "model": registry.get(key).name} for key in ("cnn", "krr"))

# What is damaged, the page that shows it, as what it is named there, and what is shown all the same.
SHOWN = {
    "manifest.json": ("predict", {}, "manifest.json", "Hear an emotion"),
    "models/cnn/network.npz": ("predict", CNN, "Model cnn: network.npz", "Hear an emotion"),
    "models/krr/model.skops": ("predict", KRR, "Model krr: model.skops", "Hear an emotion"),
    "explanations.json": ("predict", KRR | {"why": "true"}, "explanations.json", "Where this take stands"),
    "features/speaking.parquet": ("predict", KRR | {"why": "true"}, "speaking.parquet", "Hear an emotion"),
    "presets/kn/tuned.json": ("tune", {"study": STUDY}, "Preset kn/tuned", "Its name on the command line"),
    "studies.sqlite": ("tune", {}, "studies.sqlite", "A model has *parameters*"),
    f"runs/{UNHEARD}/run.json": ("overview", {}, UNHEARD, "What the study did"),
    f"runs/{UNHEARD}/predictions.parquet": ("honest", {}, UNHEARD, "The same clips, recorded otherwise"),
    f"runs/{NETWORK}/curves.parquet": ("train", {}, NETWORK, "A network learns in *epochs*"),
    f"runs/{NETWORK}/run.json": ("compare", {}, NETWORK, "Side by side"),
    "features/speakers.parquet": ("honest", {}, "speakers.parquet", "The same clips, recorded otherwise"),
    "voices.parquet": ("honest", {}, "voices.parquet", "When it says that it cannot tell"),
    "features/mean180.parquet": ("features", {}, "mean180.parquet", ""),
    "features/maps.parquet": ("dataset", {}, "maps.parquet", ""),
    "features/prosody.parquet": ("dataset", {}, "prosody.parquet", ""),
}
MAY_BE_MISSING = ("manifest.json", "explanations.json", "presets/kn/tuned.json", "studies.sqlite")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture(autouse=True)
def fresh(house, monkeypatch):
    """A server that has read nothing yet."""
    house.move_in(monkeypatch)
    forget()
    yield
    forget()


@pytest.fixture
def app(app):
    app.default_timeout = 300  # each test reads and scores everything anew
    return app


def forget():
    st.cache_resource.clear()
    st.cache_data.clear()


def told(app) -> str:
    """What is said to be wrong, without the signs of Markdown's escapes."""
    return " ".join(one.value for one in (*app.error, *app.warning)).replace("\\", "")


def everything(app) -> str:
    heads = [one.value for kind in ("header", "subheader") for one in app.get(kind)]
    return " ".join([texts(app), *heads])


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", SHOWN)
def test_it_is_named_and_the_rest_of_the_page_is_shown(app, house, name, damage):
    page, query, named, shown = SHOWN[name]
    if page == "predict" and query:
        query = {"source": "Example"} | query
    is_gone = damage == "missing" and (name in MAY_BE_MISSING or name.endswith("curves.parquet"))
    with house.damaged(name, damage):
        at(app, page, **query)
    if is_gone:
        return
    assert named in told(app), told(app)
    assert any(way in told(app) for way in ("git checkout", "make study", "python -m ser_core")), told(app)
    assert shown in everything(app)


@pytest.mark.parametrize("entry", [{}, [], 3, {"name": "x"}], ids=str)
def test_an_odd_entry_of_the_manifest_leaves_the_other_models(app, house, entry):
    file = house.artifacts / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["models"]["krr"] = entry
    with house.damaged("manifest.json", "missing"):
        file.write_text(json.dumps(manifest))
        at(app, "predict", source="Example", **CNN)
    assert "Model krr cannot be read" in told(app)
    assert charts(app)


@pytest.mark.parametrize("file", ["krr/model.skops", "cnn/network.npz"])
@pytest.mark.parametrize("content", [b"", b"model", bytes(range(256)) * 16], ids=["empty", "text", "garbage"])
def test_what_is_no_model_is_one_clear_line_though_its_digest_is_right(app, house, file, content):
    manifest = json.loads((house.artifacts / "manifest.json").read_text())
    key, _, name = file.partition("/")
    manifest["models"][key]["files"][name] = hashlib.sha256(content).hexdigest()
    with house.damaged("manifest.json", "missing"), house.damaged(f"models/{file}", "missing") as odd:
        (house.artifacts / "manifest.json").write_text(json.dumps(manifest))
        odd.write_bytes(content)
        at(app, "predict", source="Example", **(KRR if key == "krr" else CNN))
    (line,) = [one.value for one in app.error]
    assert f"Model {key}" in line and "git checkout" in line
    assert "Hear an emotion" in everything(app)


@pytest.mark.parametrize("page", ["overview", "dataset", "sound", "predict", "tune", "train", "jobs"])
@pytest.mark.parametrize("odd", ["an unknown status", "garbage", "odd progress"])
def test_an_odd_job_takes_no_page_down(app, settings, page, odd):
    whole = put_job(settings, ["tune", "svm"], status="done")
    job = put_job(settings, ["train", "cnn"], status="done")
    (job.folder / "state.json").write_text(ODD_STATES.get(odd, "\x00garbage"))
    at(app, page)
    assert not [one for one in app.sidebar.get("error")]
    if page == "jobs":
        said = texts(app).replace("\\", "")
        assert "cannot be read" in said and "state.json" in said and whole.id in said
        app.button(key=f"page-delete-{job.id}").click().run()
        well(app)
        assert not job.folder.exists() and whole.folder.exists()


def test_a_training_with_odd_events_is_shown(app, settings):
    job = put_job(settings, ["train", "cnn"], status="stopped")
    (job.folder / "events.jsonl").write_bytes(b'{"kind": "epoch"}\n[]\n\xff\xfe\n{"kind": "epoch", "epoch": "x"}\n')
    at(app, "train")
    assert "It was stopped" in texts(app)


def test_a_study_whose_start_was_cut_off_is_named_with_the_way_out(app, settings):
    import optuna

    settings.workspace.mkdir()
    url = f"sqlite:///{settings.workspace}/studies.sqlite"
    optuna.create_study(study_name="mlp-ours-study5-tpe-median-s1", storage=url)
    at(app, "tune", study=STUDY)
    assert "Study mlp-ours-study5-tpe-median-s1 cannot be read: the study lacks" in told(app)
    assert "python -m ser_core tune mlp" in told(app)
    assert "Its name on the command line" in texts(app)


@pytest.mark.parametrize("damage", DAMAGES[1:])
def test_own_studies_that_are_damaged_leave_those_that_ship(app, settings, damage):
    settings.workspace.mkdir()
    own = settings.workspace / "studies.sqlite"
    shutil.copy(ARTIFACTS / "studies.sqlite", own)
    spoil(own, damage)
    at(app, "tune", study=STUDY)
    if damage != "of another kind":
        assert "studies.sqlite cannot be used" in told(app)
    assert "Its name on the command line" in texts(app)


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES[1:] if damage != "of another kind"])
def test_damaged_classes_are_named_where_classes_are_and_logged_once(app, settings, caplog, damage):
    file = settings.workspace / "classes.sqlite"
    settings.workspace.mkdir()
    Store(file).close()
    spoil(file, damage)
    for page in ("teach", "join"):
        at(app, page)
        assert "classes.sqlite, cannot be used" in told(app)
        assert ("restore it" if damage in ("empty", "cut off", "garbage") else "see that its folder") in told(app)
    at(app, "glossary")
    assert not told(app) and "Words" in texts(app)
    assert caplog.text.count("Classes cannot be tidied") == (damage != "not readable")  # which looks as if it were gone


@pytest.mark.parametrize("damage", DAMAGES[1:])
@pytest.mark.parametrize("name", ["run.json", "predictions.parquet"])
def test_an_own_run_that_is_damaged_is_named(app, settings, name, damage):
    folder = settings.workspace / "runs" / "own-odd"
    shutil.copytree(ARTIFACTS / "runs" / NETWORK, folder)
    spoil(folder / name, damage)
    at(app, "compare")
    assert "Run own-odd cannot be read" in told(app) and "Delete it and run it again" in told(app)
    assert charts(app)
