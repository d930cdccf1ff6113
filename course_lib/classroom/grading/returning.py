"""Give students their feedback: the page that grading made, put into their home folders."""

from dataclasses import dataclass

from course_lib.classroom.grading.student_files import write_for_student
from course_lib.classroom.room import ClassError, Room
from course_lib.data.folders import why_not_written

FOLDER = ("my_course", "feedback")


@dataclass(frozen=True)
class Returned:
    """What was given: to which students, and sentences about those who got nothing."""

    students: tuple[str, ...]
    problems: tuple[str, ...]


def return_feedback(room: Room, name: str) -> Returned:
    """Put each student's page about an assignment into `my_course/feedback/` of their home folder.

    A page that was given before is replaced. A student without a page, because nothing was handed in or graded, is
    passed over.

    Args:
        room: the class.
        name: the assignment.

    Raises ClassError if nobody has feedback on it yet.
    """
    students, problems = [], []
    for student in room.students:
        page = room.grading / "feedback" / student / name / f"{name}.html"
        try:
            content = page.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"The feedback of {student} cannot be read ({error.strerror}): grade it again.")
            continue
        try:
            write_for_student(room.home(student), content, *FOLDER, f"{name}.html")
        except ClassError as error:
            problems.append(f"{student} got no feedback: {error}")
        except OSError as error:
            problems.append(
                f"{student} got no feedback, because {why_not_written(error, page.name)}: correct that, then run the "
                "same command again."
            )
        else:
            students.append(student)
    if not students and not problems:
        raise ClassError(f"There is no feedback on {name} yet: `class grade {name}` makes it.")
    return Returned(tuple(students), tuple(problems))
