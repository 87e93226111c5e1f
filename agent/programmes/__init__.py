"""Programmes that departments file with the HR bureau, and which course of which source teaches them."""
