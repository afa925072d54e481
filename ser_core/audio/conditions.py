"""Recording conditions: what happens to a voice on its way from the mouth into a file.

A condition is a named sequence of changes. Each is drawn from a seed and from the clip itself, so that a clip sounds
the same in a condition whenever it is asked for, and no two clips get the same noise.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import lazy_loader
import numpy as np
import scipy
import soxr

from ser_core.audio.level import active_level
from ser_core.errors import AudioError

pra = lazy_loader.load("pyroomacoustics")  # takes two seconds

VERSION = "conditions-1"  # Part of every run: raise it with any change of what a condition does.
ROOMS = 8  # different places of speaker and microphone in each kind of room; a clip draws one
TILT_DB = 3.0  # an octave
TILT_CENTRE_HZ = 1_000.0
BABBLE_VOICES = 5
OCTAVES_HZ = tuple(62.5 * 2.0 ** np.arange(9))

Samples = np.ndarray  # [shape=(n,), dtype=float32], full scale is -1 to 1


@dataclass(frozen=True)
class Place:
    """What a change may draw from beside the clip.

    Parameters
    ----------
    rate : int > 0, Hz
        Of the samples.
    random : np.random.Generator
    voices : sequence of np.ndarray [shape=(n,)]
        Clips of other speakers at the same rate, for babble.
    """

    rate: int
    random: np.random.Generator
    voices: Sequence[Samples] = ()


Change = Callable[[Samples, Place], Samples]


@dataclass(frozen=True)
class Condition:
    """A way in which a clip may be recorded.

    Parameters
    ----------
    key, title : str
    note : str
        What is done, with its numbers.
    changes : tuple of callable
        `(samples, place) -> samples`, one after the other.
    """

    key: str
    title: str
    note: str
    changes: tuple[Change, ...] = field(repr=False)

    @property
    def needs_voices(self) -> bool:
        """Whether it contains babble, which is made of other speakers' clips."""
        return any(getattr(change, "func", change) is _babble for change in self.changes)

    def apply(self, samples: Samples, rate: int, *, seed: int = 0, voices: Sequence[Samples] = ()) -> Samples:
        """A clip as it sounds in this condition.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,)]
            Mono, full scale is -1 to 1.
        rate : int > 0, Hz
            Of the samples, and of what comes back.
        seed : int
        voices : sequence of np.ndarray [shape=(n,)]
            Clips of other speakers at the same rate; conditions with babble need one or more.

        Returns
        -------
        np.ndarray [shape=(m,), dtype=float32]
            As long as the clip, but where a change cuts or pads it.

        Raises
        ------
        AudioError
            If the condition has babble and there are no other voices.

        Examples
        --------
        >>> tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
        >>> round(float(abs(get("peak").apply(tone, 22_050)).max()), 2)
        0.89
        """
        samples = np.asarray(samples, dtype=np.float32)
        place = Place(rate, _drawn_for(samples, self.key, seed), voices)
        for change in self.changes:
            samples = change(samples, place).astype(np.float32)
        return samples


def at_random(samples: Samples, rate: int, *, seed: int = 0) -> Samples:
    """A clip in a condition that is drawn at random, to learn from: none of `CONDITIONS`, which are for tests.

    An equaliser, a room, a noise, a band and clipping, each with its own probability and strength, in this order. The
    noise is white, pink, or a crowd: the clip itself, backwards and several times at once, so that no clip hears
    another. Rooms are noise that decays.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono, full scale is -1 to 1.
    rate : int > 0, Hz
    seed : int

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
    """
    samples = np.asarray(samples, dtype=np.float32)
    draw = _drawn_for(samples, "at random", seed)
    place = Place(rate, draw)
    if draw.random() < 0.7:
        db = np.cumsum(draw.normal(0, 3, len(OCTAVES_HZ)))
        samples = _shape(tuple(zip(OCTAVES_HZ, db - db.mean(), strict=True)), 0.0, samples, place)
    if draw.random() < 0.45:
        samples = _decay(draw.uniform(0.15, 1.2), draw.uniform(-12, 6), samples, place)
    if draw.random() < 0.75:
        kind, snr_db = draw.choice(["white", "pink", "crowd"]), draw.uniform(8, 40)
        samples = _crowd(snr_db, samples, place) if kind == "crowd" else _noise(kind, snr_db, samples, place)
    if draw.random() < 0.5:
        low_hz = draw.uniform(50, 400) if draw.random() < 0.7 else None
        high_hz = np.exp(draw.uniform(np.log(3_000), np.log(9_000)))
        samples = _band(low_hz, high_hz, int(draw.integers(2, 7)), samples, place)
    if draw.random() < 0.15:
        samples = _clip(draw.uniform(0.001, 0.03), samples, place)
    return samples.astype(np.float32)


def _drawn_for(samples: Samples, key: str, seed: int) -> np.random.Generator:
    clip = int.from_bytes(hashlib.sha256(key.encode() + samples.tobytes()).digest()[:8])
    return np.random.default_rng([seed, clip])


def get(key: str) -> Condition:
    """The condition of that key.

    Parameters
    ----------
    key : str
        One of `CONDITIONS` or of `SMALL_CHANGES`.

    Returns
    -------
    Condition

    Raises
    ------
    AudioError
        If there is none.
    """
    found = CONDITIONS.get(key) or SMALL_CHANGES.get(key)
    if found is None:
        raise AudioError(f"There is no condition {key!r}; there is {', '.join([*CONDITIONS, *SMALL_CHANGES])}")
    return found


def tilted(db_an_octave: float) -> Condition:
    """A condition with more treble and less bass, or the other way round; the middle is at 1 kHz.

    Parameters
    ----------
    db_an_octave : float
        dB an octave; below 0 it is duller.

    Returns
    -------
    Condition
    """
    more = "more" if db_an_octave >= 0 else "less"
    note = f"{abs(db_an_octave):g} dB an octave {more} treble"
    return Condition(
        f"tilt{db_an_octave:+g}", "Brighter" if more == "more" else "Duller", note, (partial(_tilt, db_an_octave),)
    )


def in_words(key: str) -> str:
    """A condition within a sentence, such as "over a telephone"; its key if there is none of that key.

    Parameters
    ----------
    key : str

    Returns
    -------
    str
    """
    found = CONDITIONS.get(key) or SMALL_CHANGES.get(key)
    return f"{found.title[0].lower()}{found.title[1:]}" if found else key


# Level


def _gain(db: float, samples: Samples, place: Place) -> Samples:
    return samples * 10 ** (db / 20)


def _peak(dbfs: float, samples: Samples, place: Place) -> Samples:
    return samples * (10 ** (dbfs / 20) / max(np.abs(samples).max(), 1e-9))


def _offset(share: float, samples: Samples, place: Place) -> Samples:
    """A constant added to the samples, as a share of their peak."""
    return samples + share * np.abs(samples).max()


def _clip(share: float, samples: Samples, place: Place) -> Samples:
    """Cut off the loudest samples, as a recorder does that is set too high."""
    bound = np.quantile(np.abs(samples), 1 - share)
    return samples if bound == 0 else np.clip(samples, -bound, bound)


def _compress(exponent: float, samples: Samples, place: Place) -> Samples:
    """Raise what is quiet: the magnitude of each sample, as a share of the peak, to a power below 1."""
    peak = max(np.abs(samples).max(), 1e-9)
    return np.sign(samples) * peak * (np.abs(samples) / peak) ** exponent


# Band


def through_rate(samples: Samples, rate: int, lower: int) -> Samples:
    """Through a lower sampling rate and back: what lies above half of it is lost.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
        Of the samples.
    lower : int > 0, Hz
        If it is not lower, nothing changes.

    Returns
    -------
    np.ndarray [shape=(n,)]
        At the same rate as before.
    """
    if lower >= rate:
        return samples
    return _as_long(soxr.resample(soxr.resample(samples, rate, lower), lower, rate), len(samples))


def _resample(rate: int, samples: Samples, place: Place) -> Samples:
    return through_rate(samples, place.rate, rate)


def _band(low_hz: float | None, high_hz: float | None, order: int, samples: Samples, place: Place) -> Samples:
    """A Butterworth filter; a bound at or above half the rate does nothing."""
    if high_hz is not None and high_hz < place.rate / 2:
        sections = scipy.signal.butter(order, high_hz, "lowpass", fs=place.rate, output="sos")
        samples = scipy.signal.sosfilt(sections, samples)
    if low_hz is not None:
        sections = scipy.signal.butter(order, low_hz, "highpass", fs=place.rate, output="sos")
        samples = scipy.signal.sosfilt(sections, samples)
    return samples


def _drawn_band(side: str, low_hz: float, high_hz: float, samples: Samples, place: Place) -> Samples:
    """A first-order low pass or high pass, its bound drawn between two."""
    bound = place.random.uniform(low_hz, high_hz)
    if side == "highpass":
        return _band(bound, None, 1, samples, place)
    return _band(None, bound, 1, samples, place)


def _shape(curve: tuple[tuple[float, float], ...], jitter_db: float, samples: Samples, place: Place) -> Samples:
    """A linear-phase filter through `(Hz, dB)` points, each moved by up to `jitter_db`."""
    top = place.rate / 2
    hz = np.array([point[0] for point in curve])
    db = np.array([point[1] for point in curve]) + place.random.uniform(-jitter_db, jitter_db, len(curve))
    grid = np.linspace(0, top, 257)
    gain = 10 ** (np.interp(np.log2(np.maximum(grid, 20)), np.log2(hz), db) / 20)
    kernel = scipy.signal.firwin2(511, grid, gain, fs=place.rate)
    return scipy.signal.fftconvolve(samples, kernel, "same")


def _tilt(db_an_octave: float, samples: Samples, place: Place) -> Samples:
    curve = tuple((hz, db_an_octave * np.log2(hz / TILT_CENTRE_HZ)) for hz in OCTAVES_HZ)
    return _shape(curve, 0.0, samples, place)


# Noise


def _noise(colour: str, snr_db: float, samples: Samples, place: Place) -> Samples:
    """White or pink noise, so far below the voice."""
    spectrum = np.fft.rfft(place.random.normal(size=len(samples)))
    if colour == "pink":
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        spectrum[0] = 0
    return _mix(samples, np.fft.irfft(spectrum, len(samples)), snr_db, place.rate)


def _babble(snr_db: float, samples: Samples, place: Place) -> Samples:
    """Other people who talk at once, so far below the voice."""
    if not place.voices:
        raise AudioError("Babble is made of other speakers' clips, and there are none. Name a folder of clips")
    babble = np.zeros(len(samples))
    for number in place.random.choice(len(place.voices), BABBLE_VOICES, replace=len(place.voices) < BABBLE_VOICES):
        voice = place.voices[number]
        other = np.resize(np.roll(voice, place.random.integers(len(voice))), len(samples))
        babble += other * 10 ** (-active_level(voice, place.rate) / 20)
    return _mix(samples, babble, snr_db, place.rate)


def _crowd(snr_db: float, samples: Samples, place: Place) -> Samples:
    """The clip itself, backwards and from several points at once, so far below it."""
    starts = place.random.integers(len(samples), size=BABBLE_VOICES)
    crowd = np.sum([np.roll(samples[::-1], start) for start in starts], axis=0)
    return _mix(samples, crowd, snr_db, place.rate)


def _mix(samples: Samples, noise: np.ndarray, snr_db: float, rate: int) -> Samples:
    """The voice and a noise whose mean power is so far below the voice's active level."""
    wanted = active_level(samples, rate) - snr_db
    return samples + noise * 10 ** (wanted / 20) / max(np.sqrt(np.mean(np.square(noise))), 1e-12)


def _tone(samples: Samples, place: Place) -> Samples:
    """A tone of 5 to 7 kHz, 40 to 50 dB below the peak."""
    hz, below_db = place.random.uniform(5_000, 7_000), place.random.uniform(40, 50)
    amplitude = np.abs(samples).max() * 10 ** (-below_db / 20)
    return samples + amplitude * np.sin(2 * np.pi * hz * np.arange(len(samples)) / place.rate)


# Rooms


def _room(kind: str, samples: Samples, place: Place) -> Samples:
    response = _impulse_response(kind, int(place.random.integers(ROOMS)), place.rate)
    return _as_long(scipy.signal.fftconvolve(samples, response), len(samples))


def _decay(decay_s: float, wet_db: float, samples: Samples, place: Place) -> Samples:
    """A room as noise that decays by 60 dB in a time; its energy is so much above that of the direct sound."""
    length = int(decay_s * place.rate)
    response = place.random.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    response *= 10 ** (wet_db / 20) / np.sqrt(np.square(response).sum())
    response[0] += 1
    return _as_long(scipy.signal.fftconvolve(samples, response), len(samples))


# Size in m, seconds in which the sound decays by 60 dB, and how far the microphone is from the mouth, in m.
ROOM_KINDS = {
    "room": ((4.0, 3.2, 2.5), 0.35, (0.5, 1.5)),
    "kitchen": ((3.4, 2.8, 2.5), 0.55, (0.4, 0.8)),
    "hall": ((14.0, 10.0, 4.5), 1.1, (1.5, 4.0)),
}


@lru_cache(maxsize=64)
def _impulse_response(kind: str, number: int, rate: int) -> np.ndarray:
    """From a mouth to a microphone in a room, by image sources; the direct sound comes first, at its own level."""
    size, decay_s, (nearest, farthest) = ROOM_KINDS[kind]
    random = np.random.default_rng([number, len(kind)])
    absorption, order = pra.inverse_sabine(decay_s, size)
    room = pra.ShoeBox(size, fs=rate, materials=pra.Material(absorption), max_order=min(order, 30))
    low, high = np.array([0.3, 0.3, 1.1]), np.array([size[0] - 0.3, size[1] - 0.3, 1.8])
    while True:
        mouth, microphone = random.uniform(low, high), random.uniform(low, high)
        distance = np.linalg.norm(mouth - microphone)
        if nearest <= distance <= farthest:
            break
    room.add_source(mouth)
    room.add_microphone(microphone)
    room.compute_rir()
    response = room.rir[0][0]
    direct = int(np.argmax(np.abs(response) > 0.5 * np.abs(response).max()))
    return response[max(0, direct - 8) :] / np.abs(response).max()


# Codecs


def _codec(codec: str, container: str, rate: int, bit_rate: int | None, samples: Samples, place: Place) -> Samples:
    """Through a real encoder and decoder, at the codec's own rate."""
    peak = np.abs(samples).max()
    scale = 1 / peak if peak > 1 else 1.0  # a file holds no more than full scale
    encoded = _encode(soxr.resample(samples * scale, place.rate, rate), codec, container, rate, bit_rate)
    decoded = soxr.resample(_decode(encoded), rate, place.rate) / scale
    return _as_long(_aligned(decoded, samples), len(samples))


def _encode(samples: Samples, codec: str, container: str, rate: int, bit_rate: int | None) -> bytes:
    import av  # here: it takes 0.2 s, and most commands need none of it

    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        if bit_rate:
            stream.bit_rate = bit_rate
        integers = np.clip(np.round(samples * 32_767), -32_768, 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(integers[None], format="s16", layout="mono")
        frame.sample_rate = rate
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def _decode(encoded: bytes) -> Samples:
    import av

    with av.open(io.BytesIO(encoded)) as file:
        to_float = av.AudioResampler(format="flt", layout="mono")
        frames = [*file.decode(audio=0), None]
        return np.concatenate([part.to_ndarray()[0] for frame in frames for part in to_float.resample(frame)])


def _aligned(changed: Samples, samples: Samples) -> Samples:
    """Without the delay of a codec, which would count as a pause at the beginning."""
    lags = scipy.signal.correlation_lags(len(changed), len(samples))
    delay = lags[np.argmax(scipy.signal.correlate(changed, samples))]
    return changed[delay:] if 0 < delay < len(changed) else changed


# Cuts


def _cut(number: int, side: str, samples: Samples, place: Place) -> Samples:
    """Some samples less at the beginning or the end, counted at 16 kHz."""
    number = round(number * place.rate / 16_000)
    return samples[number:] if side == "beginning" else samples[:-number]


def _pad(number: int, side: str, samples: Samples, place: Place) -> Samples:
    """Zeros before or after, counted at 16 kHz."""
    number = round(number * place.rate / 16_000)
    return np.pad(samples, (number, 0) if side == "beginning" else (0, number))


def _as_long(samples: Samples, length: int) -> Samples:
    return np.pad(samples, (0, max(0, length - len(samples))))[:length]


_TELEPHONE = (partial(_band, 300.0, 3_400.0, 4), partial(_codec, "pcm_alaw", "wav", 8_000, None))
# A phone held to the mouth, and a laptop on a table: what their small microphones pass.
_PHONE_SHAPE = ((80, -18), (150, -8), (300, 0), (1_000, 0), (2_500, 3), (4_000, 5), (7_000, 2), (10_000, -12))
_LAPTOP_SHAPE = ((80, -24), (200, -9), (400, -2), (900, 2), (2_000, -3), (3_500, 4), (6_000, -4), (10_000, -14))
_SMARTPHONE = partial(_shape, _PHONE_SHAPE, 2.0)


def _listed(*conditions: Condition) -> dict[str, Condition]:
    return {one.key: one for one in conditions}


CONDITIONS: dict[str, Condition] = _listed(
    Condition("quieter", "20 dB quieter", "20 dB down", (partial(_gain, -20.0),)),
    Condition("louder", "20 dB louder", "20 dB up", (partial(_gain, 20.0),)),
    Condition("peak", "Turned up to full scale", "peak at -1 dBFS, as editors and phones do", (partial(_peak, -1.0),)),
    Condition("offset", "With an offset", "a constant of a fifth of the peak is added", (partial(_offset, 0.2),)),
    Condition("16khz", "Sampled at 16 kHz", "nothing above 8 kHz", (partial(_resample, 16_000),)),
    Condition("8khz", "Sampled at 8 kHz", "nothing above 4 kHz", (partial(_resample, 8_000),)),
    Condition("telephone", "Over a telephone", "300 to 3,400 Hz, G.711 (A-law) at 8 kHz", _TELEPHONE),
    Condition(
        "mobile",
        "Over a mobile network",
        "AMR-NB at 12.2 kbit/s",
        (partial(_codec, "libopencore_amrnb", "amr", 8_000, 12_200),),
    ),
    Condition(
        "mp3", "As a small MP3", "MP3 at 32 kbit/s, 22,050 Hz", (partial(_codec, "libmp3lame", "mp3", 22_050, 32_000),)
    ),
    Condition(
        "aac", "As a small AAC", "AAC at 24 kbit/s, 22,050 Hz", (partial(_codec, "aac", "adts", 22_050, 24_000),)
    ),
    Condition("opus", "As a voice note", "Opus at 12 kbit/s", (partial(_codec, "libopus", "ogg", 48_000, 12_000),)),
    Condition("clipped", "Clipped", "the loudest 2% of the samples are cut off", (partial(_clip, 0.02),)),
    *(
        Condition(f"{kind}-{snr}", f"{title}, {snr} dB below the voice", f"signal-to-noise ratio {snr} dB", (change,))
        for snr in (30, 20, 10)
        for kind, title, change in (
            ("white", "White noise", partial(_noise, "white", float(snr))),
            ("pink", "Pink noise", partial(_noise, "pink", float(snr))),
            ("babble", "Other people talking", partial(_babble, float(snr))),
        )
    ),
    Condition("room", "In a room", "4 x 3.2 m, decay 0.35 s, 0.5 to 1.5 m away", (partial(_room, "room"),)),
    Condition("hall", "In a hall", "14 x 10 m, decay 1.1 s, 1.5 to 4 m away", (partial(_room, "hall"),)),
    Condition("smartphone", "By a smartphone", "its microphone's band, +-2 dB", (_SMARTPHONE,)),
    Condition("laptop", "By a laptop", "its microphone's band, +-2 dB", (partial(_shape, _LAPTOP_SHAPE, 2.0),)),
    Condition("dull", "Dull", "3 dB an octave less treble", (partial(_tilt, -TILT_DB),)),
    Condition("sharp", "Sharp", "3 dB an octave more treble", (partial(_tilt, TILT_DB),)),
    Condition(
        "cafe-call",
        "A call from a café",
        "babble 15 dB below the voice, over a telephone",
        (partial(_babble, 15.0), *_TELEPHONE),
    ),
    Condition(
        "kitchen-note",
        "A voice note in a kitchen",
        "decay 0.55 s, a smartphone, pink noise 25 dB below, peak at -1 dBFS, Opus at 16 kbit/s",
        (
            partial(_room, "kitchen"),
            _SMARTPHONE,
            partial(_noise, "pink", 25.0),
            partial(_peak, -1.0),
            partial(_codec, "libopus", "ogg", 48_000, 16_000),
        ),
    ),
    Condition(
        "low-quality-phone",
        "By a low-quality phone",
        "peak-normalised, compressed (power 0.8), AMR-NB at 7.4 kbit/s",
        (partial(_peak, 0.0), partial(_compress, 0.8), partial(_codec, "libopencore_amrnb", "amr", 8_000, 7_400)),
    ),
)

# The published test of small changes, under which an answer must not change: audEERING, ser-tests.
SMALL_CHANGES: dict[str, Condition] = _listed(
    *(Condition(f"gain{db:+d}", f"{db:+d} dB", f"{db:+d} dB", (partial(_gain, float(db)),)) for db in (-2, -1, 1, 2)),
    *(
        Condition(
            f"white-{snr}",
            f"White noise, {snr} dB",
            f"signal-to-noise ratio {snr} dB",
            (partial(_noise, "white", float(snr)),),
        )
        for snr in (35, 40, 45)
    ),
    *(
        Condition(
            f"{key}-{side}-{number}",
            f"{number} samples {word} the {side}",
            "counted at 16 kHz",
            (partial(change, number, side),),
        )
        for key, word, change in (("cut", "less at", _cut), ("pad", "of zeros at", _pad))
        for side in ("beginning", "end")
        for number in (100, 500, 1_000)
    ),
    Condition("low-pass", "Low pass", "first order, 6.5 to 7.5 kHz", (partial(_drawn_band, "lowpass", 6_500, 7_500),)),
    Condition("high-pass", "High pass", "first order, 50 to 150 Hz", (partial(_drawn_band, "highpass", 50, 150),)),
    *(
        Condition(
            f"clip-0.{tenths}",
            f"0.{tenths}% clipped",
            f"0.{tenths}% of the samples",
            (partial(_clip, tenths / 1_000),),
        )
        for tenths in (1, 2, 3)
    ),
    Condition("tone", "A tone", "of 5 to 7 kHz, 40 to 50 dB below the peak", (_tone,)),
)
