"""How many rows came, against how many the site says there are."""

from __future__ import annotations

_MOVED, _MOVED_SHARE = 5, 0.05  # rows that may come and go while a report is read; of many, that part


def agrees(got: int, at_first: int, at_last: int) -> bool:
    """Whether the rows that came fit the counts before and after. While nothing moves they are equal; on a site where
    people complete and leave courses meanwhile, the sum may be off by as much as the count has moved. A count that has
    moved far was made under another program's filter, and vouches for nothing.
    """
    moved = abs(at_last - at_first)
    if moved > max(_MOVED, _MOVED_SHARE * max(at_first, at_last)):
        return False
    return min(at_first, at_last) - moved <= got <= max(at_first, at_last) + moved
