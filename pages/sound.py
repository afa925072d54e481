"""One clip, two side by side, or one as it is heard in another recording condition: to the ear and to the eye."""

import random
from dataclasses import replace

import streamlit as st

from ser_core import audio, corpus, ui
from ser_core.audio.conditions import CONDITIONS
from ser_core.corpus import Clip, pairs
from ser_core.corpus.clips import without_zeros
from ser_core.corpus.pairs import AnyClip
from ser_core.corpus.ravdess import gender_of_actor
from ser_core.errors import CorpusError
from ser_core.ui import cached, closer, corpora, line
from ser_core.ui.clip import SHOWN_FIRST, audio_errors_shown, link_to_recordings, player
from ser_core.ui.side_by_side import Sound, show_views

FIRST, SECOND, HEARD = "clip", "other", "heard"  # in the address: ?clip=03-01-05-01-02-01-12&other=... or &heard=room
ONE, TWO, OTHERWISE = "One clip", "Two clips", "Recorded otherwise"
HEARD_FIRST = "telephone"
BABBLE_VOICES = 6


# For all sessions: they look at the same clips.
@st.cache_data(max_entries=16, show_spinner="Recording it otherwise")
def recorded_otherwise(
    key: str, condition: str, voices_of: tuple[str, ...], _waveform: audio.Waveform, _voices: list
) -> tuple[audio.Waveform, bytes]:
    """A clip in a recording condition, and the same as a file that browsers play."""
    with line.of_server().turn():
        samples = CONDITIONS[condition].apply(_waveform.samples, _waveform.rate, voices=_voices)
    changed = replace(_waveform, samples=samples)
    return changed, changed.wav()


def read_address(side: str, default: AnyClip | Clip, beside: AnyClip | Clip | None = None) -> AnyClip | Clip:
    """The clip that the address names; if it is not here, one like it, and a line that says so."""
    asked = None
    if side in st.query_params:
        try:
            asked = named(st.query_params[side])
        except CorpusError as error:
            st.warning(ui.as_text(f"{error}. Another clip is shown instead."))
    wanted = asked or default
    clip = wanted if wanted in clips else pairs.nearest([clip for clip in clips if clip != beside] or clips, wanted)
    if asked and clip != asked:
        st.warning(f"Clip {asked.stem} is not among the {len(clips):,} here. The one most like it is shown instead.")
    point_at(side, clip)
    return clip


def named(stem: str) -> Clip | AnyClip:
    """The clip of that name, which may not be here if it is of RAVDESS. Raises `CorpusError` if there is none."""
    if corpus_shown.is_ravdess:
        return corpus.parse(stem)
    if stem not in by_stem:
        raise CorpusError(f"There is no clip {stem!r} in {corpus_shown.name}")
    return by_stem[stem]


def point_at(side: str, clip: Clip) -> None:
    """Name a clip in the address, from which the page reads what to show."""
    if st.query_params.get(side) != clip.stem:
        st.query_params[side] = clip.stem


def choose_mode(first: Clip) -> None:
    """One clip or two, one in another recording condition, or any of them."""
    st.session_state["mode"] = TWO if SECOND in st.query_params else OTHERWISE if HEARD in st.query_params else ONE
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "How many",
            [ONE, TWO, OTHERWISE],
            required=True,
            key="mode",
            on_change=switch,
            args=(first,),
            label_visibility="collapsed",
        )
        st.button("Surprise me", icon=":material/casino:", on_click=surprise, key="surprise")


def switch(first: Clip) -> None:
    for side in (SECOND, HEARD):
        st.query_params.pop(side, None)  # a second click may come before the first was drawn
    if st.session_state["mode"] == TWO:
        point_at(SECOND, pairs.partners(clips, first)[0])
    elif st.session_state["mode"] == OTHERWISE:
        st.query_params[HEARD] = HEARD_FIRST


def surprise() -> None:
    first = random.choice(clips)
    point_at(FIRST, first)
    if SECOND in st.query_params:
        point_at(SECOND, random.choice(pairs.partners(clips, first)))


def choose(side: str, clip: Clip) -> None:
    """What a clip's name says, each part to be chosen from what there is."""
    with st.container(horizontal=True, gap="small"):
        for field in pairs.fields_of(clip):
            offered = pairs.offered(clips, clip, field)
            if field == "stem" and len(offered) == 1:
                continue
            st.session_state[f"{side}-{field}"] = getattr(clip, field)
            st.selectbox(
                corpus_shown.wording.titles.get(field, "clip").capitalize(),
                offered,
                format_func=lambda value, field=field: in_words(field, value),
                key=f"{side}-{field}",
                on_change=change,
                args=(side, clip, field),
                width=122,
            )


def in_words(field: str, value) -> str:
    """A choice in as few words as it takes: six of them stand in a row."""
    if not corpus_shown.is_ravdess:
        return without_zeros(value) if field == "speaker" else corpus_shown.wording.said(field, value)
    if field == "speaker":
        return f"{int(value)}, {gender_of_actor(int(value))}"
    words = corpus.said(field, value)
    return {"statement": f"{words.split()[0]} …", "repetition": str(value)}.get(field, words)


def change(side: str, clip: Clip, field: str) -> None:
    value = st.session_state[f"{side}-{field}"]
    other = pairs.changed(clips, clip, field, value)
    point_at(side, other)
    if not corpus_shown.is_ravdess:
        return  # what is chosen after it follows of itself: most speakers have other sentences
    moved = [name for name in pairs.fields_of(clip) if name != field and getattr(other, name) != getattr(clip, name)]
    if moved:
        shown = ", ".join(in_words(name, getattr(other, name)) for name in moved)
        st.toast(f"There is no such clip with {in_words(field, value)}: {shown} is shown instead.")


def play(clip: Clip) -> Sound | None:
    """A clip to the ear, or a line that says why it cannot be heard."""
    file, sound = corpus_shown.file(clip.stem), None
    if file is None:
        player(None, link=corpus_shown.is_ravdess)
        return None
    with audio_errors_shown(clip.stem, file):
        waveform = cached.waveform(file)
        player(file)
        sound = Sound(f"{clip.stem} {file.stat().st_mtime_ns}", waveform)
    if sound is None:
        return None
    said = f"“{corpus.STATEMENTS[clip.statement]}”" if isinstance(clip, Clip) else ui.as_text(clip.stem)
    st.caption(f"**{corpus_shown.title(clip)}**: {said}. {sound.voice}.")
    return sound


def choose_condition() -> str:
    """The recording condition that the address names."""
    if st.query_params[HEARD] not in CONDITIONS:
        st.warning(ui.as_text(f"There is no condition {st.query_params[HEARD]!r}. Another is shown instead."))
        st.query_params[HEARD] = HEARD_FIRST
    st.session_state["condition"] = st.query_params[HEARD]
    return st.selectbox(
        "How it is recorded",
        list(CONDITIONS),
        format_func=lambda key: CONDITIONS[key].title,
        key="condition",
        on_change=lambda: st.query_params.update({HEARD: st.session_state["condition"]}),
    )


def play_otherwise(clip: Clip, sound: Sound, condition: str) -> Sound:
    """The clip as it is heard in a recording condition."""
    others = babble(clip) if CONDITIONS[condition].needs_voices else {}
    waveform, file = recorded_otherwise(
        sound.key, condition, tuple(others), sound.waveform, [one.samples for one in others.values()]
    )
    st.audio(file, format=ui.MIME["wav"])
    st.caption(f"**{CONDITIONS[condition].title}**: {CONDITIONS[condition].note}.")
    return Sound(f"{sound.key} {condition}", waveform)


def babble(clip: Clip) -> dict[str, audio.Waveform]:
    """Clips of other actors, who talk at once behind this one."""
    first: dict[str, Clip] = {}
    for one in clips:
        if one.speaker != clip.speaker and len(first) < BABBLE_VOICES:
            first.setdefault(one.speaker, one)
    files = {one.stem: file for one in first.values() if (file := corpus_shown.file(one.stem))}
    return {stem: cached.waveform(file) for stem, file in files.items()}


def offer_pairs(first: Clip, second: Clip | None) -> None:
    """One click for each clip that is worth hearing beside the first."""
    emotions = pairs.other_emotions(clips, first)
    voices = pairs.other_voices(clips, first, after=second.speaker if second else first.speaker)
    same, like = ("actor and sentence", "emotion and sentence") if corpus_shown.is_ravdess else ("speaker", "emotion")
    for words, others in (
        (f"**Compare with** the same {same}:", {name.capitalize(): emotions[name] for name in emotions}),
        (f"or with the same {like}:", {f"Another {name} voice": voices[name] for name in voices}),
    ):
        if others:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(words, width="content")
                for name, clip in others.items():
                    kind = "primary" if clip == second else "secondary"
                    st.button(name, type=kind, on_click=point_at, args=(SECOND, clip), key=f"pair-{name}")


def compare(sounds: list[Sound], names: tuple[str, str]) -> None:
    """What the ear should notice, counted."""
    st.markdown(pairs.compare(*(sound.voice for sound in sounds), names))
    st.caption(
        "Loudness is in LUFS, decibels weighted as the ear hears: 10 more sound about twice as loud. 12 "
        "semitones higher is an octave: twice the frequency."
    )


ui.require_router()
st.title("See a sound")
st.markdown("Hear a clip, then see what is in it: eight ways to look at the same sound.")
corpus_shown = corpora.choose()
by_stem = {} if corpus_shown.is_ravdess else cached.registered_choices(corpus_shown.registered)
if corpus_shown.is_ravdess:
    clips = [clip for clip in corpus.official_clips() if clip.stem in corpus_shown.audible.files]
    shown_first = SHOWN_FIRST
else:
    clips = list(by_stem.values())
    shown_first = clips[0]
if corpus_shown.is_ravdess and not cached.recordings().files:
    st.markdown(f":material/volume_down: {len(clips)} clips come with the app. All 2,452 are a download away:")
    link_to_recordings()

if FIRST not in st.query_params:
    st.query_params.update(st.session_state.get(f"shown-{corpus_shown.name}", {}))  # back from another page
first = read_address(FIRST, shown_first)
choose_mode(first)
second = read_address(SECOND, pairs.partners(clips, first)[0], beside=first) if SECOND in st.query_params else None
shown = {FIRST: first} if second is None else {FIRST: first, SECOND: second}
is_otherwise = second is None and HEARD in st.query_params
st.session_state[f"shown-{corpus_shown.name}"] = {side: clip.stem for side, clip in shown.items()}
sounds, names = [], pairs.names(first, second, corpus_shown.wording) if second else ("",)
columns = st.columns(1 + (second is not None or is_otherwise))
for column, (side, clip) in zip(columns, shown.items(), strict=False):
    with column:
        choose(side, clip)
        sounds.append(play(clip))
if is_otherwise and sounds[0]:
    with columns[1]:
        condition = choose_condition()
        sounds.append(play_otherwise(first, sounds[0], condition))
        names = "As recorded", CONDITIONS[condition].title
heard = [sound for sound in sounds if sound]
if len(heard) == 2:
    compare(heard, names)
if not is_otherwise:
    offer_pairs(first, second)
if heard:
    show_views(sounds, names)
    closer.show(sounds, names, is_ravdess=corpus_shown.is_ravdess)
