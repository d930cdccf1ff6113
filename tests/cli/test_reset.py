"""`course.py reset`, for a learner who has written softmax."""

import pytest

from tests.cli.learner import SOFTMAX, Learner


@pytest.mark.parametrize("words", [[], ["softmax", "softmax"]])
def test_reset_moves_the_learners_files_aside_and_deletes_nothing(learner: Learner, words: list[str]):
    done = learner.types("reset", *words)
    assert done.returncode == 0, done.stderr
    assert not (learner.folder / "softmax.py").exists()
    moved = [path.read_text(encoding="utf-8") for path in learner.folder.rglob("softmax*.py")]
    assert moved == [SOFTMAX]


def test_after_a_reset_progress_shows_the_courses_part(learner: Learner):
    learner.types("reset", "softmax")
    assert "the course's" in learner.progress("softmax")


def test_a_reset_leaves_unnamed_parts_in_place(learner: Learner):
    assert learner.types("reset", "split_heads").returncode == 0
    assert (learner.folder / "softmax.py").read_text(encoding="utf-8") == SOFTMAX


def test_reset_of_a_part_that_does_not_exist_suggests_one_that_does(learner: Learner):
    refused = learner.types("reset", "sofmax")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "✗ There is no exercise 'sofmax': do you mean 'softmax'?"
    assert (learner.folder / "softmax.py").exists()


def test_a_folder_that_cannot_be_changed_is_said_in_a_sentence(learner: Learner):
    (learner.folder / "former").write_text("a file stands in the folder's place", encoding="utf-8")
    refused = learner.types("reset")
    assert refused.returncode == 1
    assert refused.stderr.strip().startswith("✗ Not everything was moved aside, because my_transformer cannot be writt")
    assert len(refused.stderr.splitlines()) == 1
    assert (learner.folder / "softmax.py").exists()
