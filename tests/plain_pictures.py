"""Spectrogram pictures as librosa and matplotlib make them: what `ser_core.features.images` is held against."""

import io

import librosa
import librosa.display
import numpy as np
from matplotlib import pyplot
from PIL import Image


def values(samples: np.ndarray, kind: str, rate: int = 22_050) -> np.ndarray:
    """The numbers of a picture [shape=(rows, frames)]."""
    if kind == "mel":
        return librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=rate), ref=np.max)
    if kind == "mfcc":
        return librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40)
    return librosa.feature.spectral_contrast(y=samples, sr=rate)


def png(shown: np.ndarray) -> bytes:
    """A PNG of 224 x 224 pixels, drawn by specshow with its defaults in a figure without axes."""
    figure = pyplot.figure(figsize=(2.24, 2.24), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    librosa.display.specshow(shown, ax=axes)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    pyplot.close(figure)
    return file.getvalue()


def pixels(content: bytes) -> np.ndarray:
    """Red, green, blue of an image file [shape=(height, width, 3), dtype=uint8]."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
