"""Which course of which source is which filed programme: what there is, what is likely, what a decision would do.

Vocabulary: a *link* (`agent.programmes.models.CourseLink`) is a decision of a person; a *suggestion* is a likely one
with its reasons, and decides nothing; a *trial* is a decision carried out by the stages' own SQL and rolled back.
"""
