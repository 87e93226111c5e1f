"""`make bench`: how fast and how large this is, beside peers in the same run. Not part of the test suite.

Every figure is measured in a process of its own, in a fresh home with its own private PostgreSQL as it is shipped.
The peers are installed by `peers.environment` into `.bench/`, and run on the same server build with the same settings.
"""
