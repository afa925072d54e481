"""What is in a corpus: counts, durations, loudness; every mark leads to its clips and their sound."""

import pandas as pd
import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import corpus, durations, files, jobs, ui
from ser_core.corpus import TITLES, Corpus, archives, download, labels
from ser_core.corpus.wording import MOST_VALUES
from ser_core.features import exploration
from ser_core.figures import corpus as figures
from ser_core.figures.style import count_of
from ser_core.ui import cached, corpora, work
from ser_core.ui.clip import clip_card, clip_picture

PROPERTIES = ("emotion", "channel", "intensity", "gender", "speaker", "statement", "part")
ACTOR = TITLES["speaker"]  # as it is called in addresses, in the table and in its CSV
COUNTS, SPLIT = "Counts", "The study's split"
OF_RAVDESS = ("emotion", "channel", "intensity", "gender", ACTOR, *figures.MEASURES, "statement", "repetition", "part")
MOST_ROWS = 4_000  # in the table of clips, 300 KB; all are in the CSV
PLAIN = ("emotion", "gender", "language")  # in the address as they are; a manifest's own column may have any name


def choose_filters(clips: pd.DataFrame) -> pd.DataFrame:
    """The clips that the visitor's filters leave. An empty filter leaves all."""
    kept = clips
    with st.container(horizontal=True):
        for name in properties:
            values = labels.ordered(clips[name]) if name == "emotion" else sorted(clips[name].unique())
            chosen = st.multiselect(
                titles[name].capitalize(),
                **ui.options({value: shown.wording.said(name, value) for value in values}, key_of(name)),
                placeholder="all",
                width=170,
                wrap=True,
            )
            if chosen:
                kept = kept[kept[name].isin(chosen)]
    return kept


def key_of(name: str) -> str:
    """A filter's name in the page's address."""
    if name == "speaker":
        return shown.wording.speaker
    return name if is_ravdess or name in PLAIN else f"of-{name}"


def show_view(clips: pd.DataFrame, filters: str) -> tuple[pd.DataFrame, str]:
    """One chart of the clips; those behind what was clicked in it, and what that is in words."""
    measures = {words.capitalize(): name for name, (words, *_) in figures.MEASURES.items() if name in clips}
    views = [COUNTS, *measures, *[SPLIT] * is_ravdess]
    view = st.pills("Show", views, default=COUNTS, required=True, key="view", bind="query-params", wrap=True) or COUNTS
    if view == SPLIT:
        picked = ui.chart(figures.split(clips), key=f"split-{filters}", clickable=True)
        return behind(clips, ("label", "part"), picked)
    left, right = st.columns(2)
    few = {name: titles[name] for name in properties if clips[name].nunique() <= MOST_VALUES}
    rows = left.selectbox("by", **ui.options(few, "rows"))
    if view == COUNTS:
        others = {name: title for name, title in few.items() if name != rows}
        columns = right.selectbox("and by", index=None, placeholder="nothing else", **ui.options(others, "columns"))
        drawn = figures.counts(clips, rows, columns)
        picked = ui.chart(drawn, key=f"counts-{rows}-{columns}-{filters}", clickable=True)
        return behind(clips, (rows, columns) if columns else (rows,), picked)
    measure = measures[view]
    picked = ui.chart(figures.spread(clips, measure, rows), key=f"{measure}-{rows}-{filters}", clickable=True)
    return behind(clips, ("stem",), picked)


def behind(clips: pd.DataFrame, columns: tuple[str, ...], picked: list) -> tuple[pd.DataFrame, str]:
    """The clips behind the clicked marks, and the marks in words; all clips if nothing was clicked."""
    if not picked:
        return clips, ""
    wanted = pd.DataFrame(picked, columns=list(columns))
    said = shown.wording.said
    if columns == ("stem",):
        words = shown.wording.titles_of(clips[clips["stem"].isin(wanted["stem"])])
    else:
        words = [" × ".join(said(*pair) for pair in zip(columns, row, strict=True)) for row in picked]
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return clips.merge(wanted, on=list(columns)), ", ".join(words[:3]) + more


def show_clips(clips: pd.DataFrame, words: str) -> None:
    """The clips as a table; the chosen one can be heard."""
    st.header(count_of(len(clips)) + (f": {words}" if words else ""))
    if clips.empty:
        st.caption("There is none among the clips that are left by the filters.")
        return
    here = st.container()
    rows = in_columns(clips)
    event = st.dataframe(
        rows.head(MOST_ROWS),
        # What all have in common is in the heading and the filters.
        column_order=[name for name in rows if len(rows) == 1 or rows[name].nunique() > 1],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"clips-{pd.util.hash_pandas_object(clips['stem']).sum()}",  # of other clips no row is chosen yet
        column_config={
            ACTOR: NumberColumn(width="small"),
            "statement": NumberColumn(
                "sentence", width="small", help="; ".join(f"{n}: {text}" for n, text in corpus.STATEMENTS.items())
            ),
            "duration_s": NumberColumn("duration (s)", format="%.1f"),
            "loudness_lufs": NumberColumn("loudness (LUFS)", format="%.0f"),
            "pitch_hz": NumberColumn("pitch (Hz)", format="%.0f"),
        },
    )
    chosen = event.selection.rows or [0] * (len(clips) == 1)
    stem = clips["stem"].iloc[chosen[0]] if chosen else None
    with here:
        if stem:
            clip_card(stem, shown.file(stem), link=False, of=shown)
        else:
            st.caption(
                f"The first {MOST_ROWS:,} of them; all are in the CSV. "
                * (len(rows) > MOST_ROWS)
                + "Tick a row to hear it. Click a bar, a cell or a dot in the chart (on a phone, tap it twice) to see "
                "the clips behind it."
            )
    if stem:
        clip_picture(stem, shown.file(stem))
    ui.download("These clips as CSV", lambda: files.as_csv(rows.round(3)), f"{shown.name}-clips.csv", "text/csv")


def in_columns(clips: pd.DataFrame) -> pd.DataFrame:
    """The columns of the table of clips."""
    if is_ravdess:
        return clips.assign(**{ACTOR: clips["speaker"].astype(int)})[[*OF_RAVDESS, "stem"]]
    first = [name for name in ("emotion", "speaker", "gender") if name in properties]
    measures = [name for name in figures.MEASURES if name in clips]
    return clips[[*dict.fromkeys([*first, *measures, *properties, "stem"])]]


def introduce() -> None:
    """A corpus that is not RAVDESS, in a few words, and what of it was left out."""
    speakers, found = everything["speaker"].nunique(), everything["emotion"].nunique()
    hours = everything["duration_s"].sum() / 3600
    st.markdown(
        f"**{ui.as_text(shown.name)}: {count_of(len(everything))}.** {speakers:,} speakers, {found} emotions, "
        f"{durations.in_words(3600 * hours)} of sound."
    )
    if rejected := shown.audible.rejected:
        with st.expander(f"{len(rejected):,} rows were left out", icon=":material/warning:"):
            show_rejected(rejected)


def show_rejected(rejected) -> None:
    """The files that were left out, and why."""
    st.dataframe(
        pd.DataFrame([(item.file, item.reason) for item in rejected], columns=["file", "why"]), hide_index=True
    )


def show_sound(found: Corpus, audible: int) -> None:
    """Which recordings are there, how many clips can be heard with those that ship, and the way to all others."""
    folder = ui.as_text(str(ui.settings().data_dir))
    coverage = corpus.coverage(found.clips)
    there, missing = coverage[["speech", "song"]].sum().sum(), coverage["missing"].sum()
    if not missing:
        with st.expander(f"All {there:,} clips can be heard: they are in {folder}", icon=":material/volume_up:"):
            show_coverage(coverage, found.rejected)
        return
    with st.container(border=True):
        if there:
            st.markdown(
                f":material/volume_down: **{audible:,} of {there + missing:,} clips can be heard**: {there:,} are in "
                f"{folder}{f', and {audible - there} come with the app' if audible > there else ''}. The charts are of "
                "all clips all the same."
            )
        else:
            st.markdown(
                f":material/volume_down: **{audible:,} of {missing:,} clips can be heard**: those that come with the "
                f"app. No recordings are in {folder}. Everything but listening to the others works without."
            )
            if way_out := corpus.obstacle(ui.settings().data_dir):
                st.warning(ui.as_text(f"{way_out}."))
        job = work.latest("download")
        if not (job and job.is_alive):
            with st.popover("Get the recordings", type="primary", icon=":material/download:"):
                offer_download(coverage)
        if job and job.status != "done":
            st.fragment(show_download, run_every=1.0 if job.is_alive else None)()
        if there or found.rejected:
            with st.expander("What is there and what is missing, by actor"):
                show_coverage(coverage, found.rejected)


def tell_origin() -> None:
    """How RAVDESS was recorded and rated, from the paper of its makers."""
    with st.expander("How the clips were made and rated", icon=":material/mic:"):
        sentences = " and ".join(f"“{text}”" for text in corpus.STATEMENTS.values())
        st.markdown(
            "- **Who:** 24 professional actors, 12 women and 12 men, who speak English with a neutral North American "
            "accent. Researchers of Ryerson University in Toronto made the clips.\n"
            f"- **What:** the same two sentences for all, {sentences}, so that only the voice tells the emotion. Each "
            "emotion is acted at two intensities, normal and strong; neutral has one.\n"
            "- **How it is kept:** WAV files with a sampling rate of 48 kHz, 16 bit a number, mono (six are stereo), "
            "not compressed.\n"
            "- **How it was rated:** 247 people from North America without training for it were the raters. Each clip "
            "was rated 10 times: which emotion it is, how strong, and how genuine.\n\n"
            "The label of a clip is what the actor was asked to play, not what the raters heard."
        )
        st.caption(
            "Livingstone & Russo 2018, "
            "[PLoS ONE 13(5): e0196391](https://doi.org/10.1371/journal.pone.0196391). Besides these 2,452 sound files "
            "it has videos: 7,356 recordings in all, and the ratings are of all of them."
        )


def offer_download(coverage: pd.DataFrame) -> None:
    """The official archives with their licence, for what is missing."""
    settings = ui.settings()
    if settings.read_only:
        st.markdown("Nothing can be started here. Whoever runs this server gets them where `SER_READ_ONLY` is not set:")
        st.code("python -m ser_core download", language=None)
        return
    lacking = [
        archive for archive in archives.ARCHIVES if coverage[archive.part].sum() < coverage[f"{archive.part}_of"].sum()
    ]
    wanted = st.pills(
        "Archives",
        lacking,
        selection_mode="multi",
        default=lacking,
        format_func=lambda archive: (
            f"{archive.part.capitalize()}: {archive.clips:,} clips, {archive.bytes / 1e6:.0f} MB"
        ),
        key="archives",
    )
    st.caption(
        f"From zenodo.org, checked and then unpacked into {ui.as_text(str(settings.data_dir))}. "
        f"While it unpacks it takes {download.room_needed(wanted, settings.data_dir) / 1e9:.1f} GB of disk."
    )
    st.markdown(archives.LICENCE)
    accepted = st.checkbox("I accept the licence", key="accepted")
    if st.button("Download", type="primary", disabled=not (accepted and wanted), key="download"):
        arguments = ("download", *(f"--{archive.part}" for archive in wanted), "--accept-licence")
        work.start_job(jobs.Task("download", "ravdess", arguments, "Download of the recordings", resumable=True))
        st.rerun()
    st.caption("You have them already? Set `SER_DATA_DIR` to their folder and start the app again. Any layout will do.")


def show_download() -> None:
    """How far the download is, or how it ended."""
    if job := work.latest("download"):
        work.show_job(job, where="recordings")


def show_coverage(coverage: pd.DataFrame, rejected) -> None:
    """Clips by actor, and the files that were left out."""
    st.dataframe(
        pd.DataFrame(
            {
                ACTOR: coverage["speaker"].astype(int),
                "gender": coverage["gender"],
                "speech": coverage["speech"].astype(str) + " of " + coverage["speech_of"].astype(str),
                "song": coverage["song"].astype(str) + " of " + coverage["song_of"].astype(str),
                "missing": coverage["missing"],
            }
        ),
        hide_index=True,
    )
    if rejected:
        st.markdown(f"{len(rejected)} files were left out:")
        show_rejected(rejected)


ui.require_router()
st.title("The recordings")
shown = corpora.choose()
everything, is_ravdess = shown.clips, shown.is_ravdess
properties = PROPERTIES if is_ravdess else tuple(shown.wording.titles)
titles = shown.wording.titles
if is_ravdess:
    st.markdown(
        f"**RAVDESS: {len(everything):,} clips.** {everything['speaker'].nunique()} actors, half of them women, speak "
        "two sentences in eight emotions, and all but one of them sing them in six. Every emotion but neutral is acted "
        "in a normal and a strong version, each twice."
    )
    show_sound(cached.recordings(), len(shown.audible.files))
    tell_origin()
else:
    introduce()
clips = choose_filters(everything)
if (
    is_ravdess
    and 0 < len(shown.audible.files) < len(everything)
    and st.toggle("Only clips that can be heard", key="heard", bind="query-params")
):
    clips = clips[clips["stem"].isin(shown.audible.files)]
if clips.empty:
    st.info("No clip is left by these filters: take one away.", icon=":material/filter_alt_off:")
else:
    said = exploration.gaps(clips) if is_ravdess else []
    if said:
        st.markdown("**Mind the gaps:** " + " ".join(said))
    chosen = [f"{name}={value}" for name in properties for value in st.session_state[key_of(name)]]
    filters = "-".join([shown.name, *chosen, str(len(clips))])
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        behind_it, words = show_view(clips, filters)
    with table:
        show_clips(behind_it, words)
