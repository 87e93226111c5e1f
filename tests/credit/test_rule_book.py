"""What holds for every year, whatever kinds it has and whichever policy rules it."""

from collections import defaultdict
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.credit.policy import load_policy, policy_files
from agent.credit.reasons import REASONS
from agent.credit.reckoning import delivery
from agent.credit.secondment import rounded
from tests.credit.kinds import GUANGDONG, ZAOZHUANG, credited, reckoned, years


@settings(deadline=None, max_examples=300)
@given(years(), st.randoms(use_true_random=False))
def test_case_36_the_order_of_arrival_does_not_matter(made, random):
    policy, year = made
    shuffled = list(year)
    random.shuffle(shuffled)

    assert reckoned(*shuffled, policy=policy) == reckoned(*year, policy=policy)


@settings(deadline=None, max_examples=300)
@given(years())
def test_caps_are_never_passed_and_sums_are_equal(made):
    policy, year = made
    found = reckoned(*year, policy=policy)

    by_rule, by_category, step = defaultdict(int), defaultdict(int), policy.rounding.parameters.step
    kinds = {each["id"]: each["kind"] for each in year}
    for entry in found.entries:
        assert 0 <= entry.credited <= entry.recognised <= entry.claimed
        assert entry.claimed == entry.credited + entry.capped
        assert entry.credited % step == 0
        by_rule[kinds[entry.id]] += entry.credited
        by_category[entry.category] += entry.credited
    for kind, rule in policy.counting.items():
        if rule.parameters.per_year is not None:
            assert by_rule[kind] <= rule.parameters.per_year
        if rule.parameters.each is not None:
            assert all(e.credited <= rule.parameters.each for e in found.entries if kinds[e.id] == kind)
    assert {name: hours for name, hours in found.standing.credited.items() if hours} == {
        name: hours for name, hours in by_category.items() if hours
    }
    assert found.standing.total == sum(by_category.values())
    assert by_rule["secondment"] <= 9000


@settings(deadline=None, max_examples=300)
@given(years())
def test_a_day_never_holds_more_than_its_cap(made):
    """What lies within a stretch of days is at most the cap of each of them, over all that shares it."""
    policy, year = made
    found = {(entry.id, entry.category): entry for entry in reckoned(*year, policy=policy).entries}
    cap = policy.day_cap.parameters.hours_per_day
    on_days = [
        (each.get("start", each["end"]), each["end"], found[each["id"], each["category"]].credited)
        for each in year
        if each["kind"] == "training" and "sessions" not in each
    ]
    for first, _, _ in on_days:
        for _, last, _ in on_days:
            within = sum(hours for start, end, hours in on_days if first <= start and end <= last)
            if within:
                assert within <= cap * ((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)


@settings(deadline=None, max_examples=300)
@given(years(), st.data())
def test_what_is_taken_out_and_put_back_gives_the_same_ledger(made, data):
    policy, year = made
    if not year:
        return
    taken = data.draw(st.integers(0, len(year) - 1))
    before = reckoned(*year, policy=policy)

    less = [each for number, each in enumerate(year) if number != taken]
    without = reckoned(*less, policy=policy)
    assert year[taken]["id"] not in {entry.id for entry in without.entries}
    assert reckoned(*less, year[taken], policy=policy) == before


@settings(deadline=None, max_examples=200)
@given(years(), st.data())
def test_taking_one_out_gives_back_what_it_capped(made, data):
    """Of items with a cap of a year: what remains of the others is what they would be without it."""
    policy, year = made
    items = [each for each in year if each["kind"] == "achievement" and each["passed"] and not each["item"]]
    if not items:
        return
    taken = data.draw(st.sampled_from(items))
    before = credited(*items, policy=policy)
    after = credited(*(each for each in items if each is not taken), policy=policy)

    assert all(hours >= before[key] for key, hours in after.items())
    most = policy.counting["achievement"].parameters.per_year
    assert sum(after.values()) >= min(most, sum(before.values())) - policy.counting["achievement"].parameters.each


@settings(deadline=None, max_examples=200)
@given(years())
def test_every_decision_is_explained_in_both_languages_by_a_rule_of_the_policy(made):
    policy, year = made
    for entry in reckoned(*year, policy=policy).entries:
        assert entry.reason_zh
        assert "{" not in entry.reason_zh + entry.reason_en
        assert policy.rule(entry.rule)
        assert delivery(policy, entry) in {"none", "automatic", "learner_declares", "auto"}


@settings(deadline=None, max_examples=200)
@given(st.integers(-5000, 5000), st.integers(1, 500), st.sampled_from([1, 10, 50, 100]))
def test_rounding_is_half_up_and_exact(numerator, denominator, step):
    result = rounded(numerator, denominator, step)

    assert result % step == 0
    assert 2 * denominator * result <= 2 * numerator + denominator * step < 2 * denominator * (result + step)


def test_every_reason_that_the_rules_can_give_stands_in_an_example():
    policies = [load_policy(region, int(year)) for region, year, _ in policy_files()]
    shown = {entry.reason for policy in policies for example in policy.examples for entry in example.entries}

    of_certificates = {"certificate_revoked", "programme_voided"}  # decisions of people: tests/house
    assert set(REASONS) - of_certificates == shown


def test_the_two_policies_share_no_figure_of_the_split():
    assert {name: rule.parameters.hours for name, rule in GUANGDONG.required.items()} == {
        "public": 3000,
        "professional": 4200,
        "elective": 1800,
    }
    assert set(ZAOZHUANG.required) == {"public", "professional"}
    assert GUANGDONG.rounding.parameters.hours_per_half_day == 400


def test_half_a_day_is_four_hours_where_the_policy_says_so():
    half = {"id": "a", "kind": "training", "category": "elective", "half_days": 1, "end": "2024-06-03"}

    assert credited(half, policy=GUANGDONG) == {("a", "elective"): 400}


def test_without_an_earlier_one_of_its_group_another_kind_may_lose_a_day():
    """The exception that `agent.credit.days` names: a cap of a year comes before the days."""
    first = {"id": "s1", "kind": "study", "hours": 40, "end": "2024-02-01"}
    second = {"id": "s2", "kind": "study", "hours": 8, "start": "2024-06-03", "end": "2024-06-03T01:00:00Z"}
    training = {"id": "t", "kind": "training", "category": "professional", "hours": 8, "end": "2024-06-03T02:00:00Z"}

    assert credited(first, second, training)["t", "professional"] == 800
    assert credited(second, training)["t", "professional"] == 0
