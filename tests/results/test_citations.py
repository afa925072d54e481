import re

import pytest
import yaml

from ser_core.corpus import file_names
from ser_core.results import citations
from ser_core.settings import PROJECT
from tests import made_runs


def keys(*found):
    return re.findall(r"^@\w+\{(.+),$", citations.bibtex(found), re.MULTILINE)


@pytest.mark.parametrize(
    ("protocol", "features", "wanted"),
    [
        ("study", "mean180", ["hatfield-medium"]),
        ("emobox+song", "functionals", ["ma2024emobox"]),
        ("emobox+neutral-2", "functionals", ["ma2024emobox"]),
        ("luna-jimenez", "functionals", ["luna-jimenez2021", "luna-jimenez2022"]),
        ("actors-6", "functionals", []),
        ("loso", "egemaps", ["eyben2010opensmile", "eyben2016gemaps"]),
    ],
)
def test_a_run_cites_its_corpus_protocol_and_features(protocol, features, wanted):
    run = made_runs.run(True, protocol=protocol, recipe={"features": features})
    assert keys(run) == ["ser-core", "livingstone2018ravdess", *wanted]


def test_what_several_runs_use_stands_there_once():
    run = made_runs.run(True)
    assert keys(run, run) == ["ser-core", "livingstone2018ravdess", "hatfield-medium"]


def of_corpus(name):
    run = made_runs.run(True)
    return made_runs.changed(run, tables=made_runs.Tables(run.predictions.assign(corpus=name)))


@pytest.mark.parametrize("corpus", file_names.CORPORA, ids=lambda one: one.name)
def test_each_corpus_that_is_known_by_its_names_is_cited(corpus):
    own, by, _ = keys(of_corpus(corpus.name))
    (author,) = re.findall(rf"@\w+\{{{by},\n  author = \{{([\w-]+)", citations.bibtex([of_corpus(corpus.name)]))
    assert own == "ser-core" and author in corpus.title


@pytest.mark.parametrize("corpus", file_names.CORPORA, ids=lambda one: one.name)
def test_the_publication_of_each_such_corpus_has_a_doi(corpus):
    assert f"doi = {{{citations.doi_of(corpus.name)}}}" in citations.bibtex([of_corpus(corpus.name)])


def test_another_corpus_is_named():
    assert keys(of_corpus("mine")) == ["ser-core", "hatfield-medium"]
    assert "% Corpus mine: cite it as its authors ask." in citations.bibtex([of_corpus("mine")])


def test_braces_are_balanced():
    for run in (of_corpus("emodb"), made_runs.run(True), made_runs.run(True, protocol="luna-jimenez")):
        text = citations.bibtex([run])
        assert text.count("{") == text.count("}")


def test_it_says_what_the_citation_file_says():
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    text = citations.bibtex([made_runs.run(True)]).replace("{", "").replace("}", "")
    paper, study = cited["references"]
    assert f"title = {cited['title']}" in text and f"Version {cited['version']}. {cited['license']}" in text
    assert f"title = {paper['title']}" in text and paper["doi"] in text and paper["start"] in text
    for author in (*paper["authors"], *study["authors"]):
        assert f"{author['family-names']}, {author['given-names']}" in text
