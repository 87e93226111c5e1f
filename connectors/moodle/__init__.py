"""Moodle as a source of completions, through its web services (docs/moodle.md)."""

from connectors.moodle.connector import MoodleConnector

__all__ = ["MoodleConnector"]
