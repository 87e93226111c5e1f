"""What can be wrong with a roster as a whole, beyond what `connectors.errors` has for files."""

from __future__ import annotations

from connectors.errors import ConnectorError


class HeaderTwice(ConnectorError):
    """{place} has the heading «{column}» twice, so it is not certain which column is meant."""

    code = "E_HEADER_TWICE"
    fix = (
        "Give each person a row: lists set side by side go one below the other; rename a second column of that heading."
    )


class SheetUnread(ConnectorError):
    """The sheet «{sheet}» of {path} has identity numbers ({place}) and no row of headings with {column}."""

    code = "E_SHEET_UNREAD"
    fix = "Put a row of headings above the list on that sheet too, or remove the sheet. Nothing was taken over."
