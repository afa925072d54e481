import numpy as np
import pandas as pd

from ser_core.corpus.clips import sound_files, thinned

CLIPS = pd.DataFrame({"stem": range(3000), "emotion": ["sad"] * 2000 + ["angry"] * 999 + ["bored"]})


def test_few_clips_are_all_kept():
    assert thinned(CLIPS, 3000) is CLIPS


def test_each_group_keeps_its_share_and_none_is_lost():
    some = thinned(CLIPS, 300)
    assert len(some) == 300
    found = some["emotion"].value_counts()
    assert found["bored"] == 1 and abs(found["sad"] - 200) <= 1


def test_the_sample_is_the_same_each_time_in_the_order_of_the_clips_and_no_mere_beginning():
    some = thinned(CLIPS, 300)["stem"]
    assert some.is_monotonic_increasing
    assert some.equals(thinned(CLIPS, 300)["stem"])
    gaps = np.diff(some[CLIPS["emotion"] == "sad"])
    assert 5 < gaps.mean() < 15 and gaps.std() > 2


def test_links_to_folders_are_followed_and_no_folder_is_looked_through_twice(tmp_path):
    for file in ("elsewhere/actor/a.wav", "corpus/own/b.wav"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    corpus = tmp_path / "corpus"
    (corpus / "actor").symlink_to(tmp_path / "elsewhere" / "actor")
    (corpus / "own" / "again").symlink_to(corpus)
    (corpus / "own" / "twice").symlink_to(tmp_path / "elsewhere" / "actor")
    assert sound_files(corpus) == [corpus / "actor" / "a.wav", corpus / "own" / "b.wav"]
