"""Commands on recordings: `download`, `index`, `extract` and `spectrograms`."""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.prompt import Confirm

from ser_core import audio, corpus, durations
from ser_core.audio import conditions
from ser_core.cli.screen import complain, err, is_quiet, print_table, progress, say
from ser_core.corpus import archives, file_names, labels, manifest, ravdess, registered
from ser_core.corpus import download as downloading
from ser_core.corpus.clips import speakers_of
from ser_core.errors import AudioError, CorpusError, DownloadError, FeatureError
from ser_core.features import elsewhere, encoder, images, registry, smile, tables


def download(options, settings):
    """Download the official RAVDESS clips."""
    _accept_licence(archives.LICENCE, options)
    wanted = [
        archive
        for archive in archives.ARCHIVES
        if options.speech == options.song or getattr(options, archive.part)  # neither is both
    ]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    try:
        with Progress(*columns, console=err, disable=is_quiet(options)) as bar:
            tasks = {}

            def advance(at):
                step = (at.part, "downloading" if at.phase == "waiting" else at.phase)
                what = f"{at.phase.capitalize()} {at.part}"
                if step not in tasks:  # starts at what an earlier try left, so that the rate is the present one
                    tasks[step] = bar.add_task(what, total=at.total, completed=at.done)
                bar.update(tasks[step], description=what, completed=at.done)
                if options.report:
                    options.report.progress(what, at.done, at.total, at.words)

            done = downloading.download(wanted, options.dest or settings.data_dir, progress=advance)
    except KeyboardInterrupt:
        complain("What has arrived is kept: run the command again to resume.")
        raise
    answer = {
        "dest": str(done.dest),
        "downloaded": list(done.parts),
        "already_there": list(done.already_there),
        "clips": done.clips,
        "bytes": done.bytes,
        "seconds": round(time.perf_counter() - started, 2),
    }

    def show():
        if done.parts:
            say(f"{done.clips:,} clips ({' and '.join(done.parts)}) are new in {done.dest}")
        if done.already_there:
            say(f"All clips of {' and '.join(done.already_there)} were already in {done.dest}: nothing to download")

    return answer, 0, show


def _accept_licence(licence: str, options) -> None:
    complain(licence)
    if options.accept_licence:
        return
    if not sys.stdin.isatty():
        raise DownloadError("The licence must be accepted, and there is no terminal for a prompt: add --accept-licence")
    try:
        accepted = Confirm.ask("Do you accept this licence?", console=err, default=False)
    except EOFError:
        accepted = False
    if not accepted:
        raise DownloadError("Nothing was downloaded, because the licence was not accepted")


def index(options, settings):
    """List the clips of one or more folders or manifests, and write them as a manifest."""
    places = [options.place, *options.more]
    out = _out(options, settings, manifest.SUFFIX)
    if options.more and not out:
        raise CorpusError("Several corpora are joined into one manifest: name it with --out F.csv")
    corpora = [corpus.index(place) for place in places]
    if out:
        manifest.write(corpora, out)
    clips = pd.concat([found.clips for found in corpora], ignore_index=True)
    rejected = [one for found in corpora for one in found.rejected]
    notes = [found.note for found in corpora if found.note]
    speakers = len(set(speakers_of(clips)))
    is_ravdess = not any(map(corpus.is_manifest, places)) and "channel" in clips and clips["channel"].notna().all()
    channels = {name: int((clips["channel"] == name).sum()) for name in ("speech", "song")} if is_ravdess else {}
    answer = {
        "clips": len(clips),
        **channels,
        "actors": speakers,
        "corpus": ", ".join(sorted(clips["corpus"].unique())),
        "speakers": speakers,
        "emotions": clips["emotion"].value_counts().sort_index().to_dict(),
        "rejected": _left_out(rejected),
        **({"notes": notes} if notes else {}),
        **({"out": str(out)} if out else {}),
    }

    def show():
        kinds = channels if is_ravdess else answer["emotions"]
        counted = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
        whose = f"{speakers} {'actor' if is_ravdess else 'speaker'}{'s' * (speakers != 1)}"
        whose += f" of {answer['corpus']}" * (not is_ravdess)
        say(f"{len(clips):,} clips ({counted}) of {whose}")
        for note in notes:
            say(note)
        if out:
            say(f"Their index is in {out}: edit it, and name it in place of the folder")
        if rejected:
            print_table("Left out", ["file", "reason"], [(item.file, item.reason) for item in rejected])

    return answer, 0, show


def _out(options, settings, suffix: str):
    """The file to write: that of `--out`, which may be None, or that of a registered corpus."""
    if options.name is None:
        return options.out
    settings.require_writable("registration of a corpus")
    return registered.place(options.name, settings.workspace, suffix)


def corpora(options, settings):
    """List the corpora that are known, and those that are in some folders."""
    places = options.places or [settings.data_dir]
    for place in places:
        if options.places and not place.is_dir():
            complain(f"There is no folder {place}. Check the path")
    there = [found for place in places for found in corpus.known_in(place)]
    for_pages, unreadable = registered.read_all(settings.workspace)
    for one in unreadable:
        complain(str(one))
    emotions = {one.code: one.name for one in labels.EMOTIONS}
    known = [(ravdess.NAME, ravdess.FULL_NAME, ravdess.EXAMPLE, emotions)]
    known += [(one.name, one.title, one.example, one.emotions) for one in file_names.CORPORA]
    answer = {
        "known": [dict(zip(("name", "title", "example", "emotions"), one, strict=True)) for one in known],
        "synonyms": labels.SYNONYMS,
        "there": [{"folder": str(folder), "corpus": name, "files": files} for folder, name, files in there],
        "registered": [{name: str(value) if value else None for name, value in vars(one).items()} for one in for_pages],
        "unreadable": [{"entry": one.id, "reason": one.reason} for one in unreadable],
    }

    def show():
        rows = [
            (name, title, example, ", ".join(f"{code} {emotion}" for code, emotion in words.items()))
            for name, title, example, words in known
        ]
        print_table("Known by their file names", ["corpus", "name", "a file", "emotions"], rows)
        listed = ", ".join(f"{word} is {emotion}" for word, emotion in labels.SYNONYMS.items())
        say(f"In manifests and audformat databases, {listed}; any other emotion stays as it is written.")
        say("To change emotions or genders, write the index (index DIR --out F.csv), edit it, and name it instead.")
        found = [(str(folder), name, f"{files:,}") for folder, name, files in there]
        if found:
            print_table("Here", ["folder", "corpus", "sound files"], found)
        else:
            say(f"None of them is in {', '.join(map(str, places))}")
        if for_pages:
            files = [(one.name, str(one.manifest or ""), str(one.table or "")) for one in for_pages]
            print_table("Registered, for the pages", ["corpus", "manifest", "features"], files)

    return answer, 0, show


def extract(options, settings):
    """Extract the features of every clip of a corpus into a table."""
    started = time.perf_counter()
    out = _out(options, settings, registered.TABLE)
    if elsewhere.is_file(options.features) and not options.features.startswith(encoder.PREFIX):
        return _with_own_features(options, out)
    key = registry.key_of(options.features)
    if not registry.is_table(key):
        able = " and ".join((*registry.tables(), *smile.SETS))
        raise FeatureError(f"{key} is no table of numbers; {able} are")
    features = registry.get(options.features)
    found = corpus.index(options.place)
    with progress("Extracting", "clip", options) as advance:
        extraction = tables.extract(found, settings.workspace, features=features, jobs=options.jobs, progress=advance)
    tables.save(extraction.table, out)
    _print_left_out(extraction.rejected)
    if found.note:
        complain(found.note)
    seconds = time.perf_counter() - started
    answer = {
        "clips": len(extraction.table),
        "features": len(features.names),
        "extracted": extraction.extracted,
        "reused": extraction.reused,
        "seconds": round(seconds, 2),
        "rejected": _left_out(extraction.rejected),
    }

    def show():
        say(
            f"{answer['clips']:,} clips, {answer['features']} features each, in {out}: "
            f"{answer['extracted']:,} extracted, {answer['reused']:,} reused, {durations.in_words(seconds)}"
        )

    return answer, 0, show


def _with_own_features(options, out: Path):
    """Write the index of a corpus with the features of a file, which nothing is extracted for."""
    found = corpus.index(options.place)
    table = elsewhere.of_file(Path(options.features), found.clips)
    table.attrs[tables.FOLDER] = str(found.folder.absolute())
    tables.save(table, out)
    _print_left_out(found.rejected)
    if found.note:
        complain(found.note)
    held = tables.features_of(table)
    features = len(held.names) if held else 0
    answer = {
        "clips": len(table),
        "features": features,
        "extracted": 0,
        "reused": len(table),
        "rejected": _left_out(found.rejected),
    }
    words = f"{len(table):,} clips, {features} features each from {options.features}, in {out}"
    return answer, 0, lambda: say(words)


def spectrograms(options, settings):
    """Write the spectrogram of each clip as an image."""
    started = time.perf_counter()
    with progress("Drawing", "clip", options) as advance:
        written = images.write(
            corpus.index(options.data or settings.data_dir),
            options.out,
            kind=options.kind,
            copies=options.augment,
            seed=options.seed,
            jobs=options.jobs,
            progress=advance,
        )
    _print_left_out(written.rejected)
    seconds = time.perf_counter() - started
    answer = {
        "pictures": written.train + written.test,
        "train": written.train,
        "test": written.test,
        "made": written.made,
        "reused": written.train + written.test - written.made,
        "seconds": round(seconds, 2),
        "rejected": _left_out(written.rejected),
    }

    def show():
        say(
            f"{answer['pictures']:,} images in {written.folder} ({answer['train']:,} to train on, {answer['test']:,} "
            f"to test on): {answer['made']:,} made, {answer['reused']:,} reused, {durations.in_words(seconds)}"
        )

    return answer, 0, show


FORMATS = {".wav": "FLOAT", ".flac": "PCM_24"}  # of `hear`; a WAV file holds samples beyond full scale, too
BABBLE_CLIPS = 8


def hear(options, settings):
    """Write a recording as it is heard in a recording condition."""
    condition = conditions.get(options.condition)
    if options.out.suffix.lower() not in FORMATS:
        raise AudioError(f"{options.out}: only {' and '.join(FORMATS)} files are written. Choose one of these endings")
    rate = audio.load(options.file).original_rate
    clip = audio.load(options.file, rate=rate)
    voices = _voices(options.voices or settings.data_dir, options.file, rate) if condition.needs_voices else []
    changed = condition.apply(clip.samples, rate, seed=options.seed, voices=voices)
    try:
        soundfile.write(options.out, changed, rate, subtype=FORMATS[options.out.suffix.lower()])
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioError(f"{options.out} cannot be written ({error}). Choose another place") from error
    peak = 20 * np.log10(max(np.abs(changed).max(), 1e-9))
    answer = {
        "file": str(options.file),
        "condition": condition.key,
        "out": str(options.out),
        "rate": rate,
        "seconds": round(len(changed) / rate, 3),
        "peak_dbfs": round(float(peak), 1),
    }

    def show():
        say(f"{options.out}: {options.file} heard {conditions.in_words(condition.key)} ({condition.note})")

    return answer, 0, show


def _voices(place, file, rate: int) -> list[np.ndarray]:
    """Clips of a corpus for babble, each of another speaker than the file's own where the corpus tells."""
    try:
        found = corpus.index(place)
    except CorpusError as error:
        raise CorpusError(f"Babble is made of other people's clips: {error}. Name a folder with --voices") from error
    clips = found.clips
    own = clips["speaker"][clips["path"].map(lambda path: (found.folder / path).absolute() == file.absolute())]
    first = clips[~clips["speaker"].isin(own)].groupby("speaker").first().head(BABBLE_CLIPS)
    return [audio.load(found.folder / path, rate=rate).samples for path in first["path"]]


def _left_out(rejected) -> list[dict]:
    return [{"file": item.file, "reason": item.reason} for item in rejected]


def _print_left_out(rejected) -> None:
    for item in rejected:
        complain(f"Left out {item.file}: {item.reason}")
