"""Reconciliation: what the LMS has = what landed = what was judged = the ledger = the certificates, daily, by source.

Vocabulary: an *equation* is two figures that must be equal, counted on different sides of the house; a *line* is one
equation of one source in a *snapshot*; what stands on one side only is *named*; what has only just arrived at a stage
is *on the way* and stands on neither side.
"""
