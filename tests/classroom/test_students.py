"""The list of students, as teachers write it, and what is wrong with it."""

from pathlib import Path

import pytest

from course_lib.classroom.room import ClassError
from course_lib.classroom.students import read_students


def test_names_are_read_in_order_without_blank_lines_and_comments(tmp_path: Path):
    file = tmp_path / "students.txt"
    file.write_bytes("\ufeffana\r\n\r\n# the second row\r\n  ben-2 # late\r\nc_3\r\n".encode())
    assert read_students(file) == ("ana", "ben-2", "c_3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"ana\nAna Mar\xc3\xada\n", "'Ana María' in line 2 of students.txt cannot be a user name: "),
        (b"../root\n", "'../root' in line 1"),
        (b"ana\n\nana\n", "`ana` is in lines 1 and 3 of students.txt: "),
        (b"# nobody\n\n", "There is no name in students.txt: "),
        (b"\xff\xfe\x00", "is no text in UTF-8: "),
        (None, "cannot be read (No such file or directory): "),
    ],
)
def test_a_wrong_list_gets_one_sentence(tmp_path: Path, text: bytes | None, said: str):
    file = tmp_path / "students.txt"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(ClassError) as raised:
        read_students(file)
    assert said in str(raised.value)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)
