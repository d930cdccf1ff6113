"""The list of students: one user name per line. Blank lines are allowed, and comments that begin with #."""

from pathlib import Path

from course_lib.classroom.room import NAME, ClassError


def read_students(file: Path) -> tuple[str, ...]:
    """Read a list of students.

    Returns the names in the order of the list.

    Raises ClassError if the file cannot be read, a name cannot be a user name or stands there twice, or there is none.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ClassError(
            f"The list of students {file} cannot be read ({error.strerror}): correct --students."
        ) from error
    except UnicodeDecodeError as error:
        raise ClassError(f"The list of students {file} is no text in UTF-8: save it as plain text.") from error
    names: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if not NAME.fullmatch(name):
            raise ClassError(
                f"{name!r} in line {number} of {file.name} cannot be a user name: take up to 32 of a to z, 0 to 9, - "
                "and _, with a letter first."
            )
        if name in names:
            raise ClassError(f"`{name}` is in lines {names[name]} and {number} of {file.name}: give one another name.")
        names[name] = number
    if not names:
        raise ClassError(f"There is no name in {file.name}: write one user name per line.")
    return tuple(names)
