import errno
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from ser_core import corpus
from ser_core.cli import main
from ser_core.corpus import archives, unpacking
from ser_core.corpus import download as downloading
from ser_core.corpus.download import download
from ser_core.errors import CorpusError, DownloadError, DownloadStopped, ReadOnlyError
from ser_core.settings import PROJECT, Settings
from tests.archive_server import (
    SONG,
    SPEECH,
    Handler,
    clips,
    cut,
    endless,
    ignore_range,
    ignore_range_and_cut,
    put_archive,
    status,
    wrong_range,
    zipped,
)


@pytest.fixture
def server(archive_server):
    return archive_server


@pytest.fixture
def offer(server):
    """Put an archive on the server: its description."""
    return partial(put_archive, server)


@pytest.fixture
def archive(offer):
    return offer()


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "ravdess"


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The seconds that were to be waited; nobody waits them."""
    waited = []
    monkeypatch.setattr(archives.Reporter, "wait", lambda _, archive, done, seconds: waited.append(seconds))
    return waited


def part_of(dest, name=SPEECH):
    return dest / ".download" / f"{name}.part"


def assert_nothing_to_index(dest):
    """The folder is to the index as it was before, and nothing half-unpacked is hidden in it either."""
    with pytest.raises(CorpusError):
        corpus.index(dest)
    assert {path.name for path in dest.glob("*")} <= {".download"}
    assert {path.name for path in dest.glob(".download/*")} <= {"lock", f"{SPEECH}.part", f"{SONG}.part"}


def plenty(monkeypatch):
    space = namedtuple("space", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: space(10**12))


# How it should go


def test_both_archives_come_and_are_indexed(offer, server, dest):
    both = (offer(), offer(part="song"))
    brought = download(both, dest)
    assert (brought.dest, brought.parts, brought.already_there) == (dest, ("speech", "song"), ())
    assert (brought.clips, brought.bytes) == (16, sum(archive.bytes for archive in both))
    found = corpus.index(dest)
    assert found.clips["channel"].value_counts().to_dict() == {"speech": 8, "song": 8}
    assert found.rejected == ()
    for channel, folder in (("speech", "Speech"), ("song", "Song")):
        for name, content in clips(channel).items():
            assert (dest / folder / name).read_bytes() == content
    assert [path.name for path in (dest / ".download").iterdir() if path.name != "lock"] == []
    assert server.ranges == [None, None]


def test_the_official_archives_are_as_the_record_says():
    speech, song = archives.ARCHIVES
    assert (speech.part, speech.clips, speech.bytes) == ("speech", 1440, 208_468_073)
    assert (song.part, song.clips, song.bytes) == ("song", 1012, 225_505_317)
    for archive in (speech, song):
        assert archive.url == f"https://zenodo.org/records/1188976/files/{archive.name}?download=1"
        assert re.fullmatch("[0-9a-f]{64}", archive.sha256)


def test_the_official_clips_fit_into_what_is_reserved_for_them(ravdess):
    found = corpus.index(ravdess).clips
    seconds = found.groupby("channel")["duration_s"].agg(["sum", "max"])
    for archive in archives.ARCHIVES:
        stereo = 6 * 7 * 96_000  # at most so much more: six clips have two channels
        assert seconds["sum"][archive.part] * 96_000 + stereo < 0.9 * archive.unpacked_bytes
        assert seconds["max"][archive.part] * 96_000 * 2 < unpacking.MAX_CLIP_BYTES / 2


def test_progress_goes_through_the_steps_and_knows_rate_and_time_left(archive, dest, monkeypatch):
    monkeypatch.setattr(archives, "REPORT_EVERY_S", 0)
    told = []
    download([archive], dest, progress=told.append)
    assert list(dict.fromkeys(at.phase for at in told)) == ["downloading", "checking", "unpacking"]
    for phase in ("downloading", "checking", "unpacking"):
        steps = [at for at in told if at.phase == phase]
        done = [at.done for at in steps]
        assert (done[0], done[-1]) == (0, steps[0].total)
        assert done == sorted(done)
        assert (steps[0].rate, steps[0].seconds_left) == (None, None)
        assert steps[-1].rate > 0
        assert steps[-1].seconds_left == 0
    assert {at.total for at in told if at.phase != "unpacking"} == {archive.bytes}


def test_progress_is_told_a_few_times_a_second_only(archive, dest):
    told = []
    download([archive], dest, progress=told.append)
    assert len(told) < 15


def test_what_is_complete_in_another_layout_is_not_downloaded_again(archive, server, dest):
    for name, content in clips().items():
        (dest / "mine").mkdir(parents=True, exist_ok=True)
        (dest / "mine" / name.split("/")[1]).write_bytes(content)
    brought = download([archive], dest)
    assert (brought.parts, brought.already_there, brought.clips, brought.bytes) == ((), ("speech",), 0, 0)
    assert server.ranges == []
    assert not (dest / ".download").exists()


def test_a_second_time_nothing_is_asked_of_the_server(archive, server, dest):
    download([archive], dest)
    assert download([archive], dest).already_there == ("speech",)
    assert len(server.ranges) == 1


def test_only_the_part_that_lacks_is_downloaded(offer, server, dest):
    speech, song = offer(), offer(part="song")
    download([song], dest)
    brought = download([speech, song], dest)
    assert (brought.parts, brought.already_there) == (("speech",), ("song",))


def test_an_own_folder_in_the_way_is_named_before_anything_is_asked(archive, server, dest):
    name, content = next(iter(clips().items()))
    (dest / "Speech" / "Actor_01").mkdir(parents=True)
    (dest / "Speech" / name).write_bytes(content)
    with pytest.raises(DownloadError, match=r"Speech is there, but of the 8 speech clips only 1 .* Move it away"):
        download([archive], dest)
    assert server.ranges == []


def test_files_in_the_archive_that_are_no_clips_are_passed_over(offer, dest):
    extra = {
        ".DS_Store": b"x",
        "__MACOSX/Actor_01/._03-01-05-01-01-01-01.wav": b"x",
        "Actor_01/": b"",
        "Actor_01/read me.txt": b"x",
        "Actor_01/03-01-05-01-01-01-01.exe": b"x",
        "Actor_01/cough.wav": b"x",
    }
    download([offer(zipped(clips() | extra))], dest)
    files = {path.relative_to(dest / "Speech").as_posix() for path in (dest / "Speech").rglob("*") if path.is_file()}
    assert files == set(clips())


# Connections


def test_a_cut_connection_is_resumed_and_only_the_rest_is_sent(archive, server, dest, waits):
    server.faults = [cut(50_000)]
    assert download([archive], dest).bytes == archive.bytes
    assert server.ranges == [None, "bytes=50000-"]
    assert server.sent == [50_000, archive.bytes - 50_000]
    assert waits == [1]
    assert len(corpus.index(dest).clips) == 8


def test_a_later_call_goes_on_where_the_first_was_given_up(archive, server, dest):
    server.faults = [cut(40_000), *[status(503)] * 6]
    with pytest.raises(DownloadError, match=r"6 tries in a row failed, .* 503 .* kept: try again later"):
        download([archive], dest)
    assert part_of(dest).stat().st_size == 40_000
    assert_nothing_to_index(dest)
    brought = download([archive], dest)
    assert server.ranges[-1] == "bytes=40000-"
    assert brought.bytes == archive.bytes - 40_000
    assert len(corpus.index(dest).clips) == 8


def test_a_whole_part_is_not_asked_for_again(archive, server, dest):
    part_of(dest).parent.mkdir(parents=True)
    part_of(dest).write_bytes(server.files[SPEECH])
    assert download([archive], dest).bytes == 0
    assert server.ranges == []


def test_a_part_larger_than_the_archive_is_begun_anew(archive, server, dest):
    part_of(dest).parent.mkdir(parents=True)
    part_of(dest).write_bytes(bytes(archive.bytes + 1))
    download([archive], dest)
    assert server.ranges == [None]


def test_a_server_that_ignores_range_is_read_from_the_start(archive, server, dest):
    server.faults = [cut(50_000), ignore_range]
    download([archive], dest)
    assert server.ranges == [None, "bytes=50000-"]
    assert server.sent[-1] == archive.bytes
    assert len(corpus.index(dest).clips) == 8


def test_a_server_that_ignores_range_and_always_cuts_is_given_up(archive, server, dest, waits):
    server.faults = [cut(50_000), *[ignore_range_and_cut(50_000)] * 20]
    with pytest.raises(DownloadError, match="6 tries in a row failed"):
        download([archive], dest)
    assert waits == [1, 2, 4, 8, 16]


def test_an_answer_of_the_wrong_range_is_not_written(archive, server, dest):
    server.faults = [cut(50_000), wrong_range]
    download([archive], dest)
    assert server.ranges == [None, "bytes=50000-", None]
    assert len(corpus.index(dest).clips) == 8


def test_a_part_that_the_server_cannot_go_on_from_is_begun_anew(archive, server, dest):
    server.faults = [cut(50_000), status(416)]
    download([archive], dest)
    assert server.ranges == [None, "bytes=50000-", None]


def test_503_is_tried_again_after_as_long_as_the_server_says(archive, server, dest, waits):
    server.faults = [status(503, Retry_After=7), status(503)]
    download([archive], dest)
    assert waits == [7, 2]


def test_429_waits_no_longer_than_a_minute(archive, server, dest, waits):
    server.faults = [status(429, Retry_After=86_400), status(429, Retry_After="soon")]
    download([archive], dest)
    assert waits == [60, 2]


def test_progress_gives_new_tries(archive, server, dest, waits):
    server.faults = [status(500)] * 4 + [cut(50_000)] + [status(500)] * 4
    download([archive], dest)
    assert waits == [1, 2, 4, 8, 1, 2, 4, 8, 16]


def test_a_server_that_is_not_there_is_given_up_with_a_clear_line(archive, server, dest, waits):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}/{SPEECH}"
    with pytest.raises(DownloadError, match="there is no connection") as error:
        download([replace(archive, url=url)], dest)
    assert "\n" not in str(error.value)
    assert waits == [1, 2, 4, 8, 16]


def test_a_server_that_falls_silent_is_asked_again(archive, server, dest, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT_S", (20, 2))  # longer than a good answer takes on a machine at work
    over = threading.Event()

    def silent(request):
        cut(40_000)(request)
        over.wait(60)

    server.faults = [silent]
    download([archive], dest)
    over.set()
    assert len(server.ranges) == 2
    assert len(corpus.index(dest).clips) == 8


@pytest.mark.parametrize("code", [404, 403])
def test_a_file_that_is_not_there_is_not_asked_for_twice(archive, server, dest, code):
    server.faults = [status(code)]
    with pytest.raises(DownloadError, match=rf"answers {code} .*https://zenodo\.org/records/1188976"):
        download([archive], dest)
    assert len(server.ranges) == 1
    assert_nothing_to_index(dest)


def test_a_body_without_end_is_cut_off(archive, server, dest):
    server.faults = [endless]
    with pytest.raises(DownloadError, match=f"more than {archive.bytes:,} bytes"):
        download([archive], dest)
    assert part_of(dest).stat().st_size == 0
    assert_nothing_to_index(dest)


def test_a_file_of_another_size_is_refused_before_it_is_read(archive, server, dest):
    server.files[SPEECH] = b"<html>Please log in</html>"
    with pytest.raises(DownloadError, match=f"it has 26 bytes instead of {archive.bytes:,}"):
        download([archive], dest)
    assert not part_of(dest).exists()


def test_a_rest_of_a_file_of_another_size_is_refused_and_the_part_kept(archive, server, dest):
    server.faults = [cut(50_000), lambda request: request.head(206, Content_Range="bytes 50000-50009/50010")]
    with pytest.raises(DownloadError, match=f"it has 50,010 bytes instead of {archive.bytes:,}"):
        download([archive], dest)
    assert part_of(dest).stat().st_size == 50_000


def test_a_wrong_digest_is_deleted_and_nothing_is_unpacked(archive, server, dest):
    with pytest.raises(DownloadError, match=f"expected {'0' * 64}. It was deleted: run it again") as error:
        download([replace(archive, sha256="0" * 64)], dest)
    assert archive.sha256 in str(error.value)
    assert not part_of(dest).exists()
    assert_nothing_to_index(dest)
    download([archive], dest)
    assert len(corpus.index(dest).clips) == 8


def test_a_part_that_went_bad_is_found_out_after_resuming(archive, server, dest):
    part_of(dest).parent.mkdir(parents=True)
    part_of(dest).write_bytes(bytes(50_000))
    with pytest.raises(DownloadError, match="SHA-256"):
        download([archive], dest)
    assert not part_of(dest).exists()
    assert_nothing_to_index(dest)


# The disk


def test_too_little_room_is_said_before_anything_is_asked(archive, server, dest, monkeypatch):
    space = namedtuple("space", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: space(archive.unpacked_bytes))
    with pytest.raises(DownloadError, match=r"has 1\.0 MB free, but the download needs 1\.\d MB"):
        download([archive], dest)
    assert server.ranges == []


def test_what_has_arrived_needs_no_room_again(archive, server, dest, monkeypatch):
    part_of(dest).parent.mkdir(parents=True)
    part_of(dest).write_bytes(server.files[SPEECH][:50_000])
    space = namedtuple("space", "free")
    needed = archive.unpacked_bytes + archive.bytes - 50_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: space(needed))
    download([archive], dest)


@contextmanager
def small_disk(folder, size, monkeypatch):
    """A folder on a disk of so many bytes: a real one where this may be mounted, else one whose writing fails."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if mounted:
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return

    class Full(io.FileIO):
        def write(self, block):
            used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            if used + len(block) > size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(block)

    for module in (downloading, unpacking):
        monkeypatch.setattr(module, "open", lambda file, mode: Full(file, mode.replace("b", "")), raising=False)
    yield folder


def test_a_disk_that_fills_while_it_arrives_keeps_the_part(archive, server, tmp_path, monkeypatch):
    plenty(monkeypatch)
    with small_disk(tmp_path / "disk", 64 * 1024, monkeypatch) as dest:
        with pytest.raises(DownloadError, match=r"is full: the rest needs 1\.\d MB. What has arrived is kept"):
            download([archive], dest)
        assert 0 < part_of(dest).stat().st_size < archive.bytes
        assert server.files[SPEECH].startswith(part_of(dest).read_bytes())
        assert_nothing_to_index(dest)


def test_a_disk_that_fills_while_it_is_unpacked_keeps_the_archive_alone(archive, server, tmp_path, monkeypatch):
    plenty(monkeypatch)
    size = archive.bytes + 64 * 1024
    with small_disk(tmp_path / "disk", size, monkeypatch) as dest:
        with pytest.raises(DownloadError, match=r"is full: the rest needs 1\.0 MB"):
            download([archive], dest)
        assert part_of(dest).stat().st_size == archive.bytes
        assert_nothing_to_index(dest)


def test_a_folder_that_cannot_be_made_is_named(archive, server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"file.ravdess cannot be written .* Choose another folder"):
        download([archive], tmp_path / "file" / "ravdess")
    assert server.ranges == []


# Two at a time, stopped, killed


def test_a_second_download_at_the_same_time_is_refused_until_the_first_is_gone(archive, server, dest):
    (dest / ".download").mkdir(parents=True)
    code = (
        f"import filelock, time; lock = filelock.FileLock({str(dest / '.download' / 'lock')!r}); lock.acquire(); "
        "print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DownloadError, match=r"Another download into .* is running"):
            download([archive], dest)
        assert server.ranges == []
    finally:
        other.kill()  # without a word: its lock must go with it
        other.communicate()
    download([archive], dest)


def test_two_downloads_in_one_process_do_not_meet(archive, server, dest):
    met = []

    def during(_):
        if not met:
            with pytest.raises(DownloadError, match="Another download") as error:
                download([archive], dest)
            met.append(error)

    download([archive], dest, progress=during)
    assert met
    assert len(server.ranges) == 1


def test_it_is_stopped_and_goes_on_later(archive, server, dest):
    asked = []
    with pytest.raises(DownloadStopped, match="What has arrived is kept"):
        download([archive], dest, stopped=lambda: asked.append(1) or len(asked) == 2)
    size = part_of(dest).stat().st_size
    assert 0 < size < archive.bytes
    assert_nothing_to_index(dest)
    download([archive], dest)
    assert server.ranges == [None, f"bytes={size}-"]
    assert len(corpus.index(dest).clips) == 8


@pytest.mark.parametrize("phase", ["checking", "unpacking"])
def test_it_is_stopped_after_all_has_arrived(archive, server, dest, phase):
    phases = []
    with pytest.raises(DownloadStopped):
        download([archive], dest, progress=lambda at: phases.append(at.phase), stopped=lambda: phase in phases)
    assert part_of(dest).stat().st_size == archive.bytes
    assert_nothing_to_index(dest)
    download([archive], dest)
    assert len(server.ranges) == 1


def test_it_is_stopped_while_it_waits(archive, server, dest, monkeypatch):
    monkeypatch.undo()  # wait in earnest
    monkeypatch.setenv("NO_PROXY", "*")
    server.faults = [status(503, Retry_After=30)]
    told = []
    started = time.monotonic()
    with pytest.raises(DownloadStopped):
        download([archive], dest, progress=told.append, stopped=lambda: told and told[-1].phase == "waiting")
    assert time.monotonic() - started < 25
    assert (told[-1].phase, told[-1].seconds_left) == ("waiting", 30)


def test_a_process_killed_while_it_unpacks_leaves_nothing_to_the_index(archive, server, dest):
    code = f"""
import os, signal
from ser_core.corpus import archives
from ser_core.corpus.download import download
archives.REPORT_EVERY_S = 0
seen = []
def die(at):
    seen.append(at.phase)
    if seen.count("unpacking") == 5:
        os.kill(os.getpid(), signal.SIGKILL)
download([archives.{archive!r}], {str(dest)!r}, progress=die)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert list((dest / ".download" / "Speech").rglob("*.wav"))  # it died in the middle
    with pytest.raises(CorpusError):
        corpus.index(dest)
    assert download([archive], dest).bytes == 0
    assert len(server.ranges) == 1
    assert len(corpus.index(dest).clips) == 8
    assert [path.name for path in (dest / ".download").iterdir() if path.name != "lock"] == []


# Archives that are not to be trusted: their digest is right here, which no such archive's would be


def linked():
    entry = zipfile.ZipInfo("Actor_01/03-01-05-01-01-01-01.wav")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({name: content for name, content in clips().items() if name != entry.filename} | {entry: "/etc"})


def flagged(content, offset, value):
    """Change two bytes of the first entry, counted from its place in the directory at the end of a ZIP file."""
    at = content.index(b"PK\x01\x02") + offset
    return content[:at] + value.to_bytes(2, "little") + content[at + 2 :]


def twice():
    name, content = next(iter(clips().items()))
    return zipped(clips() | {name.upper().replace("ACTOR", "again"): content})


def damaged():
    content = zipped(clips())
    return content[:1_000] + bytes(1_000) + content[2_000:]


def lying():
    """A clip of zeros that claims to be smaller than it is."""
    content = zipped({"Actor_01/03-01-05-01-01-01-01.wav": bytes(500_000)} | dict(list(clips().items())[1:]))
    at = content.index(b"PK\x01\x02") + 24
    return content[:at] + (1_000).to_bytes(4, "little") + content[at + 4 :]


CLIP = "03-01-05-01-01-01-01.wav"
REFUSED = {
    "leads up": (lambda: zipped(clips() | {f"../{CLIP}": b"x"}), r"'\.\./.*' leads out of the folder"),
    "leads up within": (lambda: zipped(clips() | {f"Actor_01/../../{CLIP}": b"x"}), "leads out of the folder"),
    "leads up as on Windows": (lambda: zipped(clips() | {f"..\\{CLIP}": b"x"}), "leads out of the folder"),
    "absolute": (lambda: zipped(clips() | {f"/tmp/{CLIP}": b"x"}), "leads out of the folder"),
    "drive": (lambda: zipped(clips() | {f"C:{CLIP}": b"x"}), "leads out of the folder"),
    "no clip that leads up": (lambda: zipped(clips() | {"../.bashrc": b"x"}), "leads out of the folder"),
    "link": (linked, "is a link or a device"),
    "bomb": (lambda: zipped(clips() | {f"Actor_01/{CLIP}": bytes(6_000_000)}), r"has 6\.0 MB, more than a clip"),
    "bomb of many": (
        lambda: zipped({name: bytes(200_000) for name in clips()}),
        r"its clips have 1\.6 MB, more than 1\.0 MB",
    ),
    "lying about its size": (lying, "it is damaged"),
    "many entries": (lambda: zipped(clips() | {f"{i}.txt": b"" for i in range(10_001)}), "10,009 entries"),
    "a clip too few": (lambda: zipped(dict(list(clips().items())[1:])), "holds 7 speech clips instead of 8"),
    "clips of the other part": (lambda: zipped(clips("song")), "holds 0 speech clips instead of 8"),
    "a clip twice": (twice, "is in it twice"),
    "encrypted": (lambda: flagged(zipped(clips()), 8, 1), "is encrypted"),
    "odd packing": (lambda: flagged(zipped(clips()), 10, 12), "packed in an unusual way"),
    "damaged": (damaged, "it is damaged"),
    "no ZIP file": (lambda: b"RAVDESS" * 1_000, "it is damaged: File is not a zip file"),
}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED)
def test_a_suspicious_archive_is_not_unpacked(make, said, offer, dest, tmp_path):
    with pytest.raises(DownloadError, match=f"Speech.zip is not unpacked, since .*{said}"):
        download([offer(make())], dest)
    assert_nothing_to_index(dest)
    assert {path.name for path in tmp_path.iterdir()} <= {"ravdess", "workspace"}


def test_no_more_is_written_than_a_clip_can_have_whatever_the_archive_says(offer, dest, monkeypatch):
    monkeypatch.setattr(unpacking, "fault", lambda *_: None)
    monkeypatch.setattr(unpacking, "MAX_CLIP_BYTES", 10_000)
    with pytest.raises(DownloadError, match="is larger than it says"):
        download([offer()], dest)
    assert_nothing_to_index(dest)


# From the command line


@pytest.fixture
def official(offer, monkeypatch):
    """Small archives in the place of the official ones."""
    monkeypatch.setattr(archives, "ARCHIVES", (offer(), offer(part="song")))
    return archives.ARCHIVES


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_from_the_command_line_both_come_by_default(official, dest, capsys):
    assert main(["download", "--dest", str(dest), "--accept-licence", "--json"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert answer.pop("seconds") > 0
    total = sum(archive.bytes for archive in official)
    assert answer == {
        "dest": str(dest),
        "downloaded": ["speech", "song"],
        "already_there": [],
        "clips": 16,
        "bytes": total,
    }
    for said in ("CC BY-NC-SA 4.0", "non-commercial", "attribution", "share alike", "PLoS ONE 13(5): e0196391"):
        assert said in printed.err


@pytest.mark.parametrize(
    ("options", "parts"), [(["--speech"], ["speech"]), (["--song"], ["song"]), (["--song", "--speech"], None)]
)
def test_from_the_command_line_a_part_is_chosen(official, dest, capsys, options, parts):
    assert main(["download", *options, "--dest", str(dest), "--accept-licence", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["downloaded"] == (parts or ["speech", "song"])


def test_from_the_command_line_it_goes_to_the_data_folder(official, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "data"))
    assert main(["download", "--speech", "--accept-licence"]) == 0
    assert len(corpus.index(tmp_path / "data").clips) == 8
    assert "8 clips (speech) are new" in capsys.readouterr().out
    assert main(["download", "--accept-licence"]) == 0
    said = capsys.readouterr().out
    assert "8 clips (song) are new" in said
    assert "All clips of speech were already in" in said


def test_without_a_terminal_the_licence_must_be_accepted_by_option(official, server, dest, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["download", "--dest", str(dest)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "--accept-licence" in last
    assert server.ranges == []


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_a_licence_that_is_not_accepted_ends_it(official, server, dest, monkeypatch, capsys, typed):
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert main(["download", "--dest", str(dest)]) == 2
    assert "the licence was not accepted" in capsys.readouterr().err
    assert server.ranges == []
    assert not dest.exists()


def test_a_licence_accepted_at_the_terminal_is_enough(official, dest, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["download", "--dest", str(dest), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clips"] == 16


def test_the_bar_shows_each_step_also_when_it_has_to_wait(official, server, dest, monkeypatch, capsys):
    monkeypatch.setattr(
        archives.Reporter,
        "wait",
        lambda reporter, archive, done, _: reporter._report(
            archives.Progress(archive.part, "waiting", done, archive.bytes)
        ),
    )
    server.faults = [status(503)]
    assert main(["download", "--dest", str(dest), "--accept-licence"]) == 0
    said = capsys.readouterr().err
    for step in ("Downloading speech", "Checking speech", "Unpacking speech", "Downloading song", "Unpacking song"):
        assert step in said


def test_ctrl_c_says_that_what_arrived_is_kept(official, dest, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(downloading, "download", interrupted)
    assert main(["download", "--dest", str(dest), "--accept-licence"]) == 130
    assert "What has arrived is kept" in capsys.readouterr().err


def test_a_failed_download_is_one_clear_line_and_exit_2(official, server, dest, capsys):
    server.faults = [status(404)]
    assert main(["download", "--dest", str(dest), "--accept-licence", "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("Error: http://127.0.0.1")


# Read only


def test_a_read_only_installation_downloads_nothing(official, server, dest, monkeypatch, capsys):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    assert main(["download", "--dest", str(dest), "--accept-licence"]) == 2
    assert "No download here: this installation is read-only" in capsys.readouterr().err
    assert server.ranges == []


@pytest.mark.parametrize(("value", "read_only"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_read_only_is_read_from_the_environment(monkeypatch, value, read_only):
    monkeypatch.setenv("SER_READ_ONLY", value)
    settings = Settings.from_environment()
    assert settings.read_only is read_only
    if read_only:
        with pytest.raises(ReadOnlyError, match="SER_READ_ONLY"):
            settings.require_writable("download")
    else:
        settings.require_writable("download")


def test_progress_in_words():
    going = archives.Progress("speech", "downloading", 50_000_000, 200_000_000, 2_000_000.0, 75.0)
    assert going.words == "Downloading speech: 50 of 200 MB, 2.0 MB/s, 1 min 15 s left"
    waiting = archives.Progress("song", "waiting", 0, 200_000_000, seconds_left=16)
    assert waiting.words == "No answer for song: trying again in 16 s"


def test_what_a_killed_process_left_is_cleared_up(archive, server, dest):
    making = dest / ".download"
    stale = making / "Speech" / "Actor_01"
    stale.mkdir(parents=True)
    (stale / "half.wav").write_bytes(bytes(1000))
    download([archive], dest)
    assert {path.name for path in making.iterdir()} <= {"lock"}
    (making / f"{SPEECH}.part").write_bytes(b"killed after the clips were in place")
    assert download([archive], dest).already_there == ("speech",)
    assert {path.name for path in making.iterdir()} <= {"lock"}
