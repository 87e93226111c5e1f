"""The commands. Thin: they read arguments, call a room, and show what came of it."""
