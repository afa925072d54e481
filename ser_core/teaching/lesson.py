"""The lesson: the study as eight steps of about five minutes, and what is printed for it.

Each step has a text, one thing to do on a page of the app, one question, and what to take home. Numbers in it are read
from the runs that ship.

References
----------
.. [1] Barrett, Adolphs, Marsella, Martinez & Pollak 2019, "Emotional expressions reconsidered: Challenges to inferring
   emotion from human facial movements", Psychological Science in the Public Interest 20(1).
.. [2] Regulation (EU) 2024/1689 (AI Act), Articles 3(39), 5(1)(f) and 50(3), Annex III 1(c), recital 44.
.. [3] European Commission 2025, Guidelines on prohibited artificial intelligence practices, C(2025) 884, section 8.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ser_core.models import registry
from ser_core.results import comparison, generalization, runs
from ser_core.results.published import HUMAN_ACCURACY
from ser_core.results.runs import Run
from ser_core.templates import environment

MINUTES = 5  # a step
LADDER_STEP = 6  # shows how far a model falls
MODEL = "best"  # whose fall from known to new voices is shown
AI_ACT = "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"
GUIDELINES = "https://digital-strategy.ec.europa.eu/en/library/commission-publishes-guidelines-prohibited-artificial-intelligence-ai-practices-defined-ai-act"
BARRETT = "https://doi.org/10.1177/1529100619832930"


@dataclass(frozen=True)
class Link:
    """A page of the app with the right view opened.

    Parameters
    ----------
    label : str
    page : str
        The name of its file in `pages/`, without the ending.
    query : dict of str to str
        Of its address.
    """

    label: str
    page: str
    query: dict[str, str]


@dataclass(frozen=True)
class Step:
    """A step of the lesson.

    Parameters
    ----------
    title : str
    text : str
        Markdown.
    task : str
        What to do on the page of `link`.
    link : Link
    question, answer : str
        Markdown.
    take_home : str
        One sentence.
    for_teacher : str
        What pupils stumble over, and how to go on from it.
    """

    title: str
    text: str
    task: str
    link: Link
    question: str
    answer: str
    take_home: str
    for_teacher: str


def ladder(found: Iterable[Run]):
    """How often one model names one of eight emotions right, from known voices to other recordings.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    pd.DataFrame
        As `results.generalization.ladder` gives it.
    """
    return generalization.ladder(found, MODEL, kind="emotion")


def steps(found: Iterable[Run]) -> tuple[Step, ...]:
    """The eight steps.

    Parameters
    ----------
    found : iterable of Run
        Those that ship: what numbers are read from.

    Returns
    -------
    tuple of Step
    """
    found, name = list(found), registry.get(MODEL).name
    rungs = ladder(found).set_index("protocol")["accuracy"]
    known, unknown = rungs["study"], rungs["emobox"]
    elsewhere = rungs[generalization.RECORDING]
    default = runs.find(found, model="v_robust", protocol="emobox").scores["emotion_accuracy"]
    return (
        Step(
            "What a clip is",
            "Twenty-four actors each said the same two sentences, such as *Kids are talking by the door*, as if they "
            "were calm, happy, sad, angry, fearful, disgusted or surprised, and once more neutrally. Each recording is "
            "a **clip** of about four seconds. Beside it stands its **label**: which emotion the actor was asked to "
            "play. Nobody asked what the actor felt.",
            "Click a bar, and listen to two of its clips. Do they sound as their label says?",
            Link("Count the clips", "dataset", {"view": "Counts"}),
            "There are half as many neutral clips as angry ones. Why?",
            "Every other emotion was played twice: at normal and at strong intensity. There is no strong *neutral*.",
            "A label says what was asked for, not what was felt.",
            "Pupils disagree about labels at once, and rightly: 247 raters did, too. Keep that for step 8.",
        ),
        Step(
            "See anger and calm",
            "A microphone turns a voice into a **waveform**: a curve of the air pressure. A **spectrogram** shows the "
            "same sound as a picture: time from left to right, low to high tones upwards, bright where there is much "
            "energy.",
            "Compare an angry and a calm clip of the same actor and sentence. First listen, then look: where do the "
            "pictures differ?",
            Link(
                "Open an angry and a calm clip",
                "sound",
                {"clip": "03-01-05-02-01-01-12", "other": "03-01-02-02-01-01-12"},
            ),
            "Name two differences that one can see.",
            "The angry voice is louder, higher and changes more; it has more energy in high tones, so that its picture "
            "is bright further up. The calm one is flatter, and its pauses are longer.",
            "What we hear as anger is there in the sound, and can be seen.",
            "Loudness is the first thing that everybody names. It is also what a microphone's distance changes: "
            "step 6 comes back to it.",
        ),
        Step(
            "From sound to numbers",
            "A model cannot listen. Each clip is described by **features**: numbers that a program computes from the "
            "sound. The study used 180 averages: of the timbre (MFCC), of the notes (chroma) and of the energy of low "
            "to high tones (mel). On the map, clips with similar numbers lie close together.",
            "Colour the map by emotion, then by gender, then by actor. By which one do the clips form islands?",
            Link("Open the map of all clips", "features", {"view": "A map of all clips", "colour": "emotion"}),
            "What do the 180 numbers describe better: the emotion, or the speaker?",
            "The speaker. Men and women lie apart, many actors form islands of their own, and emotions are scattered "
            "over all of them. Angry clips stand out most.",
            "Numbers that were meant to describe emotions describe voices as well.",
            "t-SNE moves far things about freely: only what is near tells something.",
        ),
        Step(
            "A model learns",
            "A **network** starts with random numbers inside, guesses, is told how wrong it was (the **loss**), and "
            "changes its numbers a little. One pass through all training clips is an **epoch**. Clips that it does not "
            "learn from show whether it understands or learns by heart.",
            "Look at the two curves: of clips that it learns from, and of clips that it does not.",
            Link("Look at the curves of a network", "train", {"show": "Learning curves"}),
            "Why does the one curve go on to almost 100% while the other stays below?",
            "The network recognises clips that it has seen: it learns them by heart. That is called **overfitting**, "
            "and it is worth nothing for new clips.",
            "A model is tested on clips that it has not learned from. Anything else is a memory test.",
            "With time left, let one pupil start a training on *Train a network*: the curves grow live.",
        ),
        Step(
            "What it confuses",
            "A **confusion matrix** shows what clips are (rows) and what the model called them (columns). What is "
            "right lies on the diagonal.",
            "Find the brightest cell beside the diagonal. Then hear clips of it.",
            Link(
                "Open the confusion matrix",
                "compare",
                {
                    "protocol": comparison.title_of_test("emobox"),
                    "kind": "Emotion alone (8)",
                    "view": "What they confuse",
                },
            ),
            "Which two emotions are confused most, and would you confuse them, too?",
            "Neutral, calm and sad are: all three are quiet, low and slow. After them come emotions that are loud and "
            f"high, such as happy and fearful. People err, too: by sound alone they name {HUMAN_ACCURACY:.0%} right.",
            "One number, the accuracy, hides which errors a model makes.",
            "*Ears against the model* makes the same picture of the class's own answers.",
        ),
        Step(
            "Heard and never heard",
            f"The same model, the same task, the same kind of clips: with voices that it knows, it names {known:.0%} "
            f"right. With voices that it has never heard, {unknown:.0%}. When the recordings come from a "
            f"telephone, a room or a noisy place, {elsewhere:.0%} (the mean over all of them, with known voices).",
            "Look at the steps downwards. Which one costs most?",
            Link("Open the ladder", "honest", {"model": name, "kind": "Emotion alone (8)"}),
            "Somebody says: *Our system recognises emotions with 90% accuracy.* What do you ask?",
            "On whose voices was it tested, and had it heard them before? In which recordings? With how many emotions? "
            "Acted or felt? How wide is the interval?",
            "How good a model is depends on whom it is tested on.",
            "This is the heart of the lesson: take ten minutes here and drop step 4 if time is short.",
        ),
        Step(
            "My own voice",
            "Now you are the new voice in another recording. Before it names an emotion, the app says whether it may: "
            "*heard*, *not sure*, *unlike* all that it has learned, or *no voice*.",
            "Record one sentence twice: once angrily, once calmly. Then hear the same take as over a telephone.",
            Link("Record your voice", "predict", {}),
            "How often, of ten takes in your group, is what you played what the app heard?",
            f"Of actors that it has never heard it names {default:.0%} right; of other people in other rooms fewer. A "
            "guess would be right in 12 or 13 of 100.",
            "A model that says *I do not know* is worth more than one that always answers.",
            "Recordings stay in the server's memory and are gone when the page is closed. Nobody has to record.",
        ),
        Step(
            "Should a call centre use it?",
            "**Uses**: practising a speech, helping people who find voices hard to read, research. **Harms**: somebody "
            "is treated as angry who is not; people of another language, age or illness are misread more often; who "
            "is watched speaks otherwise. **Acted against felt**: these models learned from actors; how people sound "
            "when they feel something differs between people, cultures and situations (for faces: "
            f"[Barrett and others, 2019]({BARRETT})).\n\n"
            f"**The law in the European Union** ([AI Act]({AI_ACT}), Regulation 2024/1689): systems that infer "
            "emotions of people **at work or in education** from their bodies or voices are forbidden since 2 February "
            "2025, except for medical or safety reasons (Article 5(1)(f)). Elsewhere they count as high-risk (Annex "
            "III), and people must be told (Article 50(3)). The [Commission's guidelines]("
            f"{GUIDELINES}) take just this example: a call centre may not track the emotions of its employees; of its "
            "customers it is not forbidden by that article.",
            "Hold a vote: who would allow it, for whom, and under which conditions? Use the numbers of step 6.",
            Link("Look at the numbers once more", "honest", {"model": name, "kind": "Emotion alone (8)"}),
            "A call centre wants to see on a screen when a caller becomes angry. What should it know?",
            f"That of voices never heard before, the model gets {1 - default:.0%} wrong, although actors act clearly; "
            "that it is worse in other languages, and with emotions that are felt; that the person at the other end "
            "must be told, and may not want it; and that a person has to decide what follows.",
            "Whether a model is good enough is a question about people, not only about numbers.",
            "The law is quoted as of 2025 and is no legal advice. Let pupils argue both sides.",
        ),
    )


def worksheet(steps: Iterable[Step], *, answers: bool = False) -> str:
    """The worksheet as a page to print.

    Parameters
    ----------
    steps : iterable of Step
    answers : bool
        Whether with the answers, and with notes for the teacher.

    Returns
    -------
    str
        HTML.
    """
    templates = environment(Path(__file__).parent)
    templates.filters["plain"] = _plain
    return templates.get_template("worksheet.html").render(steps=list(steps), answers=answers, minutes=MINUTES)


def _plain(markdown: str) -> str:
    """Without emphasis and the addresses of links."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("*", "")
