"""The action `class notes`: notes for the teacher and sheets to print."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from course_lib.cli.common import CommandError

if TYPE_CHECKING:
    # At run time the class is not generic.
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

PAGES = "my_class_pages"


def add_notes(actions: Actions) -> None:
    """Let pages be made for some lessons or all."""
    notes = actions.add_parser("notes", help="make the teacher's notes and the sheets to print", allow_abbrev=False)
    notes.add_argument("lessons", nargs="*", metavar="LESSON", help="lessons by number, such as 03; without any, all")
    notes.set_defaults(extras=())  # JupyterHub is not needed for it.
    notes.add_argument("--out", default=PAGES, metavar="FOLDER", help=f"where the pages are written ({PAGES})")


def make_notes(arguments: argparse.Namespace) -> int:
    """Write the notes and the sheet of each lesson that was named.

    Raises CommandError for an unknown lesson, before anything is written, or where the pages cannot be written.
    """
    from course_lib.classroom.teaching.lesson import UnknownLesson, all_lessons, find_lesson
    from course_lib.classroom.teaching.pages import write_pages
    from course_lib.data.folders import why_not_written
    from course_lib.data.places import place

    folder = place(arguments.out)
    try:
        lessons = [find_lesson(word) for word in arguments.lessons] or all_lessons()
    except UnknownLesson as error:
        raise CommandError(str(error)) from error
    for lesson in lessons:
        try:
            files = write_pages(lesson, folder)
        except OSError as error:
            reason = why_not_written(error, str(folder))
            raise CommandError(
                f"The pages cannot be written, because {reason}: name another folder with --out."
            ) from error
        print(f"{lesson.number:02d} · {lesson.title}: {', '.join(file.name for file in files)}", flush=True)
    print(f"They are in {folder}: open a sheet in a browser, and print it on both sides.")
    return 0
