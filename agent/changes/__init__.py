"""What was written since the stages went through the house last: they rest while nothing was.

A library: the database notes by triggers which of the stages' tables somebody wrote to. It knows no room but by the
names of tables, in its migration.
"""
