"""Matching answers two questions for each landed completion: who is it, and which filed programme was it?

What both questions are answered for is an *achievement*; anything else is held with the first reason that stands in
the way. The stage looks at all rows that wait, in one pass of SQL.
"""
