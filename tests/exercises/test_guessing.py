"""Guesses: kept in the learner's folder, revealed by a run, and counted."""

from pathlib import Path

import pytest

from course_lib.exercises.guessing import FILE, guess, guessed, reveal


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "work"))
    return tmp_path / "work"


def test_a_choice_is_kept_and_compared_with_the_result() -> None:
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    assert str(reveal("01 more", "fewer")) == "✗ You guessed “more”. The answer is “fewer”."


def test_a_number_counts_as_right_if_it_is_close_enough() -> None:
    guess("01 spread", "How many times?", unit="times").chosen = "15"
    assert str(reveal("01 spread", 16.2, close=2)) == "✓ Close: you guessed 15. It is 16.2 times."


def test_a_number_that_is_too_far_off_is_wrong() -> None:
    guess("01 spread", "How many times?").chosen = "4"
    assert str(reveal("01 spread", 16, close=2)) == "✗ You guessed 4. It is 16."


def test_the_unit_is_said_with_the_result_alone() -> None:
    """ "You guessed 3 times" would say how often the learner guessed."""
    guess("01 spread", "How many times?", unit="times").chosen = "3"
    assert str(reveal("01 spread", 7.389)) == "✗ You guessed 3. It is 7.389 times."


def test_a_number_that_is_exact_is_right() -> None:
    guess("01 spread", "How many times?").chosen = "16"
    assert str(reveal("01 spread", 16.0)) == "✓ Right: 16."


def test_a_number_that_the_result_is_rounded_to_where_it_is_shown_is_right() -> None:
    guess("01 spread", "How many times?").chosen = "1"
    assert str(reveal("01 spread", 1.0000001)) == str(reveal("01 spread", 1.0000001, close=1)) == "✓ Right: 1."


def test_a_whole_number_is_right_only_if_all_its_digits_are() -> None:
    guess("01 spread", "How many numbers?").chosen = "262100"
    assert str(reveal("01 spread", 262144)).startswith("✗ You guessed 262100.")


def test_running_all_cells_without_a_guess_shows_the_result_and_how_to_guess() -> None:
    guess("01 more", "More or fewer?", ["more", "fewer"])
    shown = str(reveal("01 more", "fewer"))
    assert shown.startswith("The answer is “fewer”.\nYou have not guessed yet.")


def test_a_guess_survives_a_restart_of_the_kernel() -> None:
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    assert guess("01 more", "More or fewer?", ["more", "fewer"]).chosen == "more"


def test_the_first_guess_counts_once_the_result_was_shown() -> None:
    box = guess("01 more", "More or fewer?", ["more", "fewer"])
    box.chosen = "more"
    reveal("01 more", "fewer")
    box.chosen = "fewer"
    assert str(reveal("01 more", "fewer")) == "✗ You guessed “more”. The answer is “fewer”."


def test_a_guess_may_be_changed_until_the_result_is_shown() -> None:
    box = guess("01 more", "More or fewer?", ["more", "fewer"])
    box.chosen = "more"
    box.chosen = "fewer"
    assert str(reveal("01 more", "fewer")) == "✓ Right: fewer."


def test_a_guess_at_a_question_that_an_update_has_changed_does_not_count() -> None:
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    reveal("01 more", "fewer")
    assert guess("01 more", "How many?", ["8", "40"]).chosen == ""
    assert str(reveal("01 more", "8")).startswith("The answer is “8”.\nYou have not guessed yet.")
    guess("01 more", "How many?", ["8", "40"]).chosen = "8"
    assert str(reveal("01 more", "8")) == "✓ Right: 8."


def test_a_choice_that_was_kept_is_no_answer_to_a_question_for_a_number() -> None:
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    assert str(reveal("01 more", 0.66)).startswith("It is 0.66.\nYou have not guessed yet.")
    assert guess("01 more", "How many?").chosen == ""


def test_right_guesses_are_counted_for_one_notebook() -> None:
    for name, answer in (("01 a", "more"), ("01 b", "fewer"), ("02 c", "more")):
        guess(name, "More or fewer?", ["more", "fewer"]).chosen = answer
        reveal(name, "more")
    assert str(guessed(notebook=1)) == "You guessed 1 of 2 right."


def test_no_guess_at_all_is_said_as_such() -> None:
    assert str(guessed(notebook=3)) == "You made no guess in this notebook."


def test_a_damaged_file_of_guesses_stops_nothing(own_folder: Path) -> None:
    own_folder.mkdir()
    (own_folder / FILE).write_text("{broken", encoding="utf-8")
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    assert str(reveal("01 more", "more")) == "✓ Right: more."


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "file" / "work"))
    guess("01 more", "More or fewer?", ["more", "fewer"]).chosen = "more"
    assert str(reveal("01 more", "more")).startswith("The answer is “more”.")


def test_where_no_script_runs_the_question_is_there_to_be_answered_on_paper() -> None:
    box = guess("01 more", "More or fewer?", ["more", "fewer"])
    assert box.static_html() == "<p><strong>Guess first:</strong> More or fewer? <em>more / fewer</em></p>"
    assert repr(guess("01 n", "How many?", unit="words")) == "Guess first: How many? (… words)"


def test_a_single_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two answers"):
        guess("01 more", "More?", ["more"])
