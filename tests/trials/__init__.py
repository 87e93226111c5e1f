"""Trials: the faults that the agent survives, tried by doing them. `make trials`, docs/trials.md.

Vocabulary: an *act* is one change of the played LMS, after which the house is brought to rest; the *twin* is a second
house that sees the same acts and is never disturbed; *rest* is when nothing waits, runs or is owed.
"""
