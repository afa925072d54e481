from ser_core.teaching import glossary


def test_each_word_is_there_once_with_a_sentence():
    words = [term.word.casefold() for term in glossary.GLOSSARY]
    assert len(words) == len(set(words))
    assert all(term.sentence.endswith(".") for term in glossary.GLOSSARY)


def test_a_word_is_found_in_its_forms_and_not_inside_others():
    fold = next(term for term in glossary.GLOSSARY if term.word == "fold")
    assert fold.is_in("Six folds of actors") and fold.is_in("Fold: one")
    assert not fold.is_in("a folder, five-fold, unfolding")


def test_pages_name_words_that_there_are():
    words = {term.word for term in glossary.GLOSSARY}
    assert all(set(terms) <= words for terms in glossary.PAGES.values())
