"""The pages of a lesson as files: notes for the teacher, and a sheet to print."""

from pathlib import Path

from course_lib.classroom.teaching.lesson import Lesson
from course_lib.classroom.teaching.notes import notes
from course_lib.classroom.teaching.sheets import sheet
from course_lib.data.atomic import write_atomically


def write_pages(lesson: Lesson, folder: Path) -> tuple[Path, Path]:
    """Write a lesson's notes and its sheet into a folder, which is made if it is missing.

    Returns both files. Raises OSError if one cannot be written.
    """
    pages = {folder / f"{lesson.file}_notes.md": notes(lesson), folder / f"{lesson.file}_sheet.html": sheet(lesson)}
    for file, text in pages.items():
        write_atomically(file, text.encode())
    by_hand, printed = pages
    return by_hand, printed
