"""Who the people are whose hours are counted: identity numbers, names, and the learners that they belong to."""
