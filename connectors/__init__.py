"""Connectors: how completions are read out of the places where people learn.

Framework-free: this package knows HTTP and files, and knows nothing of ``agent``.

Vocabulary: a *source* is one LMS or one roster file; a *connector* is the code for a kind of source; a *completion*
is one learner's finished course as the source tells it; a *page* is what one read yields.
"""
