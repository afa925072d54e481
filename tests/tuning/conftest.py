import pytest

from ser_core.tuning import search, storage, studies


@pytest.fixture
def url(settings) -> str:
    return storage.url(settings)


@pytest.fixture
def begun(url, table):
    """Make a study of the synthetic corpus and work on it alone."""

    def begin(trials: int = 3, name: str = "", resume: bool = False, **plan):
        plan = studies.Plan(**{"model": "kn", "folds": 3} | plan)
        study = studies.create(plan, url, table, trials=trials, name=name, resume=resume)
        search.work(study.study_name, url, table)
        return study

    return begin
