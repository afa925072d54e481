import numpy as np

from ser_core.results import vote_gains
from tests.made_runs import CLIPS, by_chance, changed, run


def test_gains_are_told_class_by_class():
    member = by_chance(1, 0.5)
    whole = member | np.array([clip.label == "sad_male" for clip in CLIPS])
    found = vote_gains.by_class(run(whole), run(member, "mlp"))
    assert found["truth"].iloc[0] == "sad_male"
    assert found["whole"].iloc[0] == 1
    assert (found["gain"].iloc[1:] == 0).all()


def test_gains_of_few_clips_are_no_more_than_chance():
    member = by_chance(1, 0.5)
    sad = [i for i, clip in enumerate(CLIPS) if clip.label == "sad_male" and not member[i]]
    few, many = member.copy(), member.copy()
    few[sad[:1]], many[sad] = True, True
    said = [
        vote_gains.in_words(vote_gains.by_class(run(whole), run(member, "mlp")), "vote", "member")
        for whole in (few, many)
    ]
    assert said[0] == (
        "Of 491 clips vote names 1 more right than member alone; it gains most in Sad, male (+1) and loses in none. "
        "In no one of them is that more than chance."
    )
    assert said[1].endswith("More than chance in Sad, male (McNemar's exact test, corrected for 16).")


def test_members_are_those_that_the_vote_is_made_of():
    mlp, xgb = run(by_chance(1), "mlp"), run(by_chance(2), "xgb")
    others = [
        changed(mlp, {"parameters": {"alpha": 1}}, id="other parameters"),
        changed(mlp, {"features": "functionals"}, id="other features"),
        changed(mlp, {"preprocessing": "plain"}, id="other preprocessing"),
        changed(mlp, {"seed": 10}, id="other seed"),
        changed(mlp, id="other clips", data_digest="9"),
        changed(mlp, id="other protocol", protocol="emobox"),
    ]
    vote = run(by_chance(3), "v4")
    assert set(vote.recipe.parameters["members"]) == {"mlp", "xgb"}
    assert vote_gains.members(vote, [mlp, xgb, *others]) == {"mlp": mlp, "xgb": xgb}
    saved = changed(vote, {"parameters": {}}, members={"mlp": "mlp", "xgb": "xgb"})
    assert vote_gains.members(saved, [mlp, xgb, *others]) == {"mlp": mlp, "xgb": xgb}
    assert vote_gains.members(mlp, [mlp, xgb]) == {}


def test_the_studys_story_is_held_against_the_runs():
    label = np.array([clip.label for clip in CLIPS])
    xgb = ~np.isin(label, ["fearful_female", "sad_male"])
    mlp = label != "sad_female"
    vote = label != "sad_male"  # mends two of the three
    found = vote_gains.original_claims(run(vote, "v4"), {"mlp": run(mlp, "mlp"), "xgb": run(xgb, "xgb")})
    assert [is_so for is_so, _ in found] == [True, False, True]
    clips = (label == "fearful_female").sum()
    assert found[0][1] == (
        f"mlp mends Fearful, female: **so it is**. Of {clips} clips xgb alone names 0 right, mlp alone {clips}, the "
        f"vote {clips}."
    )


def test_of_other_votes_and_other_tests_the_study_says_nothing():
    vote, of = run(by_chance(1), "v4"), {"mlp": run(by_chance(2), "mlp"), "xgb": run(by_chance(3), "xgb")}
    assert len(vote_gains.original_claims(vote, of)) == 3
    assert vote_gains.original_claims(changed(vote, {"model": "v2"}), of) == []
    assert vote_gains.original_claims(changed(vote, protocol="emobox"), of) == []
    assert vote_gains.original_claims(vote, of | {"kn": of["mlp"]}) == []
