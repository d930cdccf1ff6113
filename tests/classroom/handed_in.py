"""Notebooks as students hand them in: right, wrong, hostile and empty ones."""

import copy
import json
from pathlib import Path

from course_lib.classroom.grading.assignments import find_assignment
from course_lib.classroom.grading.submissions import answers
from course_lib.copies.notebook import Notebook, exercise_of
from course_lib.exercises.catalogue import find
from tests.notebooks.test_solved import cell

NAME = "01_attention"
SCALE_MISSING_AND_MASK_INVERTED = """\
@exercise("scaled_dot_product_attention")
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT
    if mask is not None:
        scores = scores.masked_fill(mask, -torch.inf)
    weights = torch.softmax(scores, -1)
    return weights @ value, weights
"""
RAW_SCORES = """\
@exercise("attend_one_query")
def attend_one_query(query, key, value):
    return (key @ query) @ value
"""
NOT_SUMMED = """\
@exercise("mix_values")
def mix_values(weights, value):
    return weights
"""


def notebook(replaced: dict[str, str] | None = None, name: str = NAME) -> Notebook:
    """The course's notebook, with the cells of some exercises replaced."""
    made = Notebook(find_assignment(name).original.content())
    for each in made.cells:
        if (exercise := exercise_of(each)) in (replaced or {}):
            each["source"] = (replaced or {})[str(exercise)]
    return made


def solved(changed: dict[str, str] | None = None, name: str = NAME) -> Notebook:
    """The notebook with right answers in all its cells but the changed ones."""
    right = {each.name: cell(each.name) for each in find_assignment(name).exercises}
    return notebook(right | (changed or {}), name)


def with_cells(made: Notebook, *cells: dict) -> Notebook:
    """The notebook with further cells at its end."""
    made = copy.deepcopy(made)
    made.cells.extend(cells)
    return made


def code(text: str, **metadata: object) -> dict:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"own-{abs(hash(text)) % 10**8}",
        "metadata": metadata,
        "outputs": [],
        "source": text,
    }


def write(file: Path, made: Notebook) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(made.content())


def submitted(made: Notebook, exercise: str, name: str = NAME):
    """The answer to one exercise in a notebook."""
    assignment = find_assignment(name)
    return answers(made, assignment.original, [find(exercise)])[exercise]


def shown(made: Notebook) -> str:
    return json.dumps(made.json)
