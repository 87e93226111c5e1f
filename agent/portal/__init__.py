"""The doors for people with a browser: the learner's year, certificates, verification, and an overview for staff."""
