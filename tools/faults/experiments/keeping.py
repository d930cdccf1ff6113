"""Faults to plant in course_lib/experiments/keeping.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    (
        "with suppress(ValueError, TypeError, KeyError):\n",
        "with suppress(ValueError):\n",
        "other lines stop the reading",
    ),
    ("[each for each in self._lines() if not _is_of(each, run.key)]", "[]", "a new run removes all others"),
    (
        "[each for each in self._lines() if not _is_of(each, run.key)]",
        "self._lines()",
        "a run that is repeated is kept twice",
    ),
    ("self.checkpoint(run.key).unlink(missing_ok=True)", "pass", "the state of a finished training stays"),
    ('{**asdict(run.outcome), "curves": None}', "asdict(run.outcome)", "curves are in the line as well"),
    ("return content if isinstance(content, dict) else {}", "return content", "curves from other hands are read"),
    (', errors="replace"', "", "a damaged byte stops the reading"),
    ("        except (OSError, ValueError):\n", "        except OSError:\n", "damaged curves stop the reading"),
    ("            (self.path / _ROOM).unlink()\n", "", "the file that tries the room stays"),
    ("remove_unfinished(each)", "pass", "half a file of a killed process stays"),
    ('(self.path, self.path / "curves", self.path / "unfinished")', "(self.path,)", "half a file of curves stays"),
]
