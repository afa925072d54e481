"""Readers of corpora whose file names encode speaker and emotion. A new corpus is an entry of `CORPORA`."""

import re
from dataclasses import dataclass
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
    language : str
        ISO 639-1 code.
    pattern : str
        Regular expression of a whole file name without suffix, with the groups `speaker` and `emotion`. Any further
        named group becomes a text column of the index.
    emotions : dict of str to str
        Emotions by their codes; names from `labels.EMOTION_NAMES` where possible. Other codes are kept as they are.
    genders : dict of str to str
        `female` or `male` by speaker; empty in the index for other speakers.
    """

    name: str
    language: str
    pattern: str
    emotions: dict[str, str]
    genders: dict[str, str]

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
    NamedCorpus(  # Burkhardt et al. (2005), "A Database of German Emotional Speech": 03a01Fa
        "emodb",
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
    for one in CORPORA:
        if 2 * sum(bool(re.fullmatch(one.pattern, stem)) for stem in stems) > len(stems):
            return one
    return None


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
    found = read_folder(folder, lambda file: named.row(file.stem), further)
    if found.clips.empty:
        raise CorpusError(f"No clip of {named.name} in {folder} can be used (the first: {found.rejected[0].reason})")
    return found
