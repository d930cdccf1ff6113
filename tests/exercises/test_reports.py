"""Reports have the same words in HTML and in plain text, and the same bytes every time."""

import re
from html import unescape

import pytest
import torch

from course_lib.exercises import Mistake, Panel, hint, solution
from course_lib.exercises.catalogue import all_exercises, find
from course_lib.pictures.look import LOOK_CSS
from tools import mistakes as table


def words(html: str) -> list[str]:
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", without_style)).replace("`", " ").split()


def reports() -> list[Panel]:
    exercise = find("softmax")
    wrong = exercise.check(exercise.mistakes[0].implementation)
    return [
        exercise.check(exercise.reference),
        wrong,
        hint("softmax"),
        solution("softmax"),
        Panel("a < b", ("`1 < 2`",)),
    ]


@pytest.mark.parametrize("number", range(5))
def test_html_and_plain_text_have_the_same_words(number: int):
    report = reports()[number]
    assert words(report._repr_html_()) == repr(report).replace("`", " ").split()


def test_a_report_distinguishes_right_from_wrong_by_words_and_a_mark():
    right, wrong = reports()[:2]
    assert repr(right).startswith("✓ softmax: right\n")
    assert repr(wrong).startswith("✗ softmax: not yet\n")


def test_a_report_includes_the_courses_style_sheet_and_sets_its_colours():
    html = Panel("title")._repr_html_()
    assert html.startswith(f"<style>{LOOK_CSS}</style>")
    (rule,) = re.findall(r"^\.course-report \{(.*?)^\}", html, re.MULTILINE | re.DOTALL)
    assert "background: var(--panel);" in rule
    assert "\n  color: var(--ink);" in rule


def test_a_report_has_no_number_that_another_machine_would_round_differently():
    # A notebook commits these bytes, and nbval compares them on every system.
    report = find("softmax").check(lambda x, dim: torch.softmax(x, dim) * 2)
    assert repr(report) == (
        "✗ softmax: not yet\n"
        "In your result, every number is twice what it should be.\n"
        "`softmax(x, 0)` with `x` = `[0, 1, 2]` should give `[0.09003, 0.2447, 0.6652]`, "
        "not `[0.1801, 0.4895, 1.33]`."
    )
    assert report._repr_html_().endswith(
        '</style>\n<div class="course-report"><p><strong>✗ softmax: not yet</strong></p>'
        "<p>In your result, every number is twice what it should be.</p>"
        "<p><code>softmax(x, 0)</code> with <code>x</code> = <code>[0, 1, 2]</code> should give "
        "<code>[0.09003, 0.2447, 0.6652]</code>, not <code>[0.1801, 0.4895, 1.33]</code>.</p></div>"
    )


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.name)
def test_no_hint_reveals_a_line_of_the_solution(exercise):
    lines = [line.partition("  #")[0].strip() for line in solution(exercise.name).code.splitlines()]
    telling = [
        line
        for line in lines
        if re.search(r"\w", line) and not re.match(r'(@|from |import |def |class |"""|super\(\)|return \w+$)', line)
    ]
    assert telling
    shown = " ".join(exercise.hints).replace(" ", "")
    for line in telling:
        assert line.replace(" ", "").removeprefix("return") not in shown


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.name)
def test_a_solution_is_complete_and_passes(exercise):
    namespace = {"exercise": lambda name: lambda part: part}
    exec(solution(exercise.name).code, namespace)
    assert exercise.check(namespace[exercise.name]).passed


PLAIN_CLASSES = [each for each in all_exercises() if isinstance(each.plain_answer, type)]
INPUTS = {  # of a class: what it is made with, and what it is called with
    "MultiHeadAttention": ((8, 2), [torch.randn(2, 3, 8)] * 3),
    "EncoderLayer": ((8, 2, 12), [torch.randn(2, 3, 8)]),
    "LanguageModel": ((9, 8, 2, 12, 2), [torch.tensor([[3, 4, 5], [6, 7, 8]])]),
    "DecoderLayer": ((8, 2, 12), [torch.randn(2, 3, 8), torch.randn(2, 4, 8)]),
    "Transformer": ((9, 9, 8, 2, 12, 2), [torch.tensor([[3, 4, 5], [6, 7, 0]]), torch.tensor([[1, 4], [1, 7]])]),
}


@pytest.mark.parametrize("exercise", PLAIN_CLASSES, ids=lambda exercise: exercise.name)
def test_a_plain_solution_has_the_weights_and_results_of_the_librarys_class(exercise):
    sizes, inputs = INPUTS[exercise.name]
    library, plain = exercise.reference(*sizes).eval(), exercise.plain_answer(*sizes).eval()
    plain.load_state_dict(library.state_dict())
    torch.testing.assert_close(plain(*inputs), library(*inputs), atol=1e-5, rtol=1e-5)
    assert len(solution(exercise.name).code.splitlines()) < 45


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.name)
def test_a_solution_hides_nothing_in_private_functions_of_the_library(exercise):
    code = solution(exercise.name).code
    assert not re.search(r" import _|(?<![\w.])_[a-z]\w*\(", code)
    assert "course_lib.exercises" not in code


def test_hints_appear_one_at_a_time_and_the_last_one_is_repeated():
    first, second, third, again = (hint("merge_heads") for _ in range(4))
    hints = find("merge_heads").hints
    assert [panel.paragraphs[0] for panel in (first, second, third, again)] == [*hints, hints[2]]
    assert 'solution("merge_heads")' in third.paragraphs[1]


def test_an_unknown_exercise_name_is_answered_with_the_most_similar_one():
    with pytest.raises(ValueError, match="There is no exercise 'sofmax': do you mean 'softmax'"):
        hint("sofmax")


def test_the_table_says_which_mistakes_are_rejected_and_named(capsys, monkeypatch: pytest.MonkeyPatch):
    exercise = find("mix_values")
    assert table.main(["mix_values"]) == 0
    assert f"{1 + len(exercise.mistakes)} rows, 0 failed" in capsys.readouterr().out

    monkeypatch.setattr(exercise, "mistakes", [Mistake(exercise.reference, "no mistake at all")])
    assert table.main(["mix_values"]) == 1
    assert capsys.readouterr().out.splitlines()[-2].split()[-2:] == ["NO", "NO"]
