"""Clock and work: who asks when, and who does it.

The *clock* (APScheduler) only defers; *workers* (Procrastinate, on the same PostgreSQL) do. A *job* waits in the queue
until a worker takes it. One job of a source runs at a time, and one of each kind waits (ADR 14).
"""
