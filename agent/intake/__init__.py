"""Intake lands what sources say, once: completions in versions, each with its raw row sealed beside it.

Vocabulary: a *source* is one LMS or roster that a base connected; a *run* is one pull of it; a completion is unique
by (source, key), its *current* version is the newest; a row that the source no longer shows is *missing upstream*.
"""
