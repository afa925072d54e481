"""What a trained model was trained on and how accurate it is, as data and as its model card."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ser_core import evaluation
from ser_core.corpus import ravdess
from ser_core.evaluation import protocols, verdicts
from ser_core.evaluation.verdicts import Limits
from ser_core.features.registry import title_of
from ser_core.results.published import SVM_UNHEARD_ACTORS_UAR
from ser_core.results.runs import Run

RAVDESS_TERMS = """\
Trained on RAVDESS: Livingstone SR, Russo FA (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song
(RAVDESS), PLoS ONE 13(5): e0196391. RAVDESS is licensed CC BY-NC-SA 4.0; this model is offered under the same terms."""


@dataclass(frozen=True)
class TrainedOn:
    """The training clips of a model.

    Parameters
    ----------
    clips, actors : int
        Number of clips and of speakers.
    shortest_s, median_s, longest_s : float
        Durations of the clips, s.
    corpus : str
        Their corpus, or their corpora.
    """

    clips: int
    actors: int
    shortest_s: float
    median_s: float
    longest_s: float
    corpus: str = ravdess.NAME

    @classmethod
    def of(cls, run: Run, table: pd.DataFrame) -> "TrainedOn":
        """Collect it from a run's training clips.

        Parameters
        ----------
        run : Run
        table : pd.DataFrame
            The feature table that it was run on.

        Returns
        -------
        TrainedOn
        """
        rows = table[table["stem"].isin(run.part("train")["clip"])]
        lengths = rows["duration_s"]
        shortest, median, longest = (round(float(one), 2) for one in (lengths.min(), lengths.median(), lengths.max()))
        corpora = " and ".join(sorted(set(rows["corpus"])))
        return cls(len(rows), int(rows["speaker"].nunique()), shortest, median, longest, corpora)

    @property
    def speakers_called(self) -> str:
        """What texts call their speakers: those of RAVDESS are actors."""
        return ravdess.speakers_called([self.corpus])


@dataclass(frozen=True)
class Unheard:
    """A run of the same model under a speaker-independent protocol.

    Parameters
    ----------
    run : str
        Its id.
    scores : dict of str to float
    limits : Limits, optional
        What an answer must pass to be said, from the predictions of that run and of the same heard in conditions.
    known : str
        What the model had heard of each speaker before, as `protocols.calibrated` takes it; empty if nothing.
    """

    run: str
    scores: dict[str, float]
    limits: Limits | None = None
    known: str = ""

    @classmethod
    def of(cls, run: Run, heard: Sequence[Run] = ()) -> "Unheard":
        """Collect it from runs.

        Parameters
        ----------
        run : Run
            As recorded.
        heard : sequence of Run
            The same in recording conditions.

        Returns
        -------
        Unheard
        """
        limits = verdicts.limits(run.part("test"), [one.part("test") for one in heard])
        return cls(run.id, run.scores, limits, protocols.calibration_of(run.protocol))

    @property
    def before(self) -> str:
        """What it had heard of them before, to stand in a sentence after "voices": empty, or with a comma first."""
        kind, _, number = self.known.partition(":")
        what = {"": "", "neutral": f"{number} neutral clips", "random": f"{number} clips", "all": "all clips"}[kind]
        return what and f", each of which it has heard in {what} before"


@dataclass(frozen=True)
class Situation:
    """How a model does where a recording of one's own may come from.

    Parameters
    ----------
    right, claimed : float
        Share of clips whose emotion it names right, and how sure it claims to be in the mean.
    clips : int
    what : str
        Whose clips these were, in words.
    """

    right: float
    claimed: float
    clips: int
    what: str

    @classmethod
    def of(cls, tested: Sequence[Run], what: str) -> "Situation":
        """Collect it from the test predictions of one or more runs.

        Parameters
        ----------
        tested : sequence of Run
        what : str

        Returns
        -------
        Situation
        """
        rows = pd.concat([run.part("test") for run in tested])
        named, truth = evaluation.named_and_true(rows, "emotion")
        claimed = float(evaluation.claimed(rows, "emotion").mean())
        return cls(float((named == truth).mean()), claimed, len(rows) // len(tested), what)


def card(run: Run, trained_on: TrainedOn, unheard: Unheard | None) -> str:
    """The model card: what the model was trained on, its scores, and its limits.

    Parameters
    ----------
    run : Run
    trained_on : TrainedOn
    unheard : Unheard, optional
        Its scores for speakers outside the training clips, if measured.

    Returns
    -------
    str
        Markdown.
    """
    scores = run.scores
    corpora = sorted(run.predictions["corpus"].unique())
    is_ravdess = corpora == [ravdess.NAME]
    corpus = " and ".join("RAVDESS" if name == ravdess.NAME else name for name in corpora)
    if is_ravdess:
        speakers, whose, spoken = "actors", "the study's", "spoken and sung"
        heard = "actors, in a studio, saying two English sentences"
    else:
        speakers, whose, spoken = "speakers", "its", "spoken"
        heard = f"the speakers of {corpus} alone"
    if run.members:
        features = f"those of its members: {', '.join(run.members)}"
    else:
        features = f"{run.versions.features}: {title_of(run.recipe.features)}"
    cv = f"{scores['cv_accuracy']:.3f}" if "cv_accuracy" in scores else "not measured"
    on_others = "not measured for this model"
    if unheard:
        on_others = (
            f"it names {unheard.scores['emotion_accuracy']:.0%} of eight emotions in speech{unheard.before}, while "
            f"claiming to be {unheard.scores['emotion_claimed']:.0%} sure (run `{unheard.run}`)"
        )
    elif is_ravdess:
        on_others += (
            "; an RBF support vector machine on the same features recognises "
            f"{SVM_UNHEARD_ACTORS_UAR:.0%} of eight emotions in speech"
        )
    return f"""# {run.name} (`{run.recipe.model}`)

Says which of 16 classes (eight emotions, female or male voice) it hears in a recording of a voice.

| | |
|---|---|
| Learned from | {trained_on.clips:,} {corpus} clips of {trained_on.actors} {speakers} |
| Their length | {trained_on.shortest_s} to {trained_on.longest_s} s |
| Features | {features} |
| Preset | {run.recipe.preset} |
| Accuracy, five-fold cross-validation on the training part | {cv} |
| Accuracy on {whose} {sum(run.test_counts.values())} test clips | {scores["test_accuracy"]:.3f} |
| UAR on the same | {scores["uar"]:.3f} |
| Run | `{run.id}` |

## What it cannot do

The test clips are {spoken} by the same {speakers} as the training clips. \
On voices never heard ({speakers} held out):
{on_others}.

It has heard {heard}. It does not know what anyone feels. Do not decide
anything about a person with it.

## Terms

{RAVDESS_TERMS if ravdess.NAME in corpora else f"The terms of {corpus} hold for this model, too."}
"""
