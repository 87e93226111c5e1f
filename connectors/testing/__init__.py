"""What a connector's tests stand on: the fake Moodle over real HTTP, and the recorded site it answers from."""
