"""The figures of the desks: what landed, was credited, issued, held and pulled, day by day.

Vocabulary: a *question* is one statement that counts one kind of thing by day, source, programme and name; *live*
figures are a question asked now; *kept* ones are its last answer, which a house with many rows shows with its moment; a
*scope* is whose things are counted; a *span* is the days that somebody looks at.
"""
