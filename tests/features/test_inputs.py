"""What networks see of a clip: shapes, what is kept on disk and when it is made anew, and every way that it lacks."""

import dataclasses
import shutil

import numpy as np
import psutil
import pytest

from ser_core import corpus
from ser_core.corpus import synthetic
from ser_core.errors import FeatureError, ModelError
from ser_core.features import images, inputs, mean180, tables
from ser_core.models import networks

RATE = inputs.SAMPLE_RATE


@pytest.fixture
def settings(settings, voices):
    return dataclasses.replace(settings, data_dir=voices)


@pytest.fixture
def made(monkeypatch) -> list[int]:
    """How many clips each batch of `frames` was made of, as they are made."""
    counted, get = [], inputs.get

    def counting(key, *rest):
        one = get(key, *rest)

        def of_samples(clips):
            counted.append(len(clips))
            return one.of_samples(clips)

        return dataclasses.replace(one, of_samples=of_samples)

    monkeypatch.setattr(inputs, "get", counting)
    monkeypatch.setattr(inputs, "free_memory", lambda: 2**33)
    return counted


@pytest.mark.parametrize("seconds", [0.3, 1.2, 4.46, 9.0])
def test_frames_have_one_shape_and_are_decibels(seconds):
    seen = inputs.frames(synthetic.speak("angry", actor=1, seconds=seconds))
    assert seen.shape == (192, 64)
    assert seen.min() >= inputs.FLOOR_DB and seen.max() < 60
    assert np.isfinite(seen).all()


def test_a_short_clip_lies_in_the_middle_of_its_frames():
    seen = inputs.frames(synthetic.speak("sad", actor=2, seconds=1.0))
    silent = (seen == inputs.FLOOR_DB).all(axis=1)
    voiced = np.flatnonzero(~silent)
    assert 40 <= len(voiced) <= 46  # a second of 512 samples a frame
    assert abs(voiced[0] - (191 - voiced[-1])) <= 1


def test_of_a_long_clip_the_part_around_the_voice_is_seen():
    voice = synthetic.speak("angry", actor=1, seconds=2.0)
    late = np.concatenate([np.zeros(6 * RATE, np.float32), voice, np.zeros(RATE, np.float32)])
    alone, found = inputs.frames(voice), inputs.frames(late)
    assert found.mean() == pytest.approx(alone.mean(), abs=3)
    assert (found > -40).sum() > 0.9 * (alone > -40).sum()


@pytest.mark.parametrize("seconds", [0.3, 1.2, 9.0])
def test_a_sequence_is_padded_with_zeros_at_its_end_alone(seconds):
    seen = inputs.sequence(synthetic.speak("happy", actor=3, seconds=seconds))
    assert seen.shape == (96, 52)
    there = seen.any(axis=1)
    frames = min(96, int(seconds * RATE / 512 + 1) // 2)
    assert there[:frames].all() and not there[frames:].any()


def test_what_was_made_is_kept_and_read_again(settings, table, made):
    told = []
    first = inputs.load("frames", table, settings, progress=lambda *at: told.append(at))
    assert made == [16, 16, 16, 16] and told == [(16, 64), (32, 64), (48, 64), (64, 64)]
    assert first.clips.shape == (64, 192, 64) and first.clips.dtype == np.float16
    again = inputs.load("frames", table, settings)
    assert made == [16, 16, 16, 16]
    np.testing.assert_array_equal(again.clips, first.clips)
    backwards = inputs.load("frames", table.iloc[::-1], settings)  # the order is the table's
    np.testing.assert_array_equal(backwards.clips, first.clips[::-1])
    assert (first.key, first.version) == ("frames", inputs.VERSIONS["frames"])


def test_with_little_memory_batches_are_smaller_and_what_is_seen_is_the_same(settings, table, made, monkeypatch):
    whole = inputs.load("frames", table, settings)
    folder = settings.workspace / "cache" / "inputs" / whole.version
    shutil.rmtree(folder)
    made.clear()
    monkeypatch.setattr(inputs, "free_memory", lambda: 10 * inputs.CLIP_BYTES)
    small = inputs.load("frames", table, settings)
    assert made == [5] * 12 + [4]
    assert small.version == whole.version  # what was made in batches of another size is found again
    np.testing.assert_array_equal(small.clips, whole.clips)


@pytest.mark.parametrize(("free_gb", "clips"), [(-1, 1), (0, 1), (0.1, 1), (0.5, 6), (1, 12), (2, 16), (500, 16)])
def test_a_batch_fills_half_of_the_free_memory_and_has_bounds(free_gb, clips):
    assert inputs.batch_size(int(free_gb * 2**30)) == clips


def test_free_memory_is_some_of_the_machines():
    assert 0 < inputs.free_memory() <= psutil.virtual_memory().total


def test_one_that_was_broken_off_makes_only_what_lacks(settings, table, made):
    def break_off(done, total):
        if done == 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inputs.load("frames", table, settings, progress=break_off)
    assert made == [16, 16]
    inputs.load("frames", table, settings)
    assert made == [16, 16, 16, 16]
    assert not list((settings.workspace / "cache" / "inputs").rglob(".*"))  # nothing half written


def test_a_recording_that_changed_is_seen_anew(settings, table, made, tmp_path, voices):
    shutil.copytree(voices, tmp_path / "voices")
    own = dataclasses.replace(settings, data_dir=tmp_path / "voices")
    before = inputs.load("frames", table, own).clips
    stem = table["stem"].iloc[5]
    (file,) = (tmp_path / "voices").rglob(f"{stem}.wav")
    file.write_bytes(synthetic.wav("happy", actor=4, seconds=1.2))
    made.clear()
    after = inputs.load("frames", table, own).clips
    assert made == [1]
    changed = (after != before).any(axis=(1, 2))
    assert list(np.flatnonzero(changed)) == [5]


def test_the_numbers_of_the_table_need_no_recordings(settings, table, tmp_path):
    nowhere = dataclasses.replace(settings, data_dir=tmp_path / "nowhere")
    seen = inputs.load("study", table, nowhere)
    np.testing.assert_array_equal(seen.clips, tables.matrix(table))
    assert seen.version == mean180.VERSION


def test_recordings_that_lack_are_told_with_the_way_to_them(settings, table, tmp_path):
    nowhere = dataclasses.replace(settings, data_dir=tmp_path / "nowhere")
    with pytest.raises(FeatureError, match=r"nowhere is not there. Bring them here \(python -m ser_core download\)"):
        inputs.load("frames", table, nowhere)
    some = tmp_path / "some"
    synthetic.write_corpus(some, actors=(1,), emotions=("angry", "sad"), seconds=0.5)
    fewer = dataclasses.replace(settings, data_dir=some)
    with pytest.raises(FeatureError, match=r"48 of 64 are not in .*some, such as 0[13]-01-.*SER_DATA_DIR"):
        inputs.load("frames", table, fewer)


def test_a_recording_that_cannot_be_read_is_named(settings, table, tmp_path):
    synthetic.write_corpus(tmp_path / "voices", actors=range(1, 5), emotions=("angry", "sad"), seconds=0.5)
    broken = tmp_path / "voices" / corpus.index(tmp_path / "voices").clips["path"].iloc[0]
    broken.write_bytes(broken.read_bytes()[:50])  # its head is whole, and next to no sound follows
    own = dataclasses.replace(settings, data_dir=tmp_path / "voices")
    with pytest.raises(FeatureError, match=rf"{broken.name} cannot be read: .* take it out of the table"):
        inputs.load("frames", table, own)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"<html>no such page</html>", "cannot be read: Format not recognised"), (b"", "an empty file")],
)
def test_a_recording_without_a_whole_header_is_not_told_as_absent(settings, table, tmp_path, content, says):
    folder = tmp_path / "voices"
    synthetic.write_corpus(folder, actors=range(1, 5), emotions=("angry", "sad"), seconds=0.5)
    broken = folder / corpus.index(folder).clips["path"].iloc[0]
    broken.write_bytes(content)
    own = dataclasses.replace(settings, data_dir=folder)
    with pytest.raises(FeatureError, match=rf"1 of 64 recordings cannot .* {broken} \({says}\). Bring them anew, or"):
        inputs.load("frames", table, own)


def test_an_input_that_there_is_not(settings):
    with pytest.raises(ModelError, match=r"no input 'smell'; there is .*vgg16, vgg19, resnet50, inception, mobilenet"):
        inputs.get("smell", settings)


# Backbones, with a small network in the place of the large


@pytest.fixture
def keras(monkeypatch):
    """Keras with a VGG16 of one layer, which notes the weights that it was asked for in `keras.asked`."""
    keras = networks.load_keras()
    asked = []

    def small(weights, include_top, input_shape):
        assert not include_top and input_shape == (224, 224, 3)
        asked.append(weights)
        keras.utils.set_random_seed(1 if str(weights).endswith("other.h5") else 0)
        pixels = keras.Input(input_shape)
        return keras.Model(pixels, keras.layers.Conv2D(4, 32, strides=32, activation="relu")(pixels))

    for name in ("VGG16", "MobileNetV2"):
        monkeypatch.setattr(keras.applications, name, small)
    keras.asked = asked
    return keras


def test_every_backbone_is_one_that_keras_has():
    keras = networks.load_keras()
    for name, module in inputs.BACKBONES.values():
        assert callable(getattr(keras.applications, name))
        assert callable(getattr(keras.applications, module).preprocess_input)


def test_a_bottleneck_is_what_the_network_says_of_the_picture_and_is_kept_by_its_weights(
    settings, table, keras, tmp_path
):
    own, other = (tmp_path / name for name in ("own.h5", "other.h5"))
    own.touch(), other.touch()
    first = inputs.load("vgg16", table, settings, weights=own)
    assert first.clips.shape == (64, 7, 7, 4)
    assert "from the file own.h5 (digest" in first.weights
    assert first.version.startswith("vgg16-") and images.VERSION in first.version
    second = inputs.load("vgg16", table, settings, weights=other)
    assert second.version != first.version
    assert not np.array_equal(second.clips, first.clips)
    kept = settings.workspace / "cache" / "inputs"
    assert {folder.name for folder in kept.iterdir()} == {first.version, second.version}
    assert all(len(list(folder.iterdir())) == 64 for folder in kept.iterdir())


def test_a_bottleneck_does_not_depend_on_the_batch_that_it_is_made_in(keras, spoken):
    one = inputs.backbone("vgg16")
    clips = [spoken[start:] for start in range(0, 20_000, 5_000)]
    alone = np.concatenate([one.see([clip]) for clip in clips]).astype(np.float32)
    np.testing.assert_allclose(one.see(clips).astype(np.float32), alone, rtol=2e-2, atol=1e-2)


def test_weights_are_those_of_the_option_then_of_the_setting_then_keras_own(settings, keras, tmp_path):
    option, named = tmp_path / "option.h5", tmp_path / "named.h5"
    option.touch(), named.touch()
    with_file = dataclasses.replace(settings, vgg16_weights=named)
    assert "option.h5" in inputs.get("vgg16", with_file, option).weights
    assert "named.h5" in inputs.get("vgg16", with_file).weights
    assert "Keras' download" in inputs.get("vgg16", settings).weights
    assert "Keras' download" in inputs.get("mobilenet", with_file).weights  # VGG16's fit no other
    assert keras.asked == [str(option), str(named), "imagenet", "imagenet"]


def test_with_neither_download_nor_file_one_line_says_both_ways(settings, monkeypatch):
    keras = networks.load_keras()

    def offline(**_):
        raise Exception("URL fetch failure on https://storage.googleapis.com/...: None -- no route\nand more")

    monkeypatch.setattr(keras.applications, "VGG16", offline)
    with pytest.raises(ModelError, match="cannot be had from Keras' download") as fault:
        inputs.get("vgg16", settings)
    said = str(fault.value)
    assert "--weights FILE, or SER_VGG16_WEIGHTS=FILE" in said and "\n" not in said


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_holds_no_weights_is_named(settings, tmp_path, content):
    file = tmp_path / "mine.weights.h5"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be had from .*mine\.weights\.h5"):
        inputs.backbone("vgg16", file)
