"""Staff accounts: who is invited, for which body in which role, and what opens the door to them."""
