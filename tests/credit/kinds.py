"""Years of all kinds, written as others write them: for the properties of the whole rule book."""

from datetime import date, timedelta

from hypothesis import strategies as st

from agent.credit.asked import Asked, faults
from agent.credit.asking import learner_year, unfit
from agent.credit.policy import load_policy
from agent.credit.reckoning import reckon

POLICIES = [load_policy("370400", 2024), load_policy("440000", 2024)]
ZAOZHUANG, GUANGDONG = POLICIES
HOURS = st.integers(1, 4000).map(lambda hundredths: hundredths / 100)
DAYS = st.integers(0, 365).map(lambda n: date(2024, 1, 1) + timedelta(n)) | st.sampled_from(
    [date(2024, 6, 3), date(2024, 6, 4), date(2024, 12, 31)]
)


def asked(*achievements, **more):
    """A learner's year from plain values."""
    year = Asked.model_validate({"achievements": achievements} | more)
    assert faults(year) == []
    return year


def reckoned(*achievements, policy=ZAOZHUANG, **more):
    """What it comes to."""
    year = asked(*achievements, **more)
    assert unfit(policy, year) == []
    return reckon(policy, learner_year(policy, year))


def credited(*achievements, policy=ZAOZHUANG, **more):
    """Credited hundredths by id and category."""
    found = reckoned(*achievements, policy=policy, **more)
    return {(entry.id, entry.category): entry.credited for entry in found.entries}


@st.composite
def achievements(draw, policy, number):
    kinds = ["training", "training", "training", *policy.counting, "secondment"]
    kind = draw(st.sampled_from(kinds))
    end = draw(DAYS)
    made = {"id": f"a{number}", "kind": kind, "end": end.isoformat(), "source": draw(st.sampled_from("AB"))}
    if draw(st.booleans()) or kind == "secondment":
        made["start"] = (end - timedelta(draw(st.integers(0, 90)))).isoformat()
    made["category"] = draw(st.sampled_from(policy.category_ids))
    if kind != "secondment":
        days = 1 if "start" not in made else (end - date.fromisoformat(made["start"])).days + 1
        most = 2400 * days if kind in {"training", "study", "expert_activity"} and "start" in made else 4000
        made["hours"] = draw(st.integers(1, min(4000, most))) / 100
    if kind == "training":
        made["filed_hours"] = draw(HOURS)
        made["course"] = draw(st.sampled_from(["", "P1", "P2"]))
    if kind in {"training", "study", "expert_activity"} and draw(st.integers(0, 3)) == 0:
        first = date.fromisoformat(made.get("start", made["end"]))
        days = draw(st.sets(st.integers(0, (end - first).days), min_size=1, max_size=3))
        what = st.sampled_from(["learning", "learning", "travel", "rest", "ceremony"])
        made["sessions"] = [
            {"date": (first + timedelta(n)).isoformat(), "hours": draw(st.integers(1, 2400)) / 100, "what": draw(what)}
            for n in sorted(days)
        ]
    if kind in {"exam", "achievement", "competition", "digital_engineer"}:
        made["item"] = draw(st.sampled_from(["", "", "Z1", "Z2"]))
        made["passed"] = draw(st.sampled_from([True, True, False]))
    if kind == "transfer":
        made["covers"] = draw(st.lists(st.sampled_from([f"a{n}" for n in range(6)]), max_size=2))
    return made


@st.composite
def years(draw):
    """A policy, and a learner's year as plain values."""
    policy = draw(st.sampled_from(POLICIES))
    return policy, [draw(achievements(policy, number)) for number in range(draw(st.integers(0, 9)))]
