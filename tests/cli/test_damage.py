"""On the command line, whatever a file that is read has become: one clear line names it and the way out."""

import json
import shutil

import numpy as np
import pytest

from ser_core.classroom.rules import Store
from ser_core.cli import health, main
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.prediction import model_store
from ser_core.settings import ARTIFACTS
from tests.damage import DAMAGES, House, another, shipped_run, spoil

LISTED, NETWORK = shipped_run("luna-jimenez", "mlp"), shipped_run("study", "cnn")
CLIP = str(next((ARTIFACTS / "clips").glob("*.flac")))

# What is damaged, the command that reads it, and where else it is named.
REFUSED = {
    "manifest.json": ["predict", CLIP, "--model", "cnn"],
    "models/krr/model.skops": ["predict", CLIP, "--model", "krr"],
    "models/cnn/network.npz": ["predict", CLIP, "--model", "cnn"],
    "models/cnn/card.md": ["predict", CLIP, "--model", "cnn"],
    "presets/kn/tuned.json": ["run", "kn", "--preset", "tuned", "--jobs", "1"],
    "studies.sqlite": ["preset", "kn-ours-study5-tpe-median-s9"],
    "features/mean180.parquet": ["run", "kn", "--jobs", "1"],
}
DOCTORED = {  # by which of the doctor's checks
    "manifest.json": health._models,
    "models/krr/model.skops": health._models,
    "models/cnn/network.npz": health._models,
    "presets/kn/tuned.json": health._presets,
    f"runs/{LISTED}/run.json": health._runs,
    f"runs/{LISTED}/predictions.parquet": health._runs,
    f"runs/{NETWORK}/curves.parquet": health._runs,
    "studies.sqlite": health._studies,
    "features/mean180.parquet": health._tables,
    "features/maps.parquet": health._tables,
    "features/prosody.parquet": health._tables,
    "features/functionals.parquet": health._tables,
    "features/speaking.parquet": health._tables,
    "features/speakers.parquet": health._tables,
    "explanations.json": health._tables,
    "voices.parquet": health._tables,
}
MAY_BE_MISSING = ("presets/kn/tuned.json", "explanations.json", f"runs/{NETWORK}/curves.parquet", "studies.sqlite")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture(autouse=True)
def moved_in(house, monkeypatch):
    house.move_in(monkeypatch)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_a_damaged_file_is_refused_in_one_line(house, call, name, damage):
    with house.damaged(name, damage):
        status, answer, said = call(*REFUSED[name])
    assert (status, answer) == (2, None)
    assert "Traceback" not in said
    last = said.strip().splitlines()[-1]
    assert last.startswith("Error: "), said
    if damage != "missing":
        assert name.rpartition("/")[2] in said or "model" in last, said
        assert any(way in last for way in ("git checkout", "python -m ser_core", "elete it")), last


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", DOCTORED)
def test_the_doctor_names_it_and_sees_all_else(house, settings, monkeypatch, name, damage):
    read = model_store.read_all
    few = ("krr", "cnn")  # loading all takes seconds
    monkeypatch.setattr(
        model_store, "read_all", lambda stores: ([one for one in read(stores)[0] if one.key in few], read(stores)[1])
    )
    with house.damaged(name, damage):
        found = DOCTORED[name](settings)
        others = [check(settings) for check in (health._presets, health._studies) if check is not DOCTORED[name]]
    bad = [one for one in (found if isinstance(found, list) else [found]) if not one.ok]
    assert all(one.ok for one in others)
    if damage == "missing" and name in MAY_BE_MISSING:
        assert not bad
        return
    (one,) = bad
    assert any(way in one.says for way in ("git checkout", "make study", "python -m ser_core"))
    assert "\n" not in one.says
    if damage != "missing":
        assert name.split("/")[-1] in one.says or name.split("/")[1] in one.says


@pytest.mark.parametrize("damage", ["empty", "cut off", "garbage", "a folder", "not readable"])
def test_the_doctor_names_damaged_classes(settings, damage):
    settings.workspace.mkdir()
    file = settings.workspace / "classes.sqlite"
    assert health._classes(settings).ok
    Store(file).close()
    assert health._classes(settings).ok
    spoil(file, damage)
    found = health._classes(settings)
    assert not found.ok and "classes.sqlite, cannot be used" in found.says and "\n" not in found.says


def test_the_doctor_asks_them_all(settings):
    names = {one.name for one in health.check(settings)}
    assert {"tables", "runs", "presets", "studies", "classes", "jobs", "model cnn (shipped)"} <= names


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["run.json", "predictions.parquet"])
def test_a_damaged_run_is_named_beside_all_others(house, call, name, damage):
    whole = len(call("compare", "--protocol", "luna-jimenez")[1]["runs"])
    with house.damaged(f"runs/{LISTED}/{name}", damage):
        status, answer, said = call("compare", "--protocol", "luna-jimenez")
    assert status == 0
    (one,) = answer["unreadable"]
    assert one["run"] == LISTED and one["shipped"]
    assert len(answer["runs"]) == whole - 1
    assert f"Run {LISTED} cannot be read" in said and f"git checkout artifacts/runs/{LISTED}" in said


ODD_ENTRIES = {
    "nothing": {},
    "a list": [],
    "a word": "robust",
    "no recipe": {"recipe": None},
    "odd files": {"files": 3},
    "odd scores": {"scores": {"test_accuracy": "much"}},
    "no scores": {"scores": {}},
    "odd members": {"members": {"cnn": 3}},
    "an odd recipe": {"recipe": {"model": "cnn"}},
    "odd labels": {"labels": "happy"},
    "an unknown field": {"mood": "good"},
}


@pytest.mark.parametrize("odd", ODD_ENTRIES)
def test_an_odd_entry_of_the_manifest_hides_no_other(house, call, settings, odd):
    file = house.artifacts / "manifest.json"
    manifest = json.loads(file.read_text())
    entry = ODD_ENTRIES[odd]
    if isinstance(entry, dict) and entry:  # one field of it
        entry = manifest["models"]["robust"] | entry
    manifest["models"]["robust"] = entry
    with house.damaged("manifest.json", "missing"):
        file.write_text(json.dumps(manifest))
        found, (one,) = model_store.read_all(settings.stores)
        assert {"cnn", "v4", "best"} <= {entry.key for entry in found}
        assert (one.id, one.shipped) == ("robust", True)
        status, _, said = call("predict", CLIP, "--model", "robust")
        assert status == 2 and "Model robust cannot be read: in manifest.json" in said and "git checkout" in said
        assert call("predict", CLIP, "--model", "cnn")[0] == 0


@pytest.mark.parametrize("damage", DAMAGES[1:])
def test_an_own_manifest_that_is_damaged_is_named_and_what_ships_is_used(call, own_workspace, caplog, damage):
    own_workspace.mkdir()
    manifest = own_workspace / "manifest.json"
    manifest.write_text('{"models": {}}')
    spoil(manifest, damage)
    assert call("predict", CLIP, "--model", "cnn")[0] == 0
    assert "manifest.json cannot be read" in caplog.text
    status, _, said = call("predict", CLIP, "--model", "svm")
    assert status == 2 and "manifest.json cannot be read" in said


@pytest.mark.parametrize("damage", DAMAGES[1:])
def test_an_own_preset_that_is_damaged_is_not_replaced_by_the_one_that_ships(call, own_workspace, damage):
    own = own_workspace / "presets" / "kn" / "tuned.json"
    own.parent.mkdir(parents=True)
    shutil.copy(ARTIFACTS / "presets" / "kn" / "tuned.json", own)
    spoil(own, damage)
    status, _, said = call("run", "kn", "--preset", "tuned", "--jobs", "1")
    assert status == 2 and "Preset kn/tuned cannot be read" in said and "save it anew" in said


@pytest.mark.parametrize("damage", DAMAGES[1:])
def test_own_studies_that_are_damaged_are_named(call, own_workspace, file, damage):
    own_workspace.mkdir()
    own = own_workspace / "studies.sqlite"
    shutil.copy(ARTIFACTS / "studies.sqlite", own)
    spoil(own, damage)
    content = own.read_bytes() if own.is_file() else None
    if damage != "of another kind":  # in which Optuna makes its tables beside those that are there
        for command in (["preset", "my-study"], ["tune", "kn", "--trials", "1", "--features", file]):
            status, _, said = call(*command)
            assert status == 2 and "studies.sqlite cannot be used" in said, said
        assert (own.read_bytes() if own.is_file() else None) == content  # nothing was lost in silence


class NoModel:
    pass


OTHERS = {  # with the digest that the manifest gives
    "empty": b"",
    "garbage": bytes(range(256)) * 16,
    "a list": "dump [1, 2]",
    "a dict": "dump {'model': 3}",
    "a word": "dump 'model'",
    "None": "dump None",
    "an array": np.zeros(3),
    "an unfitted model": EmotionClassifier(None),
    "another estimator": "tree",
    "a cut-off zip": "cut",
    "another zip": "zip",
    "text": b"model",
}


def content_of(what) -> bytes:
    import zipfile
    from io import BytesIO

    import skops.io
    from sklearn.tree import DecisionTreeClassifier

    whole = (ARTIFACTS / "models" / "krr" / "model.skops").read_bytes()
    if isinstance(what, bytes):
        return what
    if isinstance(what, str):
        if what.startswith("dump "):
            return skops.io.dumps(eval(what.removeprefix("dump ")))
        if what == "tree":
            return skops.io.dumps(DecisionTreeClassifier().fit([[0], [1]], [0, 1]))
        if what == "cut":
            return whole[: len(whole) // 2]
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as zipped:
            zipped.writestr("schema.json", '{"protocol": 2, "__class__": "int"}')
        return content.getvalue()
    return skops.io.dumps(what)


@pytest.mark.parametrize("kind", ["model.skops", "network.npz"])
@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_model_is_one_clear_line_though_its_digest_is_right(house, call, kind, what):
    import hashlib

    key = "krr" if kind == "model.skops" else "cnn"
    content = content_of(OTHERS[what])
    manifest = json.loads((house.artifacts / "manifest.json").read_text())
    manifest["models"][key]["files"][kind] = hashlib.sha256(content).hexdigest()
    with house.damaged("manifest.json", "missing"), house.damaged(f"models/{key}/{kind}", "missing") as file:
        (house.artifacts / "manifest.json").write_text(json.dumps(manifest))
        file.write_bytes(content)
        status, _, said = call("predict", CLIP, "--model", key)
    assert status == 2, said
    (line,) = said.strip().splitlines()
    assert line.startswith(f"Error: Model {key}") and "git checkout" in line


def test_each_kind_of_file_has_another_to_be_taken_for(tmp_path):
    for name in REFUSED | DOCTORED:
        assert another(tmp_path / name)


def test_main_gives_two_for_what_is_damaged(house, capsys):
    with house.damaged("manifest.json", "garbage"):
        assert main(["predict", CLIP]) == 2
    assert "Traceback" not in capsys.readouterr().err
