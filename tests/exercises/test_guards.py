"""Whatever an answer is and does, the check ends in a report: no traceback, no flood of output, no changed outcome."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from course_lib import exercises
from course_lib.exercises.cases import Result, case
from course_lib.exercises.catalogue import find
from course_lib.exercises.judging import checking
from course_lib.exercises.judging.outcomes import PRINTED_CHARACTERS, Outcome, difference, run
from course_lib.transformer import cache
from course_lib.transformer.attention import softmax


class Own(BaseException):
    """An error that `except Exception` does not catch."""


class WithoutWords(Exception):
    def __str__(self):
        raise ValueError("no words")


class Evil:
    """An object that raises an error whatever one asks of it."""

    def __repr__(self):
        raise Own

    def __eq__(self, other):
        raise Own

    def __bool__(self):
        raise Own

    __hash__ = None


class EvilTensor(torch.Tensor):
    @property
    def shape(self):
        raise Own


class Pretends:
    """An object that claims to be a tensor."""

    @property
    def __class__(self):
        return torch.Tensor


def evil_class() -> type:
    """A class that raises an error whatever one asks of it. As a name of this file it would stop pytest."""

    class EvilKind(type):
        def __getattribute__(cls, name):
            raise Own

    class EvilClass(metaclass=EvilKind):
        pass

    return EvilClass


def raises(error: BaseException) -> Callable[..., Any]:
    def answer(*arguments):
        raise error

    return answer


def calls_itself(*arguments):
    return calls_itself(*arguments)


def with_a_small_stack(*arguments):
    sys.setrecursionlimit(sys.getrecursionlimit() - 1)
    return calls_itself()


def writes(*arguments):
    yield 1


async def awaits(*arguments):
    await asyncio.sleep(0)


def contains_itself(*arguments):
    items = []
    items.append(items)
    return items


def closes_the_output(*arguments):
    sys.stdout.close()
    print("still here")
    sys.stdout = None


HOSTILE: dict[str, Any] = {
    "an own BaseException": raises(Own("mine")),
    "an error without words": raises(WithoutWords()),
    "SystemExit": raises(SystemExit(0)),
    "GeneratorExit": raises(GeneratorExit()),
    "StopIteration": raises(StopIteration()),
    "KeyboardInterrupt": raises(KeyboardInterrupt()),
    "endless recursion": calls_itself,
    "another recursion limit": with_a_small_stack,
    "a generator": writes,
    "a coroutine": awaits,
    "a list that contains itself": contains_itself,
    "a closed output": closes_the_output,
    "evil": lambda *arguments: Evil(),
    "evil in a pair": lambda *arguments: (Evil(), Evil()),
    "evil in a list": lambda *arguments: [Evil()],
    "evil in a dictionary": lambda *arguments: {(1, 2): Evil()},
    "an evil tensor": lambda *arguments: torch.ones(3).as_subclass(EvilTensor),
    "what pretends to be a tensor": lambda *arguments: Pretends(),
    "an evil class": evil_class(),
    "a class that cannot be called": int,
    "no arguments": lambda: 1,
    "many arguments": lambda a, b, c, d, e, f, g, h, i: 1,
    "None": lambda *arguments: None,
    "a text": lambda *arguments: "text",
    "a function": lambda *arguments: softmax,
    "a huge number": lambda *arguments: 10**6000,
    "another device": lambda *arguments: torch.ones(3, device="meta"),
    "sparse": lambda *arguments: torch.ones(3).to_sparse(),
    "nested": lambda *arguments: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "quantised": lambda *arguments: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
    "complex": lambda *arguments: torch.ones(3) * 1j,
    "no answer": None,
    "a text as the answer": "softmax",
    "a module as the answer": nn.Linear(2, 2),
}
EXERCISES = (
    "softmax",
    "scaled_dot_product_attention",
    "cache_bytes",
    "merge_pair",
    "MultiHeadAttention",
    "top_k_filter",
)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("error")
def test_a_hostile_answer_gets_a_report_and_the_next_answer_is_judged_as_ever(kind: str):
    answer = HOSTILE[kind]
    out, limit = sys.stdout, sys.getrecursionlimit()
    for name in EXERCISES:
        report = find(name).check(answer)
        assert not report.passed
        assert report.message
        assert find(name).check(find(name).reference).passed
    assert sys.stdout is out
    assert sys.getrecursionlimit() == limit


def said(name: str, answer: Any) -> str:
    report = find(name).check(answer)
    assert not report.passed
    return report.message


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("another device", 'on the device "meta", but the arguments are on "cpu"'),
        ("sparse", "not a sparse one: end with `.to_dense()`."),
        ("nested", "not a nested one"),
        ("quantised", "not a quantized one: end with `.dequantize()`."),
        ("an evil tensor", "cannot be compared: you return an `EvilTensor`, and looking at it raises Own."),
        ("a generator", "write `return` in place of `yield`."),
        ("a coroutine", "write `def` in place of `async def`."),
        ("a function", "a `function`: call it, with brackets and arguments."),
        ("no answer", "it was given something of the type `NoneType`."),
        ("an evil class", "The check cannot read what your code makes: looking at it raises Own."),
        ("an error without words", "(its message raises an error itself)"),
        ("SystemExit", "SystemExit"),
    ],
)
def test_a_peculiar_answer_is_told_what_is_peculiar(answer: str, sentence: str):
    assert sentence in said("softmax", HOSTILE[answer])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_type_of_numbers_that_round_more_is_named(dtype: torch.dtype):
    message = said("softmax", lambda x, dim: torch.softmax(x, dim).to(dtype))
    assert f"the result should be of torch.float32, not of {dtype}, which keeps about" in message


def test_a_number_as_a_text_is_not_the_number():
    message = said("cache_bytes", lambda *sizes: f"{find('cache_bytes').reference(*sizes)}")
    assert "not the text '" in message
    assert "not the text '[1, 2]'" in difference("[1, 2]", [1, 2], [Result("the ids")])


def test_ten_megabytes_on_both_outputs_are_cut_and_reach_nobody(capfd: pytest.CaptureFixture[str]):
    def answer(x, dim):
        for stream in (sys.stdout, sys.stderr):
            for _ in range(100):
                stream.write("words " * 20_000)
        return x

    outcome = run(answer, (torch.zeros(2), 0))
    assert len(outcome.printed) == PRINTED_CHARACTERS
    assert len(repr(find("softmax").check(answer))) < 2000
    assert capfd.readouterr() == ("", "")


def test_an_answer_that_prints_to_a_closed_output_is_right(monkeypatch: pytest.MonkeyPatch):
    def answer(x, dim):
        sys.stdout.close()
        print("closed?")
        return torch.softmax(x, dim)

    closed = open("/dev/null", "w") if sys.platform != "win32" else open("NUL", "w")  # noqa: PTH123, SIM115
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert find("softmax").check(answer).passed


def test_an_interrupt_outside_the_answer_gets_a_report_and_leaves_nothing_half_remembered(
    monkeypatch: pytest.MonkeyPatch,
):
    exercise = find("mix_values")
    checking.forget_outcomes()
    with monkeypatch.context() as patch:
        patch.setattr(exercise, "adapt", lambda answer: raises(KeyboardInterrupt()))
        assert exercise.check(lambda *arguments: 1).message == checking.STOPPED
    assert exercise.check(exercise.reference).passed


# Errors, also those of the course itself


def test_an_error_matches_nothing_not_even_itself():
    failed = Outcome(error=ValueError("3 is not 4"))
    assert not failed.matches(failed, [Result("x")])


def test_a_reference_that_fails_is_called_the_courses_fault_and_is_not_remembered(monkeypatch: pytest.MonkeyPatch):
    exercise = find("mix_values")
    checking.forget_outcomes()
    with monkeypatch.context() as patch:
        patch.setattr(exercise, "reference", raises(RuntimeError("out of order")))
        for answer in (raises(RuntimeError("out of order")), lambda weights, value: weights @ value):
            report = exercise.check(answer)
            assert not report.passed
            assert "This is a fault of the course, not of your answer" in report.message
            assert "raises RuntimeError: out of order. Restart the kernel" in report.message
    assert exercise.check(lambda weights, value: weights @ value).passed


def test_torchs_own_not_implemented_error_is_not_taken_for_a_stub():
    def answer(x, dim):
        return torch.softmax(x.to("meta"), dim).to("cpu")

    class WithoutForward(nn.Module):
        pass

    assert "Not started" not in said("softmax", answer)
    assert "Not started" not in said("softmax", WithoutForward)
    assert said("softmax", raises(NotImplementedError("later"))).startswith("Not started")


@pytest.mark.parametrize(
    ("error", "passes"),
    [(None, True), (KeyError("float64"), False), (ValueError("wrong size"), False), (AssertionError(), False)],
)
def test_only_an_error_about_dtypes_is_excused_in_a_float64_case(error: BaseException | None, passes: bool):
    def answer(x):
        if x.dtype == torch.float64:
            if error is None:
                return torch.softmax(x @ torch.eye(x.size(-1)), -1)  # torch refuses to mix dtypes
            raise error
        return torch.softmax(x, -1)

    report = find("attention_weights").check(answer)
    assert report.passed == passes
    assert ("for float32 only" if passes else "float64 numbers") in report.message


def test_an_error_about_dtypes_is_not_excused_if_float32_would_be_wrong_too():
    def answer(x, dim):
        if x.dtype == torch.float64 or x.shape == (2, 3, 4):
            return x @ torch.eye(x.size(-1)).double() if x.dtype != torch.float64 else x @ torch.eye(x.size(-1))
        return torch.softmax(x, dim)

    assert not find("softmax").check(answer).passed


# What an answer changes: its arguments, and what it returned before


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ((torch.ones(2), torch.ones(2)), lambda x: x[1].add_(1)),
        ([(torch.ones(2), torch.ones(2))], lambda x: x[0][0].zero_()),
        ([(torch.ones(2), torch.ones(2))], lambda x: x.append(x[0])),
        ({"keys": [torch.ones(2)]}, lambda x: x["keys"].pop()),
        ({"keys": torch.ones(2)}, lambda x: x.update(values=1)),
        ([{1, 2}], lambda x: x[0].add(3)),
        (torch.ones(2), lambda x: x.mul_(1 + 1e-6)),
        (torch.ones(2), lambda x: x.resize_(3)),
        (nn.Linear(2, 2), lambda x: nn.init.zeros_(x.weight)),
        ([1], lambda x: x.__setitem__(0, Evil())),
    ],
)
def test_a_change_inside_an_argument_is_noticed_and_does_not_reach_the_caller(argument: Any, change: Callable):
    def answer(x):
        change(x)

    for _ in range(2):  # the second call gets the argument as it was
        assert run(answer, (argument,)).changed == (0,)
        assert run(lambda x: None, (argument,)).changed == ()


def test_functions_and_not_a_numbers_do_not_count_as_changed():
    nothing = (torch.tensor([torch.nan, 1]), print, [None, float("inf")], nn.Linear(1, 1))
    assert run(lambda *arguments: arguments[3].eval() and None, nothing).changed == ()


def test_a_past_that_is_changed_in_place_does_not_pass():
    def grows(query, key, value, past):
        result = cache.attend_with_cache(query, key, value, past)
        if past is not None:
            past[0].zero_()
        return result

    def empties(past, parents):
        reordered = cache.reorder_cache(past, parents)
        past.clear()
        return reordered

    assert "`past`" in said("attend_with_cache", grows)
    assert "`past`" in said("reorder_cache", empties)


def test_an_outcome_stays_as_it_was_when_the_answer_goes_on_using_its_object():
    memory = {"word": [torch.zeros(1)]}

    def answer(number, kept=memory):
        kept["word"][0] += number
        return kept

    first = run(answer, (1,))
    second = run(answer, (2,))
    assert [first.value["word"][0].item(), second.value["word"][0].item()] == [1, 3]


def test_a_list_that_grows_from_call_to_call_is_not_right():
    def answer(word, pair, new_id, result=[]):  # noqa: B006
        result += find("merge_pair").reference(word, pair, new_id)
        return result

    assert not find("merge_pair").check(answer).passed


def test_not_a_number_is_equal_only_to_itself():
    nan = torch.tensor([torch.nan])
    result = [Result("x")]
    assert "NaN" in difference(nan, torch.tensor([1.0]), result)
    assert difference(float("nan"), 1.0, result)
    assert not difference(nan, nan, result)
    assert not difference(float("nan"), float("nan"), result)


@pytest.mark.parametrize(
    ("got", "expected", "is_same"),
    [
        ((1, 2), [1, 2], True),
        ([1.0, 2], [1, 2], True),
        ({(0, 1): 3}, {(0, 1): 3}, True),
        ({(0, 1): 3, (1, 1): 0}, {(0, 1): 3}, False),
        ([(1, 2)], [[1, 2]], False),
        ([[1, 2]], [(1, 2)], False),
        ([(1, 2)], [(1, 2)], True),
        ([torch.tensor(1)], [1], False),
        (torch.tensor([5]), 5, True),
        ({1, 2}, {2, 1}, True),
        ([1, 2], {1, 2}, False),
        (1, "1", False),
        (None, 0, False),
        (b"text", "text", False),
    ],
)
def test_values_that_are_no_tensors_are_compared_by_what_they_hold(got: Any, expected: Any, is_same: bool):
    assert (difference(got, expected, [Result("x")]) == "") == is_same


def test_a_case_may_hold_what_cannot_be_copied():
    outcome = run(lambda numbers: (each for each in numbers), case([1, 2]).arguments)
    assert outcome.error is None
    assert list(outcome.value) == [1, 2]


# Names that do not exist yet


def test_a_missing_name_is_named_with_what_to_do():
    message = said("softmax", lambda x, dim: no_such_helper(x))  # noqa: F821
    assert "If it is a helper of yours, run the cell that defines it first, then this one." in message


@pytest.mark.parametrize("function", ["hint", "solution", "exercise"])
def test_a_function_stands_for_its_name_and_anything_else_is_answered_with_how_to_write_it(function: str):
    call = getattr(exercises, function)
    if function != "exercise":
        assert "softmax" in call(softmax).title
        assert "LayerNorm" in call(find("LayerNorm").reference).title
    for given in (3, None, len, [softmax], Evil()):
        with pytest.raises(ValueError, match=rf'Write the name of the exercise in quotes: `@?{function}\("softmax"\)`'):
            call(given)
    with pytest.raises(ValueError, match="There is no exercise ' Softmax ': do you mean 'softmax'"):
        call(" Softmax ")


# In a notebook

RIGHT = '@exercise("softmax")\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n\n'
Cell = Callable[[str], tuple[Any, str]]


@pytest.mark.parametrize(
    "body",
    [
        "import sys\n    sys.exit(1)",
        "raise GeneratorExit",
        "class Own(BaseException):\n        pass\n    raise Own",
        "return softmax(x, dim)",
        "return torch.ones(3, device='meta')",
        "import sys\n    sys.stdout.close()\n    return x",
        "yield x",
        "torch.softmax = torch.exp = None\n    return x",
        "torch.set_default_dtype(torch.float64)\n    return x",
    ],
)
def test_whatever_an_answer_does_the_cell_shows_a_report_and_binds_a_usable_part(cell: Cell, work: Path, body: str):
    part, shown = cell(f'@exercise("softmax")\ndef softmax(x, dim):\n    {body}\n\nsoftmax')
    assert part is softmax
    assert "✗ softmax: not yet\n" in shown
    assert 'For a hint: `hint("softmax")`.' in shown
    _, shown = cell(RIGHT + "softmax(torch.zeros(2), 0).tolist()")
    assert "✓ softmax: right" in shown
    assert torch.softmax(torch.zeros(2), 0).dtype == torch.float32


def test_an_object_that_does_not_let_one_ask_is_reported_too(cell: Cell, work: Path):
    cell("""
class Kind(type):
    def __getattribute__(cls, name):
        raise KeyError(name)

class Evil(metaclass=Kind):
    pass
""")
    part, shown = cell('exercise("softmax")(Evil)')
    assert part is softmax
    assert "The check cannot read what your code makes: looking at it raises KeyError." in shown
    for given in ("None", "3", "'text'", "[1]"):
        assert "`@exercise` checks a function or a class, but it was given" in cell(f'exercise("softmax")({given})')[1]
