"""The folder of a study: one line of JSON for each run that is done, and its curves in a file beside it.

    my_course/experiments/NAME/runs.jsonl
    my_course/experiments/NAME/curves/KEY.json
    my_course/experiments/NAME/unfinished/KEY.safetensors     a training that was stopped in the middle

A line is written after its curves, and both completely or not at all, so that whatever is killed loses no run that is
done.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from course_lib.data.atomic import remove_unfinished, write_atomically
from course_lib.data.folders import why_not_written
from course_lib.experiments.running import Outcome

_ROOM = ".room"
_BYTES_OF_A_RUN = 100_000


class StudyError(RuntimeError):
    """A study cannot be run or kept. The message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A run that is done.

    Attributes:
        key: the digest of all that could change its result.
        variant: the name of its variant.
        seed: its seed.
        outcome: what came of it, without the curves, which are in a file of their own.
        made: where and with what: machine, date, versions.
    """

    key: str
    variant: str
    seed: int
    outcome: Outcome
    made: dict[str, Any]


class Folder:
    """Where the runs of one study are kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "runs.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the study against other notebooks and commands, and tidy its folder.

        Raises StudyError where another one runs it, or the folder cannot be written to.
        """
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise StudyError(
                f"another notebook or command is running the study {self.path.name}: wait until it is done, or give "
                "this one another name"
            ) from None
        except OSError as error:
            raise self._not_kept(error) from error
        try:
            for each in (self.path, self.path / "curves", self.path / "unfinished"):
                remove_unfinished(each)
            yield
        finally:
            lock.release()

    def check_room(self) -> None:
        """Raise StudyError where there is no room for a run, before one is trained."""
        try:
            write_atomically(self.path / _ROOM, bytes(_BYTES_OF_A_RUN))
            (self.path / _ROOM).unlink()
        except OSError as error:
            raise self._not_kept(error) from error

    def runs(self) -> dict[str, Run]:
        """Read the runs that are done, by their keys. A line that is no run, from other hands, is passed over."""
        found = {}
        for line in self._lines():
            with suppress(ValueError, TypeError, KeyError):
                fields = json.loads(line)
                run = Run(**{**fields, "outcome": Outcome(**fields["outcome"])})
                found[run.key] = run
        return found

    def curves(self, key: str) -> dict[str, list[float]]:
        """Read the curves of a run; empty where there are none."""
        try:
            content = json.loads((self.path / "curves" / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def checkpoint(self, key: str) -> Path:
        """The file that keeps the state of a run's training until it is done."""
        return self.path / "unfinished" / f"{key}.safetensors"

    def add(self, run: Run) -> None:
        """Keep a run: first its curves, then its line. Raises StudyError if that is not possible."""
        outcome = {**asdict(run.outcome), "curves": None}
        line = json.dumps({**asdict(run), "outcome": outcome})
        try:
            if run.outcome.curves:
                curves = json.dumps(run.outcome.curves).encode()
                write_atomically(self.path / "curves" / f"{run.key}.json", curves)
            others = [each for each in self._lines() if not _is_of(each, run.key)]
            write_atomically(self.file, "".join(f"{each}\n" for each in [*others, line]).encode())
            self.checkpoint(run.key).unlink(missing_ok=True)
        except OSError as error:
            raise self._not_kept(error) from error

    def _lines(self) -> list[str]:
        try:
            return self.file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StudyError(
                f"the runs of {self.path.name} cannot be read ({error.strerror}): see {self.file}"
            ) from None

    def _not_kept(self, error: OSError) -> StudyError:
        why = why_not_written(error, str(self.path))
        return StudyError(f"no run can be kept, because {why}: make room or choose another folder, and run it again")


def _is_of(line: str, key: str) -> bool:
    """Whether a line is that of a run with this key."""
    try:
        return bool(json.loads(line)["key"] == key)
    except (ValueError, TypeError, KeyError):
        return False
