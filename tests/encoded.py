"""Sound files of every format, made from a gliding tone or from any samples."""

import io

import av
import numpy as np
import soundfile

RATE = 16_000


def sound(seconds=1.0, rate=RATE, channels=1):
    """A gliding tone with noise, another one in each channel -> float32 [shape=(n, channels)]."""
    rng = np.random.default_rng(channels)
    time = np.arange(round(seconds * rate))[:, np.newaxis] / rate
    tone = 0.3 * np.sin(2 * np.pi * (200 + 100 * np.arange(channels) + 150 * time) * time)
    return (tone + 0.02 * rng.standard_normal(tone.shape)).astype(np.float32)


def encode(samples, rate=RATE, format="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


def encode_av(samples, rate, muxer, codec, options=None, video=None):
    """Encode with PyAV; with `video`, a codec's name, some black pictures stand beside the sound or alone."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer, options=options or {}) as container:
        if video:
            pictures = container.add_stream(video, rate=10, width=64, height=64, pix_fmt="yuv420p")
        if samples is not None:
            layout = "mono" if samples.shape[1] == 1 else "stereo"
            track = container.add_stream(codec, rate=rate, layout=layout)
            converter = av.AudioResampler(format=track.codec.audio_formats[0], layout=layout, rate=rate)
        if video:
            for _ in range(5):
                picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode(None))
        if samples is not None:
            planar = np.ascontiguousarray(samples.T)
            frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, 0
            for piece in [*converter.resample(frame), *converter.resample(None), None]:
                container.mux(track.encode(piece))
    return file.getvalue()


def make(kind, seconds=1.0, rate=RATE, channels=1):
    samples = sound(seconds, rate, channels)
    match kind:
        case "wav" | "flac" | "ogg" | "mp3":
            return encode(samples, rate, kind.upper())
        case "opus":
            return encode(samples, rate, "OGG", "OPUS")
        case "m4a":
            return encode_av(samples, rate, "ipod", "aac")
        case "m4a-fragments":
            return encode_av(samples, rate, "mp4", "aac", {"movflags": "frag_keyframe+empty_moov"})
        case "m4a-alac":
            return encode_av(samples, rate, "ipod", "alac")
        case "webm":
            return encode_av(samples, rate, "webm", "libopus")
        case "amr":
            return encode_av(samples, rate, "amr", "libopencore_amrnb")
        case "amr-3gp":
            return encode_av(samples, rate, "3gp", "libopencore_amrnb")
        case "g726":
            return encode_av(samples, rate, "wav", "adpcm_g726")
        case "g722":
            return encode_av(samples, rate, "wav", "g722")
        case "ogg-flac":
            return encode_av(samples, rate, "ogg", "flac")
        case "aac":
            return encode_av(samples, rate, "adts", "aac")
        case "webm-live":  # as a browser records: no length in the header
            return encode_av(samples, rate, "webm", "libopus", {"live": "1"})
        case "webm-flac":
            return encode_av(samples, rate, "matroska", "flac")
    raise AssertionError(kind)
