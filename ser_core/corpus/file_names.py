"""Readers of corpora whose file names encode speaker and emotion. A new corpus is an entry of `CORPORA`."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ser_core.corpus.clips import COLUMNS, Corpus, read_folder, sound_files
from ser_core.corpus.labels import label_of
from ser_core.errors import CorpusError


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus, and how its file names are parsed.

    Parameters
    ----------
    name : str
        The corpus in the index.
    title : str
        Its full name.
    example : str
        The name of a clip.
    language : str
        ISO 639-1 code.
    pattern : str
        Regular expression of a whole file name without suffix, with the groups `speaker` and `emotion`. Any further
        named group becomes a text column of the index.
    emotions : dict of str to str
        Emotions by their codes; names from `labels.EMOTION_NAMES` where possible. Other codes are kept as they are.
    genders : dict of str to str
        `female` or `male` by speaker; empty in the index for other speakers.
    speakers_file : str
        The name of a CSV file of the corpus that has the genders, if its clips are not all of known speakers.
    """

    name: str
    title: str
    example: str
    language: str
    pattern: str
    emotions: dict[str, str]
    genders: Mapping[str, str] = field(default_factory=dict)
    speakers_file: str = ""

    def row(self, stem: str) -> dict:
        """Parse a file name into a row of the index, without `path` and `duration_s`.

        Parameters
        ----------
        stem : str
            File name without suffix.

        Returns
        -------
        dict of str to str

        Raises
        ------
        CorpusError
            If the name does not match the corpus's pattern.
        """
        match = re.fullmatch(self.pattern, stem)
        if not match:
            raise CorpusError(f"{stem!r} is not named as the clips of {self.name} are")
        fields = match.groupdict()
        emotion = self.emotions.get(fields["emotion"], fields["emotion"])
        gender = self.genders.get(fields["speaker"], "")
        known = {"stem": stem, "corpus": self.name, "language": self.language, "gender": gender}
        return fields | known | {"emotion": emotion, "label": label_of(emotion, gender)}


CORPORA = (
    NamedCorpus(
        "emodb",
        "Berlin Database of Emotional Speech (Burkhardt et al. 2005)",
        "03a01Fa",
        "de",
        r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[WLEAFTN])(?P<version>[a-z])",
        {
            "W": "angry",
            "L": "boredom",
            "E": "disgust",
            "A": "fearful",
            "F": "happy",
            "T": "sad",
            "N": "neutral",
        },
        dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
    ),
    NamedCorpus(
        "crema-d",
        "Crowd-sourced Emotional Multimodal Actors Dataset (Cao et al. 2014)",
        "1001_DFA_ANG_XX",
        "en",
        r"(?P<speaker>1\d{3})_(?P<text>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>LO|MD|HI|XX?)",
        {
            "ANG": "angry",
            "DIS": "disgust",
            "FEA": "fearful",
            "HAP": "happy",
            "SAD": "sad",
            "NEU": "neutral",
        },
        speakers_file="VideoDemographics.csv",
    ),
    NamedCorpus(
        "tess",
        "Toronto Emotional Speech Set (Pichora-Fuller and Dupuis 2020)",
        "OAF_back_angry",
        "en",
        r"(?P<speaker>OAF|YAF)_(?P<text>[A-Za-z]+)_(?P<emotion>[a-z]+)",
        {
            "angry": "angry",
            "disgust": "disgust",
            "fear": "fearful",
            "happy": "happy",
            "ps": "surprised",  # pleasant surprise
            "sad": "sad",
            "neutral": "neutral",
        },
        {"OAF": "female", "YAF": "female"},
    ),
    NamedCorpus(
        "savee",
        "Surrey Audio-Visual Expressed Emotion (Haq and Jackson 2010)",
        "DC_a01",
        "en",
        r"(?P<speaker>DC|JE|JK|KL)_(?P<emotion>[a-z]{1,2})(?P<text>\d\d)",
        {
            "a": "angry",
            "d": "disgust",
            "f": "fearful",
            "h": "happy",
            "n": "neutral",
            "sa": "sad",
            "su": "surprised",
        },
        dict.fromkeys(("DC", "JE", "JK", "KL"), "male"),
    ),
)


def of_folder(folder: Path) -> NamedCorpus | None:
    """The corpus whose pattern most file names below a folder match.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    NamedCorpus or None
        None if no pattern matches more than half of the sound files.
    """
    stems = [path.stem for path in sound_files(folder)]
    return next((one for one in CORPORA if are_most(stems, one.pattern)), None)


def are_most(stems: list[str], pattern: str) -> bool:
    """Whether more than half of some file names match a pattern.

    Parameters
    ----------
    stems : list of str
        File names without suffix.
    pattern : str
        Regular expression of a whole name.

    Returns
    -------
    bool
    """
    return 2 * sum(bool(re.fullmatch(pattern, stem)) for stem in stems) > len(stems)


def index(folder: Path, named: NamedCorpus) -> Corpus:
    """Index every clip of a corpus below a folder, whatever its layout.

    Parameters
    ----------
    folder : Path
    named : NamedCorpus

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If no clip can be used.
    """
    further = [name for name in re.compile(named.pattern).groupindex if name not in COLUMNS]
    note = ""
    if named.speakers_file:
        named, note = _with_speakers(named, folder)
    found = read_folder(folder, lambda file: named.row(file.stem), further)
    if found.clips.empty:
        raise CorpusError(f"No clip of {named.name} in {folder} can be used (the first: {found.rejected[0].reason})")
    return replace(found, note=note)


def _with_speakers(named: NamedCorpus, folder: Path) -> tuple[NamedCorpus, str]:
    """The corpus with the genders from its file of speakers, and what is missing."""
    places = [place / named.speakers_file for place in (folder, folder.absolute().parent)]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return named, (
            f"The speakers' genders are not known: {named.name} lists them in {named.speakers_file}, which is missing. "
            f"Put it into {folder}"
        )
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            genders = {row["ActorID"].strip(): row["Sex"].strip().lower() for row in csv.DictReader(text)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        return named, f"The speakers' genders are not known: {file} lacks the columns ActorID and Sex ({error!r})"
    return replace(named, genders=genders), ""
