"""`course.py progress`, for a learner who has written softmax."""

from tests.cli.learner import Learner


def test_progress_shows_the_map_and_which_parts_are_the_learners(learner: Learner):
    shown = learner.types("progress")
    assert shown.returncode == 0, shown.stderr
    assert "softmax: yours" in shown.stdout
    assert "✓ yours" in learner.progress("softmax")
    assert "the course's" in learner.progress("split_heads")
