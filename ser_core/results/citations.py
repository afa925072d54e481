"""BibTeX of what runs use: corpora, the publications of their protocols and features, and this software."""

from collections.abc import Iterable

import ser_core
from ser_core.corpus import ravdess
from ser_core.results.published import ORIGINAL_CLIPS
from ser_core.results.runs import Run

_SOFTWARE = {
    "title": "Speech emotion explorer",
    "author": "{The authors of the Speech emotion explorer}",
    "note": f"Version {ser_core.__version__}. GPL-3.0-or-later",
}
_ENTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "ser-core": ("software", _SOFTWARE),
    "livingstone2018ravdess": (
        "article",
        {
            "author": "Livingstone, Steven R. and Russo, Frank A.",
            "title": "The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS}): A dynamic, "
            "multimodal set of facial and vocal expressions in {North American English}",
            "journal": "PLoS ONE",
            "volume": "13",
            "number": "5",
            "pages": "e0196391",
            "year": "2018",
            "doi": "10.1371/journal.pone.0196391",
        },
    ),
    "burkhardt2005emodb": (
        "inproceedings",
        {
            "author": "Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F. and Weiss, "
            "Benjamin",
            "title": "A Database of {German} Emotional Speech",
            "booktitle": "Interspeech",
            "pages": "1517--1520",
            "year": "2005",
            "doi": "10.21437/Interspeech.2005-446",
        },
    ),
    "cao2014cremad": (
        "article",
        {
            "author": "Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and Nenkova, Ani "
            "and Verma, Ragini",
            "title": "{CREMA-D}: Crowd-Sourced Emotional Multimodal Actors Dataset",
            "journal": "IEEE Transactions on Affective Computing",
            "volume": "5",
            "number": "4",
            "pages": "377--390",
            "year": "2014",
            "doi": "10.1109/TAFFC.2014.2336244",
        },
    ),
    "pichorafuller2020tess": (
        "misc",
        {
            "author": "Pichora-Fuller, M. Kathleen and Dupuis, Kate",
            "title": "{Toronto} emotional speech set ({TESS})",
            "howpublished": "Borealis",
            "year": "2020",
            "doi": "10.5683/SP2/E8H2MF",
        },
    ),
    "haq2010savee": (
        "incollection",
        {
            "author": "Haq, Sanaul and Jackson, Philip J. B.",
            "title": "Multimodal Emotion Recognition",
            "booktitle": "Machine Audition: Principles, Algorithms and Systems",
            "publisher": "IGI Global",
            "pages": "398--423",
            "year": "2010",
            "doi": "10.4018/978-1-61520-919-4.ch017",
        },
    ),
    "hatfield-medium": (
        "misc",
        {
            "author": "Hatfield, Ian and Rivas, Pedro and Gupta, Tushar and Lange, Rocco and Deshwal, Arnav",
            "title": "Speech Emotion Detection",
            "howpublished": "Deep Learning on Medium",
        },
    ),
    "ma2024emobox": (
        "inproceedings",
        {
            "author": "Ma, Ziyang and Chen, Mingjie and Zhang, Hezhao and Zheng, Zhisheng and Chen, Wenxi and Li, "
            "Xiquan and Ye, Jiaxin and Chen, Xie and Hain, Thomas",
            "title": "{EmoBox}: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark",
            "booktitle": "Interspeech",
            "year": "2024",
            "doi": "10.21437/Interspeech.2024-788",
        },
    ),
    "luna-jimenez2021": (
        "article",
        {
            "author": "Luna-Jim{\\'e}nez, Cristina and Griol, David and Callejas, Zoraida and Kleinlein, Ricardo and "
            "Montero, Juan M. and Fern{\\'a}ndez-Mart{\\'i}nez, Fernando",
            "title": "Multimodal Emotion Recognition on {RAVDESS} Dataset Using Transfer Learning",
            "journal": "Sensors",
            "volume": "21",
            "number": "22",
            "pages": "7665",
            "year": "2021",
            "doi": "10.3390/s21227665",
        },
    ),
    "luna-jimenez2022": (
        "article",
        {
            "author": "Luna-Jim{\\'e}nez, Cristina and Kleinlein, Ricardo and Griol, David and Callejas, Zoraida and "
            "Montero, Juan M. and Fern{\\'a}ndez-Mart{\\'i}nez, Fernando",
            "title": "A Proposal for Multimodal Emotion Recognition Using Aural Transformers and Action Units on "
            "{RAVDESS} Dataset",
            "journal": "Applied Sciences",
            "volume": "12",
            "number": "1",
            "pages": "327",
            "year": "2022",
            "doi": "10.3390/app12010327",
        },
    ),
    "eyben2010opensmile": (
        "inproceedings",
        {
            "author": 'Eyben, Florian and W{\\"o}llmer, Martin and Schuller, Bj{\\"o}rn',
            "title": "{openSMILE}: the {Munich} versatile and fast open-source audio feature extractor",
            "booktitle": "Proceedings of the 18th ACM International Conference on Multimedia",
            "year": "2010",
            "doi": "10.1145/1873951.1874246",
        },
    ),
    "eyben2016gemaps": (
        "article",
        {
            "author": "Eyben, Florian and others",
            "title": "The {Geneva} Minimalistic Acoustic Parameter Set ({GeMAPS}) for Voice Research and Affective "
            "Computing",
            "journal": "IEEE Transactions on Affective Computing",
            "volume": "7",
            "number": "2",
            "year": "2016",
            "doi": "10.1109/TAFFC.2015.2457417",
        },
    ),
    "schuller2016compare": (
        "inproceedings",
        {
            "author": 'Schuller, Bj{\\"o}rn and others',
            "title": "The {INTERSPEECH} 2016 Computational Paralinguistics Challenge",
            "booktitle": "Interspeech",
            "year": "2016",
        },
    ),
}
_OF_CORPORA = {
    ravdess.NAME: "livingstone2018ravdess",
    "emodb": "burkhardt2005emodb",
    "crema-d": "cao2014cremad",
    "tess": "pichorafuller2020tess",
    "savee": "haq2010savee",
}
_OF_PROTOCOLS = {
    "study": ["hatfield-medium"],
    "emobox": ["ma2024emobox"],
    "emobox-emodb": ["ma2024emobox"],
    "luna-jimenez": ["luna-jimenez2021", "luna-jimenez2022"],
}
_OF_FEATURES = {
    "mean180": ["hatfield-medium"],
    "egemaps": ["eyben2010opensmile", "eyben2016gemaps"],
    "compare2016": ["eyben2010opensmile", "schuller2016compare"],
}


def doi_of(corpus: str) -> str | None:
    """The DOI of the publication that a corpus asks to be cited by.

    Parameters
    ----------
    corpus : str
        Its name in an index.

    Returns
    -------
    str or None
        None if the corpus is not known here.

    Examples
    --------
    >>> doi_of("savee"), doi_of("mine")
    ('10.4018/978-1-61520-919-4.ch017', None)
    """
    return _ENTRIES[_OF_CORPORA[corpus]][1]["doi"] if corpus in _OF_CORPORA else None


def bibtex(found: Iterable[Run]) -> str:
    """What to cite for some runs.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    str
        BibTeX. A comment names each corpus whose publication is not known here.
    """
    keys, unknown = ["ser-core"], []
    for run in found:
        corpora = set(run.predictions["corpus"])
        if run.clips == ORIGINAL_CLIPS:  # a test on another corpus predicts none of the clips that it was trained on
            corpora.add(ravdess.NAME)
        for corpus in sorted(corpora):
            if corpus in _OF_CORPORA:
                keys.append(_OF_CORPORA[corpus])
            else:
                unknown.append(f"% Corpus {corpus}: cite it as its authors ask.\n")
        base = run.protocol.partition("+")[0]
        keys += _OF_PROTOCOLS.get("study" if base == "study-speech" else base, [])
        keys += _OF_FEATURES.get(run.recipe.features, [])
    return "\n".join([*map(_entry, dict.fromkeys(keys)), *dict.fromkeys(unknown)])


def _entry(key: str) -> str:
    kind, fields = _ENTRIES[key]
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}}}\n"
