"""Run a command with this Python, which must have the course's packages: `python -m course_lib.cli progress`."""

import errno
import io
import os
import signal
import sys
from typing import Any


class PatientFile(io.FileIO):
    """A file that takes the rest of what is written to a pipe when its reader, such as `head`, has seen enough."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except OSError as error:
            # Windows reports a closed pipe as an invalid argument.
            if error.errno not in (errno.EPIPE, errno.EINVAL):
                raise
            return memoryview(content).nbytes


def let_the_reader_go() -> None:
    """Let a command run to its end, with its own status, when nobody reads what it prints any more."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(PatientFile(sys.stdout.fileno(), "wb", closefd=False)),
            encoding=sys.stdout.encoding,
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )


def run() -> int:
    """Run the command and return its exit status."""
    # JupyterLab's kernels choose their own, and no command shows a figure. One that does not exist would stop them.
    os.environ.pop("MPLBACKEND", None)
    try:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # course.py lets Ctrl-C wait until here.
        let_the_reader_go()
        from course_lib.cli import main

        status = main(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # The command is done, and only Python itself has to end.
        return status
    except KeyboardInterrupt:
        print("Stopped: run the same command again to continue.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
