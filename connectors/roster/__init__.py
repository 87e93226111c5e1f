"""Rosters: the lists that bases send of an offline class, as ``.xlsx`` or ``.csv``.

Vocabulary: a *sheet* is a table of cells (a CSV file is one sheet without a name); a *heading row* names the columns;
a *data row* is a row beneath it that is about a person; totals and signatures are neither.
"""

from connectors.roster.connector import RosterConnector
from connectors.roster.template import write_template

__all__ = ["RosterConnector", "write_template"]
