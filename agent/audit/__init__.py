"""Who did what, before and after: an append-only chain that can be neither changed nor shortened unseen."""
