"""Bundles: what is written is opened the same elsewhere, and what is hostile is refused by name."""

import dataclasses
import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError
from ser_core.prediction import model_store
from ser_core.results import bundles, comparison, run_titles, runs
from ser_core.results.runs import Tables
from tests import made_runs

GOOD, OTHER = "own-kn-1", "own-mlp-2"


def made(run_id, model, seed):
    run = made_runs.run(made_runs.by_chance(seed), model, id=run_id, shipped=False)
    rows = run.predictions.astype(dict.fromkeys(evaluation.PROBABILITY_COLUMNS, "float32"))
    made = "2026-01-01T00:00:00+00:00"
    return dataclasses.replace(run, tables=Tables(rows), scores=evaluation.scores(rows), made=made)


@pytest.fixture(scope="module")
def pair():
    return [made(GOOD, "kn", 1), made(OTHER, "mlp", 2)]


@pytest.fixture(scope="module")
def written(pair, tmp_path_factory):
    file = tmp_path_factory.mktemp("bundle") / "theirs.zip"
    bundles.write(pair, file)
    return file


@pytest.fixture
def bundle(written, tmp_path):
    return Path(shutil.copy(written, tmp_path))


@pytest.fixture
def stores(tmp_path):
    """Nothing that ships, and the workspace of somebody else."""
    return tmp_path / "shipped", tmp_path / "second"


def changed(bundle, **contents) -> None:
    """Write a bundle anew; `contents` are functions of the bytes of the files of the first run, or None to leave one
    out. The digest of changed predictions is set, as somebody hostile would do."""
    with zipfile.ZipFile(bundle) as zipped:
        everything = {name: zipped.read(name) for name in zipped.namelist()}
    for part, change in contents.items():
        name = f"runs/{GOOD}/" + {"record": "run.json", "predictions": "predictions.csv", "curves": "curves.csv"}[part]
        everything[name] = change(everything.get(name)) if change else None
        if part == "predictions" and change:
            record = json.loads(everything[f"runs/{GOOD}/run.json"])
            record["predictions_digest"] = bundles._digest(everything[name])
            everything[f"runs/{GOOD}/run.json"] = json.dumps(record).encode()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in everything.items():
            if content is not None:
                zipped.writestr(name, content)


def with_fields(**fields):
    """A change of `run.json`: `recipe__model` is a field of the recipe."""

    def change(content):
        record = json.loads(content)
        for name, value in fields.items():
            outer, _, inner = name.partition("__")
            if inner:
                record[outer][inner] = value
            else:
                record[name] = value
        return json.dumps(record).encode()

    return change


def with_rows(change):
    """A change of the predictions as a table."""

    def changed_content(content):
        return change(pd.read_csv(io.BytesIO(content), dtype={"speaker": str})).to_csv(index=False).encode()

    return changed_content


def assert_nothing_but(folder, *names):
    assert {path.name for path in folder.glob("*")} <= set(names)


def test_what_is_bundled_is_opened_elsewhere_the_same(bundle, pair, stores):
    opened = bundles.open_in(bundle, stores)
    assert opened == bundles.Opened([f"opened-{GOOD}", f"opened-{OTHER}"])
    first = runs.get(f"opened-{GOOD}", stores)
    assert first.predictions.equals(pair[0].predictions)
    assert first.scores == pair[0].scores
    assert first.recipe == pair[0].recipe


def test_training_curves_come_along(pair, stores, tmp_path):
    curves = pd.DataFrame({"epoch": [1, 2], "loss": [0.1 + 0.2, 1 / 3], "accuracy": [0.5, 0.6]})
    curves = curves.assign(seconds=0.1, part="test", fold=0)
    run = dataclasses.replace(pair[0], tables=Tables(pair[0].predictions, curves))
    bundles.write([run], tmp_path / "z.zip")
    bundles.open_in(tmp_path / "z.zip", stores)
    assert runs.get(f"opened-{GOOD}", stores).curves.equals(curves)


def test_an_opened_run_is_marked_and_compared(bundle, pair, stores):
    bundles.open_in(bundle, stores)
    found = [*pair, *runs.read_own(stores[1])[0]]
    titles = run_titles.titles(found, protocol=False)
    assert titles[GOOD] == "kn (yours)"
    assert titles[f"opened-{GOOD}"] == "kn (from a bundle)"
    assert runs.get(f"opened-{GOOD}", stores).bundle.startswith("theirs@")
    assert len(comparison.table(found)) == 4


def test_nothing_that_is_made_here_rests_on_an_opened_run(bundle, pair, stores):
    bundles.open_in(bundle, stores)
    theirs = runs.get(f"opened-{GOOD}", stores)
    with pytest.raises(ArtifactError, match="There is no run with model kn"):
        runs.find([theirs], model="kn")
    unheard = dataclasses.replace(theirs, protocol=model_store.UNHEARD[0])
    assert model_store.Tests.of(pair[0], [unheard]).unheard is None
    assert model_store.Tests.of(pair[0], [dataclasses.replace(unheard, bundle="")]).unheard is not None


def test_a_bundle_that_is_opened_twice_changes_nothing(bundle, stores):
    bundles.open_in(bundle, stores)
    files = {path: path.stat().st_mtime_ns for path in stores[1].rglob("*") if path.is_file()}
    assert bundles.open_in(bundle, stores) == bundles.Opened([], [f"opened-{GOOD}", f"opened-{OTHER}"])
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_an_id_that_is_here_with_other_content_is_refused_by_name(bundle, pair, stores, tmp_path):
    bundles.open_in(bundle, stores)
    kept = runs.get(f"opened-{GOOD}", stores).predictions
    bundles.write([made(GOOD, "kn", 7), made("own-lr-3", "lr", 8)], tmp_path / "more.zip")
    opened = bundles.open_in(tmp_path / "more.zip", stores)
    assert opened.added == ["opened-own-lr-3"]
    assert f"opened-{GOOD} is here already with other content" in opened.refused[GOOD]
    assert runs.get(f"opened-{GOOD}", stores).predictions.equals(kept)


def test_an_opened_run_is_handed_on_under_its_id(bundle, stores, tmp_path):
    bundles.open_in(bundle, stores)
    bundles.write([runs.get(f"opened-{GOOD}", stores)], tmp_path / "on.zip")
    assert bundles.open_in(tmp_path / "on.zip", (stores[0], tmp_path / "third")).added == [f"opened-{GOOD}"]


def test_a_run_of_the_package_itself_is_opened_and_its_clips_are_checked(table, stores, tmp_path):
    run = experiments.run("kn", table, protocol="actors-4", jobs=1).run.own
    bundles.write([run], tmp_path / "z.zip")
    assert bundles.open_in(tmp_path / "z.zip", stores, table=table).added == [f"opened-{run.id}"]


# One bad entry rejects the bundle


def add(name, content=b"x", **fields):
    def change(bundle):
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        for field, value in fields.items():
            setattr(entry, field, value)
        with zipfile.ZipFile(bundle, "a") as zipped:
            zipped.writestr(entry, content)

    return change


def cut_off(bundle):
    bundle.write_bytes(bundle.read_bytes()[:-100])


def with_damage(bundle):
    content = bytearray(bundle.read_bytes())
    place = content.index(b"PK\1\2")
    content[place : place + 4] = b"XXXX"
    bundle.write_bytes(content)


SUSPICIOUS = {
    "a path that leads up": (add("runs/../../../evil/run.json"), "leads out of the folder"),
    "one with backslashes": (add("runs\\..\\..\\evil\\run.json"), "leads out of the folder"),
    "an absolute path": (add("/etc/run.json"), "leads out of the folder"),
    "a drive": (add("C:/run.json"), "leads out of the folder"),
    "a link": (add("runs/x/run.json", b"/etc/passwd", external_attr=0o120777 << 16), "is a link or a device"),
    "a file that is there twice": (add(f"runs/{GOOD}/run.json"), "is in it twice"),
    "the same by another name": (add(f"runs/./{GOOD}/run.json"), "is in it twice"),
    "an unusual compression": (add("runs/x/run.json", compress_type=zipfile.ZIP_LZMA), "packed in an unusual way"),
    "a record that is too large": (add("runs/x/run.json", bytes(2_000_001)), "has 2.0 MB, more than such a file"),
    "a bundle that is cut off": (cut_off, "it is no ZIP file, or is cut off"),
    "a damaged list of entries": (with_damage, "it is damaged"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("change", "said"), SUSPICIOUS.values(), ids=SUSPICIOUS)
def test_a_suspicious_bundle_is_not_opened(change, said, bundle, stores, tmp_path):
    change(bundle)
    with pytest.raises(ArtifactError, match=f"theirs.zip is not opened, since .*{said}"):
        bundles.open_in(bundle, stores)
    assert_nothing_but(tmp_path, "theirs.zip", "workspace")


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MAX_BYTES", 1000, "MB, more than 0.0 MB"),
        ("MAX_DIRECTORY_BYTES", 100, "its list of entries has"),
        ("MAX_ENTRIES", 5, "it has 7 entries, more than 5"),
        ("MAX_TABLE_BYTES", 1000, "more than such a file can have"),
        ("MAX_UNPACKED_BYTES", 1000, "its runs have 0.3 MB, more than 0.0 MB"),
    ],
)
def test_sizes_are_bounded_before_anything_is_unpacked(limit, value, said, bundle, stores, monkeypatch):
    monkeypatch.setattr(bundles, limit, value)
    monkeypatch.setattr(bundles, "_unpack", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ArtifactError, match=said):
        bundles.open_in(bundle, stores)


def test_a_bundle_of_no_runs_says_so(stores, tmp_path):
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    with pytest.raises(ArtifactError, match="it holds no run"):
        bundles.open_in(tmp_path / "empty.zip", stores)


def test_a_file_that_is_not_there_says_so(stores, tmp_path):
    with pytest.raises(ArtifactError, match=r"none\.zip cannot be read"):
        bundles.open_in(tmp_path / "none.zip", stores)


def test_other_files_of_a_bundle_stay_packed(bundle, stores):
    add("evil.py", b"raise SystemExit")(bundle)
    add(f"runs/{GOOD}/model.joblib", b"x")(bundle)
    assert len(bundles.open_in(bundle, stores).added) == 2
    assert {path.suffix for path in stores[1].rglob("*") if path.is_file()} <= {".json", ".parquet", ".lock", ""}


# One bad run is refused by its name, and the other is opened


def lies_of_its_size(bundle):
    with zipfile.ZipFile(bundle) as zipped:
        everything = {name: zipped.read(name) for name in zipped.namelist()}
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in everything.items():
            zipped.writestr(name, content)
        zipped.getinfo(f"runs/{GOOD}/predictions.csv").file_size = 100


def test_a_bomb_that_says_it_is_small_is_refused(bundle, stores):
    lies_of_its_size(bundle)
    opened = bundles.open_in(bundle, stores)
    assert list(opened.refused) == [GOOD] and opened.added == [f"opened-{OTHER}"]


def test_an_id_that_is_no_name_is_refused(bundle, stores):
    add("runs/.hidden/run.json")(bundle)
    opened = bundles.open_in(bundle, stores)
    assert opened.refused == {".hidden": "its id is no name of a run"}
    assert len(opened.added) == 2


BAD_RECORDS = {
    "no JSON": (lambda _: b"{", "Expecting property name"),
    "deep": (lambda _: b"[" * 100_000, "recursion"),
    "no object": (lambda _: b"[]", "run.json holds no run"),
    "no recipe": (with_fields(recipe=None), "recipe in run.json is None, and no Recipe"),
    "lacks a field": (lambda text: text.replace(b'"protocol"', b'"protocoll"'), "run.json lacks 'protocol'"),
    "unknown model": (with_fields(recipe__model="evil"), "There is no model 'evil'"),
    "model that is a path": (with_fields(recipe__model="../x:y"), "There is no model"),
    "unknown protocol": (with_fields(protocol="../up"), "There is no protocol"),
    "other scores": (
        with_fields(scores__test_accuracy=0.99),
        "the scores in run.json are not those of its predictions",
    ),
    "more scores": (with_fields(scores__fame=1.0), "the scores in run.json are not those of its predictions"),
    "too few clips": (with_fields(clips=3), "it says that it has 3 clips, and predicts 491"),
    "clips in words": (with_fields(clips="many"), "clips in run.json is 'many'"),
    "no digest of clips": (with_fields(data_digest="<b>"), "its digest of clips is none"),
    "no date": (with_fields(made="yesterday"), "Invalid isoformat"),
    "not a number": (with_fields(learned_from=float("nan")), "holds NaN, which is no number"),
    "infinite": (lambda text: text.replace(b'"learned_from": 0', b'"learned_from": 1e999'), "not finite or too large"),
    "text that turns around": (with_fields(recipe__preset="\u202egnp"), "too long or not printable"),
    "a long text": (with_fields(recipe__preset="x" * 20_000), "too long or not printable"),
    "an unknown field": (with_fields(versions__evil="1"), "has 'evil', which is not known here"),
    "unknown condition": (with_fields(heard="on the moon"), "there is no recording condition 'on the moon'"),
    "half another corpus": (with_fields(tested_on={"corpus": "x"}), "tested on another corpus, or its protocol"),
    "training clips that count less than nothing": (
        with_fields(training={"class": {"sad_male": {"sad_male": -1}}}),
        "training in run.json has no good 'class'",
    ),
    "training clips of no known class": (
        with_fields(training={"class": {"x": {"y": 1}}}),
        "training in run.json has no good 'class'",
    ),
    "training of no known kind": (
        with_fields(training={"<b>": {"x": {"y": 1}}}),
        "training in run.json has no good '<b>'",
    ),
    "training that counts words": (with_fields(training={"class": {"x": {"y": "1"}}}), "training in run.json is '1'"),
    "bad layers": (with_fields(layers=[{"name": "x"}]), "layers in run.json lacks 'kind'"),
    "other predictions": (with_fields(predictions_digest="0" * 64), "predictions.csv is not what run.json was written"),
}


@pytest.mark.parametrize(("change", "said"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_lies_is_refused(change, said, bundle, stores):
    changed(bundle, record=change)
    opened = bundles.open_in(bundle, stores)
    assert said in opened.refused[GOOD]
    assert opened.added == [f"opened-{OTHER}"]
    assert_nothing_but(stores[1] / "runs", f"opened-{OTHER}")


def first_cell(column, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[0, column] = value
        return table

    return with_rows(change)


BAD_PREDICTIONS = {
    "missing column": (with_rows(lambda table: table.drop(columns="truth")), "has no column 'truth'"),
    "unknown column": (with_rows(lambda table: table.assign(evil=1)), "has the column 'evil'"),
    "doubled column": (lambda text: text.replace(b"clip,corpus", b"clip,clip", 1), "has a damaged first line"),
    "endless header": (lambda _: b"p_a," * 10_000, "has a damaged first line"),
    "clip twice": (with_rows(lambda table: pd.concat([table, table[:1]])), "has clips twice: "),
    "unknown part": (first_cell("part", "best"), "has the part 'best'"),
    "no test": (with_rows(lambda table: table.assign(part="train")), "holds no predictions of test clips"),
    "text as a number": (first_cell("p_sad_female", "=1+1"), "could not convert"),
    "not a number": (first_cell("p_sad_female", "nan"), "cannot safely convert"),
    "infinite": (first_cell("p_sad_female", "inf"), "no finite numbers"),
    "negative": (first_cell("p_sad_female", -1), "negative probabilities"),
    "no sum of 1": (first_cell("p_sad_female", 3), "do not add up to 1"),
    "unknown truth": (first_cell("truth", "bored_female"), ""),
    "text that turns around": (first_cell("speaker", "\u202e10"), "too long or not printable"),
    "a line break": (first_cell("clip", "a\nb"), "too long or not printable"),
    "other answers": (
        with_rows(lambda table: table.assign(p_sad_female=table["p_sad_male"], p_sad_male=table["p_sad_female"])),
        "the scores in run.json are not those of its predictions",
    ),
    "no text": (lambda _: b"\xff\xfe\n\xff", ""),
}


@pytest.mark.parametrize(("change", "said"), BAD_PREDICTIONS.values(), ids=BAD_PREDICTIONS)
def test_predictions_that_do_not_match_are_refused(change, said, bundle, stores):
    changed(bundle, predictions=change)
    opened = bundles.open_in(bundle, stores)
    assert said in opened.refused[GOOD]
    assert opened.added == [f"opened-{OTHER}"]


def test_a_missing_file_is_refused(bundle, stores):
    changed(bundle, predictions=None)
    assert bundles.open_in(bundle, stores).refused == {GOOD: "predictions.csv is missing"}


def test_other_curves_are_refused(bundle, stores):
    changed(bundle, curves=lambda _: b"epoch,evil\n1,2\n")
    assert "other columns than training curves have" in bundles.open_in(bundle, stores).refused[GOOD]


@pytest.mark.parametrize(
    ("limit", "said"),
    [("MAX_ROWS", "rows"), ("MAX_SPEAKERS", "24 speakers"), ("MAX_CLASSES", "16 classes"), ("MAX_FOLDS", "1 folds")],
)
def test_tables_are_bounded(limit, said, bundle, stores, monkeypatch):
    monkeypatch.setattr(bundles, limit, 0)
    opened = bundles.open_in(bundle, stores)
    assert said in opened.refused[GOOD] and not opened.added


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(fold=rows["fold"].replace({1: 2, 2: 1})),
        lambda rows: rows[1:],
        lambda rows: rows.assign(truth=rows["truth"].str.replace("angry", "sad")),
        lambda rows: rows.assign(speaker=rows["speaker"].replace({"01": "09"})),
    ],
    ids=["folds", "clips", "truths", "speakers"],
)
def test_a_run_on_the_clips_that_are_here_must_have_predicted_what_its_protocol_tests(change, table, stores, tmp_path):
    run = experiments.run("kn", table, protocol="actors-4", jobs=1).run.own
    rows = change(run.predictions)
    bundles.write([dataclasses.replace(run, tables=Tables(rows), scores=evaluation.scores(rows))], tmp_path / "z.zip")
    opened = bundles.open_in(tmp_path / "z.zip", stores, table=table)
    assert "its predictions are not of what actors-4 tests" in opened.refused[run.id]
