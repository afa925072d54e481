"""Decoding of what FFmpeg reads, such as M4A and WebM, in a separate process, with limits on its time and memory.

FFmpeg's demuxers build tables of whatever a file lists (tags, fragments, edit lists) before a single sample is decoded,
so a small malicious file can cost hours or gigabytes. No check of the file can rule that out, so the process is killed
at its limits. Its time is that of the processor: under load, an intact file may wait long for its share of it. It
returns a line of JSON and raw samples, never a pickled object, so that a compromised child cannot execute code in its
parent.
"""

import json
import math
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np

from ser_core.audio.decoding import decode as decode_here
from ser_core.audio.waveform import Limits, Waveform
from ser_core.errors import AudioError
from ser_core.settings import child_environment

SECONDS = 20  # of processor time; ten minutes of sound take about two
PATIENCE_S = 600  # by the clock, since the machine may be busy; and where processor time has no limit, as on Windows
MEMORY = 2 * 2**30  # bytes of address space, most of it taken by the libraries


def decode(data: bytes, rate: int, limits: Limits) -> Waveform:
    """`decoding.decode` in a child process.

    Parameters
    ----------
    data : bytes
    rate : int
        Rate of the result, in Hz.
    limits : Limits

    Returns
    -------
    Waveform

    Raises
    ------
    AudioError
        As `decoding.decode`; and if the child exceeded its time or memory, crashed, or the machine is too busy.
    """
    command = [sys.executable, "-m", "ser_core.audio.sandbox", str(SECONDS), str(rate), json.dumps(asdict(limits))]
    try:
        child = subprocess.run(command, input=data, capture_output=True, env=child_environment(), timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise AudioError(
            f"The file could not be decoded within {PATIENCE_S} s: this machine is too busy now. Try again in a minute."
        ) from error
    if child.returncode:
        raise AudioError(
            f"The file could not be decoded within {SECONDS} s and {MEMORY / 2**30:.0f} GB of memory: it is damaged. "
            "Export it again as WAV, FLAC, OGG or MP3."
        )
    end = child.stdout.index(b"\n")
    answer = json.loads(child.stdout[:end])
    if "error" in answer:
        raise AudioError(answer["error"])
    answer["warnings"] = tuple(answer["warnings"])
    return Waveform(samples=np.frombuffer(child.stdout, dtype=np.float32, offset=end + 1), **answer)


def _main(seconds: str, rate: str, limits: str) -> None:
    data = sys.stdin.buffer.read()
    import av  # noqa: F401  # imported before memory is limited: the library is large, the sound is not

    _limit(int(seconds))
    try:
        waveform = decode_here(data, int(rate), Limits(**json.loads(limits)))
    except AudioError as error:
        sys.stdout.buffer.write(_line({"error": str(error)}))
        return
    sys.stdout.buffer.write(_line({name: value for name, value in vars(waveform).items() if name != "samples"}))
    sys.stdout.buffer.write(waveform.samples.data)


def _line(answer: dict) -> bytes:
    """The answer as a line whose length keeps the samples after it aligned."""
    line = json.dumps(answer).encode()
    return line + b" " * (-(len(line) + 1) % 4) + b"\n"


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the timeout in the parent applies there
        return
    until = math.ceil(time.process_time()) + seconds  # without what the start took
    resource.setrlimit(resource.RLIMIT_CPU, (until, until))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _main(*sys.argv[1:])
