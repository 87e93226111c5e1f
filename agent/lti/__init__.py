"""The tool that an LMS shows inside of itself (LTI 1.3): who may launch us, what a launch proves, who came with it."""
