"""Filing numbers: by the pattern of the installation, without gaps in a region and year."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F

from agent.programmes.errors import FilingPatternInvalid
from agent.programmes.models import FilingCounter, Programme

_LONGEST = 60


def next_number(region: str, year: int) -> str:
    """The next filing number, in the caller's transaction: what is undone takes none."""
    FilingCounter.objects.get_or_create(region=region, year=year)
    while True:  # skips numbers that files brought with them
        FilingCounter.objects.filter(region=region, year=year).update(last=F("last") + 1)
        last = FilingCounter.objects.get(region=region, year=year).last
        number = _filing_number(region, year, last)
        if not Programme.objects.filter(filing_number=number).exists():
            return number


def _filing_number(region: str, year: int, sequence: int) -> str:
    try:
        number, other = (settings.FILING_NUMBER.format(year=year, sequence=n, region=region) for n in (sequence, 0))
    except (LookupError, ValueError, AttributeError) as error:
        raise FilingPatternInvalid(pattern=settings.FILING_NUMBER, reason=f"{error} is not known") from None
    if number == other:
        raise FilingPatternInvalid(pattern=settings.FILING_NUMBER, reason="it lacks {sequence}")
    if len(number) > _LONGEST:
        raise FilingPatternInvalid(pattern=settings.FILING_NUMBER, reason="its numbers have more than 60 characters")
    return str(number)
