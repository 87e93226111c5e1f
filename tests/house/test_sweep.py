"""The demo site's certificates before programs of others and before forgers: a sample; `make trials` takes 200."""

from __future__ import annotations

from itertools import product

import pytest
from django.conf import settings

from agent.certificates.credential import sign_credentials
from agent.certificates.facts import LANGUAGES
from agent.certificates.models import Certificate
from agent.certificates.pdfs import facts_of
from agent.certificates.signer import signing_keys
from agent.certificates.template_folder import SHIPPED_NAMES
from tests.certificates import sweep

_HANAMIN = "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"
_SAMPLE = 16


@pytest.mark.needs(*sweep.PROGRAMS, _HANAMIN)
def test_programs_of_others_find_nothing_wrong_and_no_alteration_passes(demo_house, tmp_path):
    keys = signing_keys()
    certified = [facts_of(one) for one in Certificate.objects.order_by("pk").select_related(
        "programme_version", "programme__organiser", "programme__implementer")[:_SAMPLE]]  # fmt: skip
    made = sweep.pages(
        certified, _SAMPLE, keys,
        lambda facts: sign_credentials([facts], keys, issuer_id=keys.did, base_url=settings.BASE_URL)[0],
    )  # fmt: skip
    assert {page.dress for page in made} == set(product(SHIPPED_NAMES, LANGUAGES))
    assert sweep.faults(made, tmp_path, keys) == []
    assert sweep.unnoticed(made, keys, seed=1) == []
