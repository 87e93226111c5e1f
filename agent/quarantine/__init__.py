"""What a stage could not decide waits here, with a code, a sentence and what would release it.

A library for every room: it refers to what is held by kind and id, and knows no other room.
"""
