"""`course.py progress`, for a learner who has written softmax."""

from tests.cli.learner import Learner


def test_progress_shows_the_map_and_which_parts_are_the_learners(learner: Learner):
    shown = learner.types("progress")
    assert shown.returncode == 0, shown.stderr
    assert "softmax: yours" in shown.stdout
    assert "✓ yours" in learner.progress("softmax")
    assert "the course's" in learner.progress("split_heads")


def test_progress_changes_no_file_and_says_which_ones_are_not_used(learner: Learner):
    (learner.folder / "softmax.py").write_text("import sys\nsys.exit(0)\n", encoding="utf-8")
    (learner.folder / "notes.py").write_text("raise RuntimeError\n", encoding="utf-8")
    shown = learner.types("progress")
    assert shown.returncode == 0, shown.stderr
    assert "my_transformer/softmax.py is not used, because it raises SystemExit (0). The course uses" in shown.stdout
    assert shown.stderr == ""
    assert sorted(path.name for path in learner.folder.rglob("*")) == ["notes.py", "softmax.py"]
