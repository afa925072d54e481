"""Decoding of what FFmpeg reads, such as M4A and WebM, in a separate process, with limits on its time and memory.

FFmpeg's demuxers build tables of whatever a file lists (tags, fragments, edit lists) before a single sample is decoded,
so a small malicious file can cost hours or gigabytes. No check of the file can rule that out, so the process is killed
at its limits. It returns a line of JSON and raw samples, never a pickled object, so that a compromised child cannot
execute code in its parent.
"""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np

from ser_core.audio.decoding import decode as decode_here
from ser_core.audio.waveform import Limits, Waveform
from ser_core.errors import AudioError
from ser_core.settings import child_environment

SECONDS = 20  # of CPU time; ten minutes of sound take about two
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
        As `decoding.decode`; and if the child exceeded its time or memory, or crashed.
    """
    command = [sys.executable, "-m", "ser_core.audio.sandbox", str(SECONDS), str(rate), json.dumps(asdict(limits))]
    try:
        child = subprocess.run(command, input=data, capture_output=True, env=child_environment(), timeout=2 * SECONDS)
    except subprocess.TimeoutExpired:
        child = None
    if child is None or child.returncode:
        raise AudioError(
            f"The file could not be decoded within {SECONDS} s and {MEMORY / 2**30:.0f} GB of memory: it is damaged. "
            "Export it again as WAV, FLAC, OGG or MP3."
        )
    head, _, samples = child.stdout.partition(b"\n")
    answer = json.loads(head)
    if "error" in answer:
        raise AudioError(answer["error"])
    answer["warnings"] = tuple(answer["warnings"])
    return Waveform(samples=np.frombuffer(samples, dtype=np.float32), **answer)


def _main(seconds: str, rate: str, limits: str) -> None:
    data = sys.stdin.buffer.read()
    import av  # noqa: F401  # imported before memory is limited: the library is large, the sound is not

    _limit(int(seconds))
    try:
        waveform = decode_here(data, int(rate), Limits(**json.loads(limits)))
    except AudioError as error:
        sys.stdout.buffer.write(json.dumps({"error": str(error)}).encode())
        return
    answer = {name: value for name, value in vars(waveform).items() if name != "samples"}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + waveform.samples.tobytes())


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the timeout in the parent applies there
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _main(*sys.argv[1:])
