"""«Where is my hour?»: a learner names a course; what the sources said of it, and asking one of them again."""
