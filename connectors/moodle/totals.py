"""How many rows came, against how many the site says there are."""

from __future__ import annotations


def agrees(got: int, at_first: int, at_last: int) -> bool:
    """Whether the rows that came fit the counts before and after. While nothing moves they are equal; on a site where
    people complete and leave courses meanwhile, the sum may be off by as much as the count has moved.
    """
    moved = abs(at_last - at_first)
    return min(at_first, at_last) - moved <= got <= max(at_first, at_last) + moved
