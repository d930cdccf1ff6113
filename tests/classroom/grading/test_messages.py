"""Results come back through JSON as they were, and nothing else is believed."""

import json

import pytest
import torch

from course_lib.classroom.grading.messages import (
    MOST_NUMBERS,
    Other,
    Unreadable,
    decode,
    decode_outcome,
    encode,
    encode_outcome,
    read,
)
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.judging.outcomes import run


def sent(value: object) -> object:
    return decode(read(json.dumps(encode(value)).encode()))


@pytest.mark.parametrize("exercise", all_exercises()[::7], ids=lambda each: each.name)
def test_what_references_return_is_the_same_after_it_was_sent(exercise):
    for case in exercise.every_case:
        outcome = run(exercise.adapt(exercise.reference), case.arguments)
        assert outcome.matches(type(outcome)(sent(outcome.value)), exercise.returns)


def test_it_arrives_whether_a_list_or_only_the_tensors_in_it_were_changed():
    for function, in_tensors in ((lambda some: some[0].zero_(), (0,)), (lambda some: some.clear(), ())):
        outcome = run(function, ([torch.ones(2)],))
        arrived = decode_outcome(json.loads(json.dumps(encode_outcome(outcome))))
        assert (arrived.changed, arrived.in_tensors) == ((0,), in_tensors)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.bfloat16, torch.float16, torch.complex64, torch.int64, torch.uint8, torch.bool]
)
def test_a_tensor_keeps_its_dtype_and_its_numbers(dtype: torch.dtype):
    tensor = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
    for each in (tensor, tensor.T, tensor[:0], tensor[0, 0]):
        assert sent(each).dtype == dtype
        assert sent(each).equal(each)


def test_what_no_exercise_returns_arrives_as_its_type_only():
    for value in (object(), torch.ones(2).to_sparse(), torch.zeros(MOST_NUMBERS + 1), lambda: 0):
        assert isinstance(sent(value), Other)


@pytest.mark.parametrize(
    "message",
    [
        {"tensor": ["float32", [10], ""]},
        {"tensor": ["float32", [-1], ""]},
        {"tensor": ["float32", [10**9, 10**9], ""]},
        {"tensor": ["object", [0], ""]},
        {"tensor": ["bool", [1], "/w=="]},
        {"tensor": ["float32", [1], "no base64!"]},
        {"int": "x"},
        {"float": "one"},
        {"set": [{"list": []}]},
        {"dict": [[{"list": []}, 1]]},
        {"dict": [[1]]},
        {"pickle": "gASVCg=="},
        [1],
        1.5,
    ],
)
def test_a_message_of_another_kind_is_refused(message: object):
    with pytest.raises(Unreadable):
        decode(message)


@pytest.mark.parametrize(
    "message", [None, [], [1, 2], [1, None, [None]], [1, ["Error"], []], [1, None, [0], [], [None]]]
)
def test_an_outcome_of_another_kind_is_refused(message: object):
    with pytest.raises(Unreadable):
        decode_outcome(message)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes):
    with pytest.raises(Unreadable):
        read(content)
