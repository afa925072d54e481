"""A round of a listening test on a page: its clips one after the other, and what comes of it.

What a listener's browser gets before the reveal is a clip's number and its sound, whose name is a digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from ser_core import corpus
from ser_core.audio import conditions
from ser_core.corpus import Corpus, official_clips, ravdess
from ser_core.corpus.labels import languages_in_words, title_of
from ser_core.errors import ListeningError
from ser_core.figures import listening
from ser_core.figures.style import percent
from ser_core.listening import rounds, scores
from ser_core.listening.rounds import Round
from ser_core.results.published import HUMAN_ACCURACY
from ser_core.ui import as_text, cached, chart, settings
from ser_core.ui.clip import clip_card

SURE_KEYS = "ASDFG"  # of the levels of `scores.SURE`; Streamlit keeps C and R for itself
AGAIN_KEY, NEXT_KEY = "H", "N"
ME, THE_MODEL, THE_CLASS = "You", "The model", "The class"
PEOPLE = "People, published"
WIDTH = 720  # pixels: four emotions or five levels of sureness beside each other, two and three on a phone
EMOTION_WIDTH, SURE_WIDTH, METRIC_WIDTH = 168, 106, 168
VOICES = {"speech": "Speech", "song": "Song"}  # the channels of RAVDESS
NOTHING = Corpus(Path(), pd.DataFrame({"stem": [], "path": []}), ())


@st.cache_resource(max_entries=2, show_spinner="Looking for recordings")
def _other_corpus(place: str, stamp: str) -> Corpus:
    return corpus.index(place)


def other_corpus() -> Corpus | None:
    """The other corpus of this installation (SER_OTHER_CORPUS).

    Returns
    -------
    Corpus or None
        None if it has none.

    Raises
    ------
    CorpusError
        If it cannot be read.
    """
    place = settings().other_corpus
    if place is None:
        return None
    stamp = str(place.stat().st_mtime_ns) if place.is_file() else corpus.stamp(place)
    return _other_corpus(str(place), stamp)


def name_of(other: Corpus) -> str:
    """The name of a corpus, by which runs on it are found.

    Parameters
    ----------
    other : Corpus

    Returns
    -------
    str
    """
    return other.clips["corpus"].iloc[0]


def other_voices() -> dict[str, str]:
    """What rounds can be of beside `VOICES`: the other corpus of this installation, if it has one.

    Returns
    -------
    dict of str to str
        Its name -> its title, with its language where it is known: "German (emodb)".

    Raises
    ------
    CorpusError
        If it cannot be read.
    """
    other = other_corpus()
    if other is None:
        return {}
    languages = languages_in_words(sorted(set(other.clips["language"]) - {""}))
    return {name_of(other): f"{languages} ({name_of(other)})" if languages else name_of(other)}


def whose(voice: str) -> dict[str, str]:
    """The clips of a round, as `rounds.draw` and `rounds.offered` take them.

    Parameters
    ----------
    voice : str
        Of `VOICES` or `other_voices`.

    Returns
    -------
    dict of str to str
    """
    return {"channel": voice} if voice in VOICES else {"corpus": voice}


def recordings(name: str) -> Corpus:
    """What can be heard of a corpus.

    Parameters
    ----------
    name : str

    Returns
    -------
    Corpus
        Empty if the corpus is not here.
    """
    if name == ravdess.NAME:
        return cached.audible()
    other = other_corpus()
    return other if other and name_of(other) == name else NOTHING


def pool(channel: str) -> str:
    """Which clips of RAVDESS rounds are drawn from here: all, if all can be heard.

    Parameters
    ----------
    channel : str

    Returns
    -------
    {"shipped", "all"}
    """
    files = cached.audible().files
    return (
        rounds.ALL if all(one.stem in files for one in official_clips() if one.channel == channel) else rounds.SHIPPED
    )


def require_sounds(one: Round) -> None:
    """Check that every clip of a round can be heard here.

    Parameters
    ----------
    one : Round

    Raises
    ------
    ListeningError
        If one cannot.
    """
    if missing := one.missing(recordings(one.corpus)):
        raise ListeningError(
            f"{len(missing)} of the {len(one.clips)} clips of this round are not here. {rounds.way_out(one)}"
        )


def sound(one: Round, clip: int) -> bytes:
    """A clip as listeners hear it; made once for all sessions.

    Parameters
    ----------
    one : Round
    clip : int
        Its number.

    Returns
    -------
    bytes
        A WAV file.

    Raises
    ------
    ListeningError
        If it cannot be heard here.
    """
    place = settings()
    return _sound(one, clip, f"{one.address} {one.run.id} {place.data_dir} {place.other_corpus}")


@st.cache_data(max_entries=128, ttl="10min", show_spinner=False)  # recordings may be replaced
def _sound(_one: Round, clip: int, what: str) -> bytes:
    return _one.sound(clip, recordings(_one.corpus))


def ask(
    one: Round,
    clip: int,
    content: bytes,
    *,
    on_answer: Callable[[int, str, float], None],
    key: str = "ears",
    autoplay: bool = False,
    disabled: bool = False,
) -> None:
    """Ask for one clip of a round: its player, a button for each emotion (keys 1 to 8), and how sure (keys A to G).

    Nothing that is sent to the browser tells what the clip is.

    Parameters
    ----------
    one : Round
    clip : int
        Its number.
    content : bytes
        Its sound, from `sound`.
    on_answer : callable
        Takes the clip's number, the emotion, and how sure the listener is, 0 to 1. Called before the page runs again.
    key : str
        Beginning of the widgets' keys.
    autoplay : bool
        Whether the clip plays by itself. Browsers allow it after the first click.
    disabled : bool
        Whether no answer can be given now.
    """
    state = f"{key}-draft"  # (round, clip), the chosen emotion, how many times it was asked for again
    here = (one.address, clip)
    draft = st.session_state.get(state)
    _, chosen, times = draft if draft and draft[0] == here else (here, None, 0)

    def choose(emotion: str) -> None:
        st.session_state[state] = (here, emotion, times)

    def hear_again() -> None:
        st.session_state[state] = (here, chosen, times + 1)

    def answer(sure: float) -> None:
        if chosen is not None:  # a second click may arrive when the next clip is there
            st.session_state.pop(state, None)
            on_answer(clip, chosen, sure)

    with st.container(width=WIDTH):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(key=f"{key}-player-{clip}-{times}"):
                name = f"Clip {clip} of {len(one.clips)}" + (f", played {times + 1} times" if times else "")
                st.audio(content, format="audio/wav", alt=name, autoplay=autoplay or times > 0)
            st.button("Again", icon=":material/replay:", shortcut=AGAIN_KEY, key=f"{key}-again", on_click=hear_again)
        st.markdown("**Which emotion do you hear?**")
        with st.container(horizontal=True, gap="small"):
            for number, emotion in enumerate(one.emotions, 1):
                st.button(
                    title_of(emotion),
                    key=f"{key}-{emotion}",
                    shortcut=str(number) if number < 10 else None,
                    type="primary" if emotion == chosen else "secondary",
                    width=EMOTION_WIDTH,
                    disabled=disabled,
                    on_click=choose,
                    args=(emotion,),
                )
        st.markdown("**How sure are you?**")
        with st.container(horizontal=True, gap="small"):
            for (sure, word), letter in zip(scores.SURE.items(), SURE_KEYS, strict=True):
                st.button(
                    word,
                    key=f"{key}-sure-{sure}",
                    shortcut=letter,
                    width=SURE_WIDTH,
                    disabled=disabled or chosen is None,
                    on_click=answer,
                    args=(sure,),
                )
        surest, least = max(scores.SURE), min(scores.SURE)
        st.caption(
            f"“{scores.SURE[least]}” means right in one of ten such cases, “{scores.SURE[surest]}” in nine of ten. "
            "This gives your answer."
        )


def reveal(one: Round, clip: int, answers: pd.DataFrame, class_answers: pd.DataFrame | None = None) -> None:
    """Say what a clip is, and what was answered.

    Parameters
    ----------
    one : Round
    clip : int
        Its number.
    answers : pd.DataFrame
        One listener's, as `listening.scores` takes them.
    class_answers : pd.DataFrame, optional
        Those of a class.
    """
    row = one.truth.set_index("clip").loc[clip]
    mine = answers.set_index("clip").loc[clip]
    model = one.model.set_index("clip").loc[clip]
    is_right = mine["answer"] == row["emotion"]
    with st.container(width=WIDTH, border=True):
        st.markdown(
            f":{'green' if is_right else 'orange'}-badge["
            f":material/{'check' if is_right else 'close'}: {'Right' if is_right else 'Not this time'}]"
            f" Clip {clip} is **{as_text(row['emotion'])}**."
        )
        said = [
            f"You: {as_text(mine['answer'])}, {scores.SURE.get(mine['sure'], percent(mine['sure'])).lower()}",
            f"The model: {as_text(model['answer'])}, {percent(model['sure'])} sure",
        ]
        if class_answers is not None and (class_answers["clip"] == clip).any():
            votes = scores.votes(class_answers, one.emotions).loc[clip]
            said.append(f"The class: {as_text(votes.idxmax())}, {votes.max()} of {votes.sum()}")
        st.markdown("\n".join(f"- {line}" for line in said))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a round: the answers of all who took part, joined with the truth.

    Parameters
    ----------
    one : Round
    rows : dict of str to pd.DataFrame
        `ME`, `THE_MODEL` and perhaps `THE_CLASS` -> as `scores.marked` returns them.
    """

    one: Round
    rows: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, one: Round, answers: pd.DataFrame, class_answers: pd.DataFrame | None = None) -> "Outcome":
        """The outcome of a round for one listener.

        Parameters
        ----------
        one : Round
        answers : pd.DataFrame
            The listener's, as `listening.scores` takes them.
        class_answers : pd.DataFrame, optional
            Those of a class.

        Returns
        -------
        Outcome
        """
        given = {ME: answers, THE_MODEL: one.model}
        if class_answers is not None and len(class_answers):
            given[THE_CLASS] = class_answers
        truth = one.truth
        return cls(one, {name: scores.marked(table, truth) for name, table in given.items()})

    @property
    def is_like_published(self) -> bool:
        """Whether the published accuracy of people is of such clips: speech of RAVDESS."""
        return self.one.corpus == ravdess.NAME and self.one.channel == "speech"


def show_scores(outcome: Outcome) -> None:
    """Who was right how often, with intervals, and who is ahead.

    Parameters
    ----------
    outcome : Outcome
    """
    found = {name: scores.score(table) for name, table in outcome.rows.items()}
    with st.container(horizontal=True, gap="small"):
        for name, score in found.items():
            between = f"{percent(score.low)} to {percent(score.high)}"
            st.metric(
                name,
                percent(score.accuracy),
                between,
                delta_color="off",
                delta_arrow="off",
                delta_description="interval",
                width=METRIC_WIDTH,
            )
        if outcome.is_like_published:
            st.metric(
                PEOPLE, percent(HUMAN_ACCURACY), help="Quoted by Luna-Jimenez et al. 2022, Table 1", width="content"
            )
    st.markdown(f"**{_who_is_ahead(found[ME], found[THE_MODEL])}**")


def show_details(outcome: Outcome, before: Sequence[Outcome] = ()) -> None:
    """Everything below the scores: what was confused, what is heard best, how sure, and the truth of each clip.

    Parameters
    ----------
    outcome : Outcome
    before : sequence of Outcome
        Of further rounds with the same emotions, for what ten clips are too few for.
    """
    one, rows = outcome.one, outcome.rows
    found = {name: scores.score(table) for name, table in rows.items()}
    published = {PEOPLE: HUMAN_ACCURACY} if outcome.is_like_published else None
    chart(listening.scores(found, 1 / len(one.emotions), published), key="ears-scores")
    st.caption(_context(outcome))
    matrices = {name: scores.confusion(table, one.emotions) for name, table in rows.items()}
    titles = {ME: "What you heard", THE_MODEL: "What the model heard", THE_CLASS: "What the class heard"}
    alone = max(matrix.max() for name, matrix in matrices.items() if name != THE_CLASS)
    for column, (name, matrix) in zip(st.columns(len(matrices)), matrices.items(), strict=True):
        top = int(matrix.max() if name == THE_CLASS else alone)
        with column:
            chart(listening.confusion(matrix, one.emotions, titles[name], top=top), key=f"ears-matrix-{name}")
    together = {name: pd.concat([table, *(other.rows[name] for other in before)]) for name, table in rows.items()}
    if before:
        st.markdown(f"**Your {len(before) + 1} rounds of this visit together**")
    left, right = st.columns(2)
    with left:
        tables = {name: scores.by_emotion(table, one.emotions) for name, table in together.items()}
        chart(listening.by_emotion(tables), key="ears-emotions")
    with right:
        sure = {name: scores.sureness(table) for name, table in together.items()}
        chart(listening.sureness(sure), key="ears-sure")
    _show_clips(one, rows)


def _context(outcome: Outcome) -> str:
    one = outcome.one
    who = "actors" if one.corpus == ravdess.NAME else "speakers"
    words = f"The model, {one.run.name}, was trained without these {who}. It chose among the same emotions as you."
    if outcome.is_like_published:
        words += (
            f" People who only listen are right in {percent(HUMAN_ACCURACY)}, as quoted by Luna-Jimenez et al. 2022, "
            "with all clips of these recordings. Their makers had each clip rated ten times, by 247 people in all "
            "(Livingstone & Russo 2018)."
        )
    return words


def _who_is_ahead(mine: scores.Score, model: scores.Score) -> str:
    apart = abs(mine.right - model.right)
    if apart == 0:
        ahead = f"You and the model are even: {mine.right} of {mine.answers}."
    else:
        who, other = ("You", "the model") if mine.right > model.right else ("The model", "you")
        ahead = f"{who} named {apart} clip{'s' if apart > 1 else ''} more right than {other}."
    if mine.low <= model.high and model.low <= mine.high:
        ahead += f" With {mine.answers} clips that may be chance: the intervals overlap."
    return ahead


def _show_clips(one: Round, rows: dict[str, pd.DataFrame]) -> None:
    """The truth of each clip and who said what; a click on a row plays its clip."""
    truth = one.truth
    st.header("Clip by clip")
    st.caption("Choose a row to hear its clip again.")
    mine, model = (rows[name].set_index("clip") for name in (ME, THE_MODEL))
    table = pd.DataFrame(
        {
            "Clip": truth["clip"],
            "It is": truth["emotion"].map(title_of),
            "You": mine["answer"].reindex(truth["clip"]).map(title_of, na_action="ignore").to_numpy(),
            "You: how sure": mine["sure"].reindex(truth["clip"]).map(_sure_in_words, na_action="ignore").to_numpy(),
            "The model": model["answer"].map(title_of).to_numpy(),
            "Model: how sure": model["sure"].map(percent).to_numpy(),
        }
    )
    if THE_CLASS in rows:
        votes = scores.votes(rows[THE_CLASS], one.emotions).reindex(truth["clip"], fill_value=0)
        table["The class"] = [title_of(name) for name in votes.idxmax(axis="columns")]
    event = st.dataframe(table, hide_index=True, on_select="rerun", selection_mode="single-row", key="ears-table")
    for row in event.selection.rows:
        if one.corpus == ravdess.NAME:
            stem = truth["stem"].iloc[row]
            clip_card(stem, recordings(one.corpus).file(stem))
        else:
            st.audio(sound(one, row + 1), format="audio/wav", alt=f"Clip {row + 1}")


def _sure_in_words(sure: float) -> str:
    return scores.SURE.get(sure, percent(sure))


def in_words(one: Round) -> str:
    """A round in a few words: "10 clips of speech, over a telephone".

    Parameters
    ----------
    one : Round

    Returns
    -------
    str
    """
    what = one.channel if one.corpus == ravdess.NAME else f"speech from {one.corpus}"
    heard = f", {conditions.in_words(one.heard)}" if one.heard else ""
    return f"{len(one.clips)} clips of {what}{heard}"


def about_supply(one: Round) -> str:
    """Where the clips come from, if they are few; otherwise nothing.

    Parameters
    ----------
    one : Round

    Returns
    -------
    str
    """
    if one.among == rounds.ALL:
        return ""
    few = "No more ship with the app" if len(one.clips) < one.count else "They are drawn from the clips that ship"
    return f"{few}: with the recordings (page *Recordings*) there are over a thousand to draw from."


def table_of(given: Sequence[tuple[int, str, float]]) -> pd.DataFrame:
    """Answers as `listening.scores` takes them.

    Parameters
    ----------
    given : sequence of (int, str, float)
        Clip, answer and how sure, as `ask` hands them over.

    Returns
    -------
    pd.DataFrame
    """
    table = pd.DataFrame(given, columns=["clip", "answer", "sure"])
    return table.assign(listener=ME)[list(scores.COLUMNS)]
