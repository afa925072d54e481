"""Readers of corpora whose file names say who speaks and in which emotion. A new corpus is an entry of `CORPORA`."""

import re
from dataclasses import dataclass
from pathlib import Path

from ser_core.corpus.clips import COLUMNS, Corpus, read_folder, sound_files
from ser_core.corpus.labels import label_of
from ser_core.errors import CorpusError


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus, and how its file names are read.

    Parameters
    ----------
    name, language : str
        As the index has them; the language as its ISO 639-1 code.
    pattern : str
        A regular expression of a whole file name without suffix, with the groups `speaker` and `emotion`. Any further
        named group becomes a column of text in the index.
    emotions : dict
        Codes of emotions -> emotions, of `labels.EMOTION_NAMES` where it is one of those. Other codes stay as they are.
    genders : dict
        Speakers -> "female" or "male"; the gender of others stays empty.
    """

    name: str
    language: str
    pattern: str
    emotions: dict[str, str]
    genders: dict[str, str]

    def row(self, stem: str) -> dict:
        """What a file name says about its clip.

        Raises
        ------
        CorpusError
            If it is not named in this corpus's way.
        """
        match = re.fullmatch(self.pattern, stem)
        if not match:
            raise CorpusError(f"{stem!r} is not named as the clips of {self.name} are")
        said = match.groupdict()
        emotion = self.emotions.get(said["emotion"], said["emotion"])
        gender = self.genders.get(said["speaker"], "")
        known = {"stem": stem, "corpus": self.name, "language": self.language, "gender": gender}
        return said | known | {"emotion": emotion, "label": label_of(emotion, gender)}


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
    """The corpus in whose way most sound files below a folder are named; None if there is none."""
    stems = [path.stem for path in sound_files(folder)]
    for one in CORPORA:
        if 2 * sum(bool(re.fullmatch(one.pattern, stem)) for stem in stems) > len(stems):
            return one
    return None


def index(folder: Path, named: NamedCorpus) -> Corpus:
    """Every clip of a corpus below a folder, whatever its layout, as `ravdess.index` gives those of RAVDESS.

    Raises
    ------
    CorpusError
        If no clip can be read.
    """
    further = [name for name in re.compile(named.pattern).groupindex if name not in COLUMNS]
    found = read_folder(folder, lambda file: named.row(file.stem), further)
    if found.clips.empty:
        raise CorpusError(f"No clip of {named.name} in {folder} can be used (the first: {found.rejected[0].reason})")
    return found
