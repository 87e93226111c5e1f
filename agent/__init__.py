"""xueshi: the Django project. One app a room; data moves from `intake` to `certificates` and never back.

The picture and the rooms' order: ARCHITECTURE.md. The words: docs/glossary.md.
"""
