"""Prosody: contours of loudness and pitch, and one value of each per clip."""

import librosa
import numpy as np
import parselmouth

from ser_core.features.mean180 import HOP, N_FFT, SAMPLE_RATE

VERSION = "prosody-1"  # Stored with every table: raise it with any change of the numbers below.
NAMES: tuple[str, ...] = ("loudness_lufs", "pitch_hz")

# From a man's murmur to a woman's scream: Praat's default ceiling of 600 Hz is for speech, and RAVDESS is also sung.
PITCH_FLOOR_HZ = 75.0
PITCH_CEILING_HZ = 1000.0
PITCH_STEP_S = 0.01
LEVEL_FLOOR_DB = -100.0  # of digital silence
GATE_S = 0.4  # one block of ITU-R BS.1770: the shortest sound with a defined loudness


def pitch(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The pitch contour: fundamental frequency by Praat's autocorrelation.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    hz : np.ndarray [shape=(frames,)]
        NaN in unvoiced frames.
    seconds : np.ndarray [shape=(frames,)]
        A step of 0.01 s. Both are empty if the sound is shorter than three periods of the lowest pitch, 40 ms.

    References
    ----------
    Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound".
    """
    if len(samples) / rate < 3 / PITCH_FLOOR_HZ:
        return np.zeros(0), np.zeros(0)
    sound = parselmouth.Sound(samples.astype(np.float64), rate)
    found = track(sound)
    hz = found.selected_array["frequency"]
    return np.where(hz > 0, hz, np.nan), found.xs()


def track(sound: parselmouth.Sound) -> parselmouth.Pitch:
    """Praat's pitch object of a sound, with the settings of `pitch`.

    Parameters
    ----------
    sound : parselmouth.Sound
        At least three periods of the lowest pitch, 40 ms.

    Returns
    -------
    parselmouth.Pitch
    """
    return sound.to_pitch_ac(time_step=PITCH_STEP_S, pitch_floor=PITCH_FLOOR_HZ, pitch_ceiling=PITCH_CEILING_HZ)


def level(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The energy contour: root mean square of each frame (2,048 samples every 512), in dB below full scale.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    decibels : np.ndarray [shape=(frames,)]
        0 dB is a square wave at full scale; -100 dB or less counts as -100.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.
    """
    samples = samples.astype(np.float64)
    rms = librosa.feature.rms(y=samples, frame_length=N_FFT, hop_length=HOP, dtype=np.float64)[0]
    decibels = librosa.amplitude_to_db(rms, ref=1.0, amin=10 ** (LEVEL_FLOOR_DB / 20), top_db=None)
    return decibels, np.arange(len(decibels)) * HOP / rate


def loudness(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness after ITU-R BS.1770-4.

    Frequencies are weighted by the sensitivity of hearing, and silence is gated out. Clips shorter than 0.4 s are
    padded.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    float
        In LUFS; -inf if all of the clip is near silence.

    References
    ----------
    ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level".
    """
    import pyloudnorm  # here: it loads scipy.signal, which takes half a second

    missing = int(np.ceil(GATE_S * rate)) - len(samples)
    return pyloudnorm.Meter(rate).integrated_loudness(np.pad(samples.astype(np.float64), (0, max(0, missing))))


def extract(samples: np.ndarray) -> np.ndarray:
    """Loudness and median pitch of one clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(2,), dtype=float32]
        In the order of `NAMES`; the pitch is NaN if no frame is voiced.
    """
    hz, _ = pitch(samples, SAMPLE_RATE)
    voiced = hz[~np.isnan(hz)]
    median = np.median(voiced) if voiced.size else np.nan
    return np.array([loudness(samples, SAMPLE_RATE), median], dtype=np.float32)
