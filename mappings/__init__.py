"""Policies of hours as data: ``<region>/<year>/policy.yaml``, with their JSON Schema. No code."""
