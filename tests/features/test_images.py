import json
import os
import shutil
from pathlib import Path

import librosa.display
import matplotlib
import numpy as np
import pytest
import soundfile
from PIL import Image

from ser_core import audio, corpus
from ser_core.cli import main
from ser_core.corpus import synthetic
from ser_core.errors import FeatureError, ImageError
from ser_core.evaluation import protocols
from ser_core.features import images, store
from tests import plain_pictures

KINDS = pytest.mark.parametrize("kind", images.KINDS)


@pytest.fixture(scope="module")
def found(voices) -> corpus.Corpus:
    return corpus.index(voices)


@pytest.fixture(scope="module")
def made(found, tmp_path_factory) -> images.Written:
    """Pictures of the synthetic corpus with two augmented copies."""
    return images.write(found, tmp_path_factory.mktemp("made") / "mel", copies=2, jobs=1)


def pictures(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.png")}


@KINDS
@pytest.mark.parametrize("seconds", [0.1, 3.0, 60.0])
def test_the_numbers_are_those_of_librosa(spoken, kind, seconds):
    samples = np.resize(spoken, int(seconds * 22_050))
    ours, theirs = images.values(samples, kind), plain_pictures.values(samples, kind)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    # 80 dB are 256 colours, so a colour is 0.3 dB; single precision shows far below that
    np.testing.assert_allclose(ours, theirs, atol=0.03)
    assert np.abs(ours - theirs).mean() < 1e-3


@KINDS
def test_a_picture_is_what_specshow_draws(spoken, kind):
    ours = images.picture(spoken, kind).astype(int)
    theirs = plain_pictures.pixels(plain_pictures.png(plain_pictures.values(spoken, kind)))
    apart = np.abs(ours - theirs)
    assert apart.mean() < 1
    # 128 bands on 224 pixels: 32 rows of pixels lie just between two bands, and matplotlib takes now one, now the other
    assert (apart.max(axis=2) > 2).any(axis=1).sum() <= 32


@KINDS
def test_a_picture_of_the_same_numbers_is_the_same_to_the_last_bit_where_no_pixel_lies_between_two_bands(kind):
    rng = np.random.default_rng(1)
    shown = rng.normal(size=(56, 100)).astype(np.float32)
    shown = shown if kind == "mfcc" else np.abs(shown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "values", lambda *_: shown)
        ours = images.picture(np.zeros(1), kind)
    assert np.array_equal(ours, plain_pictures.pixels(plain_pictures.png(shown)))


def test_the_colours_are_matplotlibs():
    table = np.asarray(Image.open(Path(images.__file__).with_name("colours.png")))
    for row, name in enumerate(["magma", "coolwarm"]):
        theirs = matplotlib.colormaps[name](np.arange(256))[:, :3]
        np.testing.assert_array_equal(table[row], np.rint(255 * theirs))


@KINDS
def test_the_colours_are_those_that_librosa_chooses(spoken, kind):
    chosen = librosa.display.cmap(plain_pictures.values(spoken, kind)).name
    assert chosen == {"mel": "magma", "mfcc": "coolwarm", "contrast": "magma"}[kind]


@KINDS
@pytest.mark.parametrize("length", [2205, 60 * 22_050])
def test_short_and_long_clips_fill_the_picture(spoken, kind, length):
    picture = images.picture(np.resize(spoken[10_000:40_000], length), kind)
    assert picture.shape == (224, 224, 3)
    assert picture.dtype == np.uint8
    assert len(np.unique(picture[:, 0], axis=0)) > 1
    assert len(np.unique(picture[:, -1], axis=0)) > 1


@pytest.mark.parametrize("kind", ["mel", "contrast"])
def test_silence_has_one_colour_as_in_specshow(kind):
    silence = np.zeros(22_050, np.float32)
    theirs = plain_pictures.pixels(plain_pictures.png(plain_pictures.values(silence, kind)))
    assert np.array_equal(images.picture(silence, kind), theirs)


def test_a_low_tone_is_bright_at_the_bottom():
    tone = np.sin(2 * np.pi * 100 * np.arange(22_050) / 22_050).astype(np.float32)
    bright = images.picture(tone, "mel").sum(axis=(1, 2))
    assert bright.argmax() >= 214


def test_a_late_click_is_bright_at_the_right():
    click = np.zeros(22_050, np.float32)
    click[20_000:20_100] = np.random.default_rng(0).normal(size=100)
    bright = images.picture(click, "mel").sum(axis=(0, 2))
    assert 190 < bright.argmax() < 215


@KINDS
def test_the_png_holds_the_picture(spoken, kind):
    assert np.array_equal(plain_pictures.pixels(images.png(spoken, kind)), images.picture(spoken, kind))


def test_an_unknown_kind_lists_the_known(spoken):
    with pytest.raises(ImageError, match="no kind of picture 'chroma'; there is mel, mfcc, contrast"):
        images.picture(spoken, "chroma")


def test_an_augmented_clip_is_another_as_long_and_as_loud(spoken):
    changed = images.augment(spoken, np.random.default_rng(0))
    assert changed.shape == spoken.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert np.abs(np.corrcoef(changed, spoken)[0, 1]) < 0.5
    assert np.square(changed).mean() == pytest.approx(np.square(spoken).mean(), rel=0.5)


@pytest.mark.parametrize(
    ("alone", "least", "most"),
    [("STRETCH", (0.9, 0.9), (1.1, 1.1)), ("PITCH_ST", (-2, -2), (2, 2)), ("SHIFT_S", (-0.25, -0.25), (0.25, 0.25))],
)
def test_each_change_does_what_it_says(monkeypatch, alone, least, most):
    """A tone of 1 kHz from 0.5 to 1.5 s of 2 s: how long, how high and how late it is afterwards."""
    for name, same in {"STRETCH": (1, 1), "PITCH_ST": (0, 0), "SHIFT_S": (0, 0), "SNR_DB": (90, 90)}.items():
        monkeypatch.setattr(images, name, same)
    time = np.arange(2 * 22_050) / 22_050
    tone = np.where((time > 0.5) & (time < 1.5), np.sin(2 * np.pi * 1000 * time), 0).astype(np.float32)

    def heard(limits):
        monkeypatch.setattr(images, alone, limits)
        changed = images.augment(tone, np.random.default_rng(0))
        on = np.flatnonzero(np.abs(changed) > 0.3) / 22_050
        spectrum = np.abs(np.fft.rfft(changed))
        return on[-1] - on[0], spectrum.argmax() * 22_050 / len(changed), on[0]

    ratio = 2 ** (2 / 12)
    expected = {
        "STRETCH": [(1 / 0.9, 1000, 0.5 / 0.9), (1 / 1.1, 1000, 0.5 / 1.1)],
        "PITCH_ST": [(1, 1000 / ratio, 0.5), (1, 1000 * ratio, 0.5)],
        "SHIFT_S": [(1, 1000, 0.25), (1, 1000, 0.75)],
    }[alone]
    for limits, (seconds, hz, start) in zip((least, most), expected, strict=True):
        assert heard(limits) == (
            pytest.approx(seconds, abs=0.05),
            pytest.approx(hz, rel=0.01),
            pytest.approx(start, abs=0.05),
        )


def test_the_noise_is_as_loud_as_asked(spoken, monkeypatch):
    for name, same in {"STRETCH": (1, 1), "PITCH_ST": (0, 0), "SHIFT_S": (0, 0)}.items():
        monkeypatch.setattr(images, name, same)
    clean, noisy = (
        monkeypatch.setattr(images, "SNR_DB", (db, db)) or images.augment(spoken, np.random.default_rng(0))
        for db in (200, 20)
    )
    assert 10 * np.log10(np.square(clean).mean() / np.square(noisy - clean).mean()) == pytest.approx(20, abs=0.2)


def test_pictures_lie_in_a_folder_for_each_part_and_class(found, made):
    parts = protocols.original_parts()
    expected = set()
    for stem, label in zip(found.clips["stem"], found.clips["label"], strict=True):
        if parts[stem] == "test":
            expected.add(f"test/{label}/{stem}.png")
        else:
            expected |= {f"train/{label}/{stem}{copy}.png" for copy in ("", "_aug1", "_aug2")}
    assert set(pictures(made.folder)) == expected
    assert (made.train, made.test, made.made) == (3 * 47, 17, 3 * 47 + 17)
    assert made.rejected == ()


def test_both_parts_have_the_same_classes(made):
    classes = ["angry_female", "angry_male", "sad_female", "sad_male"]
    assert sorted(os.listdir(made.folder)) == ["spectrograms.json", "test", "train"]
    assert sorted(os.listdir(made.folder / "train")) == sorted(os.listdir(made.folder / "test")) == classes


def test_test_clips_are_never_augmented(made):
    assert not [name for name in pictures(made.folder) if name.startswith("test/") and "_aug" in name]


def test_a_written_picture_is_that_of_its_clip(found, made):
    stem = "03-01-05-01-01-01-01"
    (file,) = made.folder.rglob(f"{stem}.png")
    samples = audio.load(found.folder / "Actor_01" / f"{stem}.wav").samples
    assert np.array_equal(plain_pictures.pixels(file.read_bytes()), images.picture(samples, "mel"))


def test_each_clip_stands_where_the_study_has_it_also_if_others_are_missing(made):
    parts = protocols.original_parts()
    for name in pictures(made.folder):
        part, _, file = name.split("/")
        assert parts[file.removesuffix(".png").split("_aug")[0]] == part


def test_the_folder_says_how_it_was_made(made):
    said = json.loads((made.folder / "spectrograms.json").read_text())
    assert len(said.pop("clips_sha256")) == 64
    assert said == {
        "version": images.VERSION, "kind": "mel", "size": 224, "augmented_copies": 2, "seed": 9, "protocol": "study",
        "clips": 64,
    }  # fmt: skip


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_every_time_whatever_the_order_and_the_number_of_processes(
    found, made, tmp_path, monkeypatch, jobs
):
    monkeypatch.setattr(store, "BATCH", 16)  # so that there are enough batches for two processes
    images.write(found, tmp_path / "again", copies=2, jobs=jobs)
    assert pictures(tmp_path / "again") == pictures(made.folder)


def test_another_seed_changes_the_copies_and_nothing_else(found, made, tmp_path):
    other = images.write(found, tmp_path / "other", copies=1, seed=10, jobs=1)
    before = pictures(made.folder)
    for name, content in pictures(other.folder).items():
        assert (content == before[name]) == ("_aug" not in name)


def test_copies_of_one_clip_differ(made):
    first, second = (file.read_bytes() for file in sorted(made.folder.rglob("03-01-05-01-01-01-01_aug*.png")))
    assert first != second


@pytest.fixture
def begun(found, tmp_path) -> Path:
    return images.write(found, tmp_path / "begun", jobs=1).folder


def test_what_is_there_is_not_made_again_and_what_lacks_is(found, begun):
    before = pictures(begun)
    lost = next(begun.rglob("*.png"))
    lost.unlink()
    stamps = {file: file.stat().st_mtime_ns for file in begun.rglob("*.png")}
    again = images.write(found, begun, jobs=1)
    assert (again.made, again.train, again.test) == (1, 47, 17)
    assert pictures(begun) == before
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps


def test_nothing_is_decoded_when_all_is_there(found, begun, monkeypatch):
    monkeypatch.setattr(audio, "load", lambda *_, **__: pytest.fail("a clip was decoded"))
    assert images.write(found, begun, jobs=1).made == 0


def test_a_run_that_was_stopped_goes_on(found, tmp_path):
    def stop_after_one_batch(done, total):
        if done >= store.BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        images.write(found, tmp_path / "mel", jobs=1, progress=stop_after_one_batch)
    assert len(pictures(tmp_path / "mel")) == 32
    assert images.write(found, tmp_path / "mel", jobs=1).made == 32


def test_a_kill_in_the_middle_of_a_picture_leaves_no_half_one(found, tmp_path, monkeypatch):
    write, written = Path.write_bytes, []

    def killed(path, content):
        written.append(path)
        if len(written) == 5:
            write(path, content[:100])
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        images.write(found, tmp_path / "mel", jobs=1)
    monkeypatch.undo()
    whole = pictures(tmp_path / "mel")
    assert len(whole) == 3  # the first was spectrograms.json
    assert {plain_pictures.pixels(content).shape for content in whole.values()} == {(224, 224, 3)}
    images.write(found, tmp_path / "mel", jobs=1)
    assert len(pictures(tmp_path / "mel")) == 64


def test_what_is_being_written_has_no_name_of_an_image(found, tmp_path, monkeypatch):
    names, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda part, file: (names.append(part.name), replace(part, file)))
    images.write(found, tmp_path / "mel", jobs=1)
    assert len(names) == 65
    assert all(name.startswith(".") and not name.endswith(".png") for name in names)


def test_progress_counts_up_to_all_clips(found, begun):
    for lost in list(begun.rglob("*.png"))[:40]:
        lost.unlink()
    told = []
    images.write(found, begun, jobs=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(24, 64), (56, 64), (64, 64)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "mfcc"}, "kind was 'mel' and is 'mfcc' now. Name another folder, or delete this one"),
        ({"copies": 1}, "augmented_copies was 2 and is 1 now"),
        ({"copies": 2, "seed": 10}, "seed was 9 and is 10 now"),
    ],
)
def test_other_settings_are_not_mixed_into_a_folder(found, made, options, said):
    before = pictures(made.folder)
    with pytest.raises(ImageError, match=said):
        images.write(found, made.folder, jobs=1, **({"copies": 2} | options))
    assert pictures(made.folder) == before


def test_pictures_of_another_version_are_not_mixed_into_a_folder(found, begun, monkeypatch):
    monkeypatch.setattr(images, "VERSION", "picture-2")
    with pytest.raises(ImageError, match="version was 'picture-1' and is 'picture-2' now"):
        images.write(found, begun, jobs=1)


def test_a_seed_does_not_matter_without_copies(found, begun):
    assert images.write(found, begun, seed=10, jobs=1).made == 0


def test_other_clips_are_not_mixed_into_a_folder(voices, begun, tmp_path):
    """They split otherwise: a clip that is trained on in one split may be in the test of the other."""
    shutil.copytree(voices, tmp_path / "more")
    synthetic.write_corpus(tmp_path / "more", actors=(5,), emotions=("sad",), seconds=0.5)
    with pytest.raises(ImageError, match="clips was 64 and is 72 now"):
        images.write(corpus.index(tmp_path / "more"), begun, jobs=1)


def test_a_folder_with_other_things_is_refused(found, tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ImageError, match=r"contains other files\. Name a new folder, or an empty one"):
        images.write(found, tmp_path, jobs=1)
    assert os.listdir(tmp_path) == ["thesis.txt"]


@pytest.mark.parametrize("content", ["{half", "7", "[1, 2]"])
def test_damaged_settings_are_named(found, tmp_path, content):
    (tmp_path / "spectrograms.json").write_text(content)
    with pytest.raises(ImageError, match=r"spectrograms\.json cannot be read .*make it again"):
        images.write(found, tmp_path, jobs=1)


def test_a_file_in_the_place_of_the_folder_is_named(found, tmp_path):
    (tmp_path / "mel").touch()
    with pytest.raises(ImageError, match=r"mel cannot be written .*Choose another place"):
        images.write(found, tmp_path / "mel", jobs=1)


def test_a_folder_below_a_file_is_named(found, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"mel cannot be written"):
        images.write(found, tmp_path / "file" / "mel", jobs=1)


def test_a_full_disk_is_named_and_leaves_no_part_of_a_picture(found, begun, monkeypatch):
    (lost,) = begun.rglob("03-01-05-01-01-01-01.png")
    lost.unlink()
    write = Path.write_bytes

    def full(path, content):
        write(path, content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ImageError, match=r"01\.png cannot be written \(.*No space left.*make room"):
        images.write(found, begun, jobs=1)
    assert not [file for file in begun.rglob("*") if file.is_file() and file.suffix not in (".png", ".json")]


def test_a_negative_number_of_copies_is_refused(found, tmp_path):
    with pytest.raises(ImageError, match="-1 augmented copies cannot be made"):
        images.write(found, tmp_path / "mel", copies=-1, jobs=1)
    assert not (tmp_path / "mel").exists()


@pytest.fixture
def broken(voices, tmp_path):
    """The corpus with as many clips broken as asked: a whole header, and samples that are no numbers."""

    def break_clips(number: int) -> corpus.Corpus:
        shutil.copytree(voices, tmp_path / "clips")
        for clip in sorted((tmp_path / "clips" / "Actor_03").glob("*.wav"))[:number]:
            soundfile.write(clip, np.full(30_000, np.nan, dtype=np.float32), 22_050, subtype="FLOAT")
        return corpus.index(tmp_path / "clips")

    return break_clips


def test_a_broken_clip_is_left_out_and_named(broken, tmp_path):
    written = images.write(broken(1), tmp_path / "mel", jobs=1)
    (item,) = written.rejected
    assert item.file == "Actor_03/03-01-04-01-01-01-03.wav"
    assert item.reason.startswith("Samples before")
    assert written.train + written.test == written.made == len(pictures(tmp_path / "mel")) == 63


def test_more_than_two_percent_of_broken_clips_stop_the_run(broken, tmp_path):
    with pytest.raises(FeatureError, match=r"2 of 64 clips cannot be read \(3\.1%"):
        images.write(broken(2), tmp_path / "mel", jobs=1)


def test_the_command_makes_a_folder_and_goes_on_with_it(voices, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    arguments = ["spectrograms", "--kind", "contrast", "--out", str(tmp_path / "c"), "--augment", "1", "--json"]
    answers = []
    for _ in range(2):
        assert main(arguments) == 0
        answers.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
        assert answers[-1].pop("seconds") > 0
    every = {"pictures": 111, "train": 94, "test": 17, "rejected": []}
    assert answers == [every | {"made": 111, "reused": 0}, every | {"made": 0, "reused": 111}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "chroma"), "no kind of picture 'chroma'"),
        (("--augment", "-2"), "-2 augmented copies cannot be made"),
        (("--data", "nowhere"), "no folder nowhere"),
        (("--out", "/dev/null/mel"), "/dev/null/mel cannot be written"),
    ],
)
def test_bad_input_to_the_command_is_one_clear_line_and_exit_2(voices, tmp_path, arguments, said, capsys):
    standing = ["--data", str(voices), "--out", str(tmp_path / "mel"), "--json"]
    assert main(["spectrograms", *standing, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_clips_of_another_corpus_are_on_neither_side_of_the_studys_split(voices, tmp_path):
    found = corpus.index(voices)
    others = corpus.Corpus(voices, found.clips.assign(corpus="mine"), ())
    with pytest.raises(ImageError, match="are of RAVDESS' clips, not of mine's"):
        images.write(others, tmp_path / "out", jobs=1)
