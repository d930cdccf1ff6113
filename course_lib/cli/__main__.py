"""Run a command with this Python, which must have the course's packages: `python -m course_lib.cli progress`."""

import sys

from course_lib.cli import main

sys.exit(main(sys.argv[1:]))
