"""The report on a wrong answer that contains no known mistake."""

import _thread
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.exercises.cases import Result
from course_lib.exercises.catalogue import find
from course_lib.exercises.judging.outcomes import difference
from course_lib.learning import schedules
from course_lib.transformer.attention import causal_mask, scaled_dot_product_attention, softmax
from course_lib.transformer.positions import embed_with_positions
from tests.exercises.wrong_classes import Attention, Norm


def said(name: str, answer: Any) -> str:
    report = find(name).check(answer)
    assert not report.passed
    assert report.mistake is None, report
    return report.message


def test_an_exception_is_reported_with_the_line_that_raised_it():
    def answer(x, dim):
        shifted = x - x.max()
        return shifted.no_such_method()

    line = answer.__code__.co_firstlineno + 2
    assert f"Line {line}, `return shifted.no_such_method()`, raises an AttributeError: " in said("softmax", answer)


def test_an_exception_in_a_class_is_reported_with_its_line_too():
    class Answer:
        def __call__(self, x, dim):
            return 1 / 0

    assert "`return 1 / 0`, raises a ZeroDivisionError: division by zero.\n" in said("softmax", Answer)


def test_an_exception_in_a_class_with_another_name_is_reported_with_its_line_too():
    class Answer(torch.nn.Module):
        def __init__(self, d_model, heads):
            super().__init__()
            self.W_q = torch.nn.Linear(d_model, no_such_name)  # noqa: F821

    assert ", raises a NameError: name 'no_such_name' is not defined." in said("MultiHeadAttention", Answer)


def test_too_few_parameters_are_reported():
    assert "takes 1 positional argument but 2 were given" in said("softmax", lambda x: x)


def test_a_missing_return_is_distinguished_from_a_print():
    def forgets(x, dim):
        torch.softmax(x, dim)

    def prints(x, dim):
        print(torch.softmax(x, dim))

    assert "its `return` is missing" in said("softmax", forgets)
    message = said("softmax", prints)
    assert "It prints: write `return`" in message
    assert "Your code printed: tensor(" in message


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x, dim: torch.softmax(x, dim).numpy(), "a numpy array (torch has the same functions"),
        (lambda x, dim: np.tanh(x.numpy()), "a numpy array (torch has the same functions"),
        (lambda x, dim: torch.softmax(x, dim).tolist(), "the numbers are right, but in a `list`"),
        (
            lambda x, dim: (torch.softmax(x, dim), x),
            "there are 2 things, of which number 1 is right: return that one alone.",
        ),
        (
            lambda x, dim: torch.softmax(x, dim).unsqueeze(0),
            "one axis of length 1 too many, axis 0: `squeeze(0)` removes it",
        ),
        (lambda x, dim: torch.softmax(x, dim).round().int(), "the right numbers are rounded to whole numbers"),
        (lambda x, dim: "softmax", "you return a `str`"),
    ],
)
def test_a_result_of_a_wrong_type_is_reported(answer: Callable[..., Any], sentence: str):
    assert sentence in said("softmax", answer)


def test_one_result_instead_of_two_is_reported():
    message = said(
        "scaled_dot_product_attention", lambda q, k, v, mask=None: scaled_dot_product_attention(q, k, v, mask)[0]
    )
    assert "you should return 2 things, `return output, weights`, but you return a tensor of shape (2, 2)." in message


@pytest.mark.parametrize(
    ("come", "words"),
    [
        (lambda steps: steps[:2], "a `tuple` of 2"),
        (lambda steps: [*steps, steps[0]], "a `list` of 4"),
        (lambda steps: steps[2][:1], "a tensor of shape (1,)"),
        (lambda steps: 3, "an `int`"),
    ],
)
def test_fewer_or_more_than_three_results_are_reported(come: Callable[..., Any], words: str):
    step = find("beam_step").reference
    message = said("beam_step", lambda *arguments: come(step(*arguments)))
    assert f"you should return 3 things, `return parents, tokens, totals`, but you return {words}." in message


def test_one_result_instead_of_two_is_reported_for_masked_cases_too():
    def answer(*arguments):
        both = scaled_dot_product_attention(*arguments)
        return both if len(arguments) < 4 else both[:1]

    assert "you should return 2 things, `return output, weights`, but" in said("scaled_dot_product_attention", answer)


def last_changed(result: torch.Tensor) -> torch.Tensor:
    """A copy with another last element."""
    changed = result.clone(memory_format=torch.contiguous_format)
    changed.view(-1)[-1] = ~changed.view(-1)[-1] if result.dtype == torch.bool else changed.view(-1)[-1] + 1
    return changed


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        # What is compared is not what the function returns, so its name has to be there.
        ("top_p_filter", last_changed, ", the probabilities after a softmax should be `"),
        ("cross_entropy", last_changed, ", the loss should be `"),
        ("attention_weights", last_changed, " should give `"),
        ("causal_mask", last_changed, "For `causal_mask(3)`, the mask should have True at (2, 2), not False."),
        ("cross_attend", last_changed, "Your output is wrong only at the last index"),
        (
            "wilson_interval",
            lambda both: both[0],
            "you should return 2 things, the lowest share and the highest share, but",
        ),
        ("beam_search_text", lambda both: (both[0], both[1] + 1), "Your `log_probability` is too large"),
        ("scaled_dot_product_attention", lambda both: (both[0], last_changed(both[1])), ", the weights should be `"),
        (
            "reorder_cache",
            lambda past: [(k, last_changed(v)) for k, v in past],
            "with a `past` of two pairs of tensors, each of shape",
        ),
        (
            "freeze",
            lambda count: count + 1,
            "For `freeze(model, ['head'])`, ",
        ),
        (
            "parameter_groups",
            lambda groups: [group | {"lr": group["lr"] + 1} for group in groups],
            "`parameter_groups(head, body, 0.5, 0.125)`, ",
        ),
    ],
)
def test_the_call_is_shown_with_the_name_of_what_is_compared(name: str, change: Callable[..., Any], sentence: str):
    reference = find(name).reference
    message = find(name).check(lambda *arguments: change(reference(*arguments))).message
    assert sentence in message


def test_a_wrong_shape_is_reported_in_letters_and_in_numbers():
    message = said("attention_weights", lambda scores: torch.softmax(scores, -1).unsqueeze(1))
    assert "there is one axis of length 1 too many, axis 1" in message


def test_a_number_is_compared_as_a_number():
    message = said("multi_head_parameter_count", lambda d_model, heads: d_model * heads)
    assert "`multi_head_parameter_count(4, 2)` should give `80`, not `8`." in message


def test_nan_is_reported_with_its_position():
    def answer(scores):
        weights = torch.softmax(scores, -1)
        weights[-1, -1] = torch.nan
        return weights

    assert "not `[[0.09003, 0.2447, 0.6652], [0.3333, 0.3333, nan]]`." in said("attention_weights", answer)


def test_the_first_number_that_differs_is_reported_with_its_position():
    def answer(weights, value):
        output = weights @ value
        return torch.cat([output[:, :-1], output[:, -1:] * 3], dim=1)

    # By hand: 0.5 * 0 + 0.25 * 8 + 0.25 * 2 = 2.5 in the second column.
    message = said("mix_values", answer)
    assert "should give `[[2.5, 2.5], [0, 8]]`, not `[[2.5, 7.5], [0, 24]]`." in message
    assert message.startswith("Your output is wrong only at the last index of the axis `d_v`.")


def test_a_changed_argument_is_reported():
    def answer(query, key):
        scores = query @ key.T
        key += 1
        return scores

    message = said("dot_product_scores", answer)
    assert message == (
        "The result is right, but your code changes `key`, the caller's tensor: make a new one, or work on "
        "`key.clone()`."
    )


def test_an_argument_that_is_changed_is_named_also_where_the_result_is_wrong():
    def pops(score, words):
        whole, added = score(words), []
        while words:
            words.pop()
            added.append(whole - score(words))
        return torch.tensor(added)

    assert said("leave_one_out", pops).endswith(
        "Your code also changes `words`, the caller's list: work on a copy, `list(words)`."
    )


def test_of_a_list_of_lists_a_copy_of_the_outer_one_is_not_said_to_be_enough():
    def empties_the_first(texts, end, length):
        ids = [i for text in texts for i in [*text, end]]
        texts[0].clear()
        return torch.tensor(ids[: len(ids) // length * length]).view(-1, length)

    message = said("pack_texts", empties_the_first)
    assert "leave `texts` and everything in it as it is" in message


def test_the_largest_difference_is_shown_and_not_one_in_the_last_digits():
    outcome = difference(torch.tensor([1.0001, 2.0, 9.0]), torch.tensor([1.0, 2.0, 3.0]), [Result("output")])
    assert outcome == "the output should have 3 at index 2, not 9."


def test_truth_values_are_written_as_python_writes_them():
    assert difference(torch.tensor([False]), torch.tensor([True]), [Result("the mask")]) == (
        "the mask should have True at index 0, not False."
    )


def test_a_single_number_has_no_position():
    assert difference(torch.tensor(1.0), torch.tensor(2.0), [Result("the loss")]) == "the loss should be 2, not 1."


@pytest.mark.parametrize(("got", "said"), [(torch.tensor(64.0), "64"), (5, "5"), (4.0001, "4.0001")])
def test_a_number_is_shown_with_as_few_digits_as_tell_it_apart(got: Any, said: str):
    assert difference(got, 4.000000015237235, [Result("the perplexity")]) == f"the perplexity should be 4, not {said}."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("calibration_error", lambda *given: find("calibration_error").reference(*given).double()),
        ("entropy_of_weights", lambda weights: find("entropy_of_weights").reference(weights).double()),
        ("leave_one_out", lambda *given: find("leave_one_out").reference(*given).double()),
        ("cross_entropy", lambda *given: find("cross_entropy").reference(*given).double()),
    ],
)
def test_a_number_in_float64_with_which_no_model_goes_on_is_accepted_with_a_remark(name: str, answer: Any):
    report = find(name).check(answer)
    assert report.passed, report
    given_in_float32 = name != "leave_one_out"  # which is given a function and words
    assert "Your result is in float64, " in report.message
    assert ("though the arguments are in float32" in report.message) == given_in_float32
    assert ("parts of a model" in report.message) == find(name).trained
    assert "`x.dtype`" not in report.message


def test_the_dtype_of_nothing_does_not_matter():
    empty = torch.empty(0, 8)
    assert difference(empty, empty.long(), [Result("the rows")]) == ""
    assert difference(empty, torch.empty(0, 4), [Result("the rows")]) != ""


def test_it_is_said_that_the_weights_of_a_class_are_not_those_it_begins_with():
    class Unscaled(find("LayerNorm").reference):
        def forward(self, x):
            return 3 * super().forward(x)

    assert "The check has put numbers of its own into the parameters" in said("LayerNorm", Unscaled)


def test_a_model_that_comes_as_an_argument_is_shown_by_its_name():
    message = find("freeze").check(lambda model, learn: 3).message
    assert "freeze(model, " in message or "Your code changes for no parameter" in message
    message = said("parameter_groups", lambda head, body, one, two: [{"params": head.parameters(), "lr": two * one}])
    assert "`parameter_groups(head, body, 0.5, 0.125)`" in message


def test_a_changed_list_is_reported_and_the_next_answer_gets_it_unchanged():
    def empties_the_list(word, merges):
        ids, k = list(word), 0
        while merges:
            ids, k = find("merge_pair").reference(ids, merges.pop(0), 256 + k), k + 1
        return ids

    message = said("apply_merges", empties_the_list)
    assert (
        message
        == "The result is right, but your code changes `merges`, the caller's list: work on a copy, `list(merges)`."
    )
    assert not find("apply_merges").check(lambda word, merges: list(word)).passed


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("softmax", lambda x, dim: torch.softmax(x.double(), dim), "are right, but in float64"),
        ("sinusoidal", lambda *sizes: find("sinusoidal").reference(*sizes).double(), "are right, but in float64"),
        ("cross_entropy", lambda *given: find("cross_entropy").reference(*given).item(), "a `float`"),
        ("masked_weights", lambda *given: find("masked_weights").reference(*given).double(), "but in float64"),
        ("softmax", lambda x, dim: {"weights": torch.softmax(x, dim)}, "a `dict`"),
        ("cache_bytes", lambda *sizes: [find("cache_bytes").reference(*sizes)], "should be "),
    ],
)
def test_right_numbers_of_another_type_are_not_taken_for_a_known_mistake(name: str, answer: Any, words: str):
    assert words in said(name, answer)


def test_digits_are_shown_until_the_two_numbers_differ():
    def nearly(weights, value):
        return weights @ value * (1 + 5e-4)

    expected, got = re.findall(r"`(\[\[.*?\]\])`", said("mix_values", nearly))[-2:]
    assert expected != got


def test_the_same_result_for_all_arguments_is_reported():
    assert said("softmax", lambda x, dim: torch.full_like(x, 0.2)).startswith(
        "Your code gives the same result for different arguments"
    )


def test_a_result_that_is_drawn_at_random_is_said_to_be_so():
    message = said("embed", lambda ids, table: nn.Embedding(*table.shape)(ids))
    assert message.startswith("Your code gives a different result each time it is called with the same arguments.")


def test_a_result_that_depends_on_earlier_calls_is_not_called_random():
    calls = []

    def counts_its_calls(x, dim):
        calls.append(x)
        return torch.softmax(x, dim) + len(calls)

    assert "random" not in said("softmax", counts_its_calls)


def test_the_result_of_the_example_written_into_the_code_is_reported():
    example = torch.softmax(torch.tensor([0.0, 1.0, 2.0]), 0)
    message = said("softmax", lambda x, dim: example)
    assert message.startswith("Your code gives the same result for all arguments")


def test_an_answer_right_only_for_the_example_is_reported():
    def answer(x, dim):
        return torch.softmax(x, dim) if x.min() >= 0 else torch.softmax(2 * x, dim)

    message = said("softmax", answer)
    assert message.startswith(
        "Your code is right in the first call tried, but not in the second, in which only the numbers differ."
    )


def test_an_answer_right_only_without_a_batch_is_reported():
    def flat_only(query, key, value, mask=None):
        output, weights = scaled_dot_product_attention(query, key, value, mask)
        return (output if query.dim() < 3 else output * 2), weights

    def mixes_sentences(query, key, value, mask=None):
        output, weights = scaled_dot_product_attention(query, key, value, mask)
        return (output if query.dim() < 3 else output.flip(0)), weights

    assert said("scaled_dot_product_attention", flat_only).startswith(
        "Of the 23 calls tried, your code is right in all but the 9 with a batch."
    )
    assert said("scaled_dot_product_attention", mixes_sentences).startswith(
        "Of the 23 calls tried, your code is right in "
    )


def test_an_answer_wrong_only_at_masked_positions_is_reported():
    def answer(query, key, value, mask=None):
        output, weights = scaled_dot_product_attention(query, key, value, mask)
        return output, weights if mask is None else weights.masked_fill(~mask, -1.0)

    assert "Everything is right except at the positions that the mask hides." in said(
        "scaled_dot_product_attention", answer
    )


def test_an_interrupted_endless_loop_is_reported_with_its_line():
    def answer(x, dim):
        while True:
            x = x + 0

    find("softmax")  # loads the exercises, which may take longer than the timer waits
    threading.Timer(0.3, _thread.interrupt_main).start()
    message = said("softmax", answer)
    assert message.startswith("You stopped it in line ")
    assert "x = x + 0`" in message or "while True:`" in message


def test_an_input_that_a_class_changes_is_reported():
    class Changes(find("LearnedPositions").reference):
        def forward(self, x):
            x += self.table[: x.size(1)]
            return x

    assert said("LearnedPositions", Changes).startswith("The result is right, but your code changes `x`")


def test_a_class_that_cuts_the_gradient_or_changes_what_it_needs_does_not_pass():
    class Cuts(find("MultiHeadAttention").reference):
        def forward(self, *arguments):
            return super().forward(*arguments).detach()

    class AddsInPlace(find("EncoderLayer").reference):
        def forward(self, x, mask=None):
            output = super().forward(x, mask)
            x += 1
            return output

    for name, answer in (("MultiHeadAttention", Cuts), ("EncoderLayer", AddsInPlace)):
        assert "gradient" in said(name, answer)


def test_running_the_first_layer_in_place_of_all_layers_is_reported():
    class Repeats(find("LanguageModel").reference):
        def forward(self, ids):
            hidden = embed_with_positions(ids, self.table)
            for _ in self.layers:
                hidden = self.layers[0](hidden, causal_mask(ids.size(1)))
            return hidden @ self.table.T

    message = find("LanguageModel").check(Repeats).message
    assert "those from `self.layers[1]` on have no effect. Call every layer" in message


def test_layers_in_a_plain_list_are_reported_in_whatever_order_they_are_made():
    class Plain(find("LanguageModel").reference):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            made = list(self.layers)
            del self.layers
            self.layers = made[::-1]

    assert find("LanguageModel").check(Plain).message.startswith("Torch does not find your layers")


def test_numbers_without_a_gradient_do_not_pass_where_models_train():
    def answer(query, key, value, mask=None):
        return tuple(x.detach() for x in scaled_dot_product_attention(query, key, value, mask))

    assert "The gradient is cut off" in said("scaled_dot_product_attention", answer)


def test_a_step_in_place_that_autograd_refuses_does_not_pass_where_models_train():
    def answer(query, key, value, mask=None):
        scores = query @ key.mT / query.size(-1) ** 0.5
        weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
        weights /= weights.sum(-1, keepdim=True)
        return weights @ value, weights

    assert "`/=` in place" in said("scaled_dot_product_attention", answer)


@pytest.mark.parametrize("name", ["EncoderLayer", "DecoderLayer"])
def test_a_layer_in_which_nothing_is_dropped_does_not_pass(name: str):
    class Steady(find(name).reference):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.dropout = torch.nn.Identity()

    assert "nothing is dropped" in said(name, Steady)


def test_a_norm_whose_statistics_are_detached_does_not_pass():
    class CutOff(find("LayerNorm").reference):
        def forward(self, x):
            fixed = x.detach()
            spread = (fixed.var(-1, correction=0, keepdim=True) + self.eps).sqrt()
            return (x - fixed.mean(-1, keepdim=True)) / spread * self.gain + self.bias

    assert "The gradient is cut off" in said("LayerNorm", CutOff)


def test_a_gain_that_learns_nothing_does_not_pass():
    class ByData(find("LayerNorm").reference):
        def forward(self, x):
            normed = torch.nn.functional.layer_norm(x, x.shape[-1:], eps=self.eps)
            return normed * self.gain.data + self.bias

    assert "No gradient reaches `self.gain`" in said("LayerNorm", ByData)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("embed", lambda ids, table: torch.nn.Embedding.from_pretrained(table)(ids)),
        ("embed_with_positions", lambda ids, table: embed_with_positions(ids, table.detach())),
        ("cross_entropy", lambda *given: find("cross_entropy").reference(*given).detach()),
        ("smoothed_cross_entropy", lambda *given: find("smoothed_cross_entropy").reference(*given).detach()),
        ("masked_weights", lambda scores, mask: find("masked_weights").reference(scores.detach(), mask)),
        ("pre_norm", lambda x, sublayer, norm: x.detach() + sublayer(norm(x))),
        ("cross_attend", lambda attention, x, memory, mask=None: attention(x, memory.detach(), memory.detach(), mask)),
    ],
)
def test_gradients_are_checked_wherever_numbers_are_trained(name: str, answer: Callable[..., Any]):
    assert "The gradient is cut off" in said(name, answer)


def test_what_works_in_float32_only_passes_with_a_remark():
    report = find("attention_weights").check(lambda scores: softmax(scores, -1) @ torch.eye(scores.shape[-1]))
    assert report.passed
    assert report.message.startswith("Right, but for float32 only")


@pytest.mark.parametrize(
    ("name", "answer", "consequence"),
    [
        ("attention_weights", lambda x: softmax(x.float(), -1).to(x.dtype), "That does no harm in this course."),
        ("softmax", lambda x, dim: softmax(x.float(), dim).to(x.dtype), "it will find a difference of about 1e-7."),
    ],
)
def test_code_that_asks_for_float32_is_not_said_to_do_so_by_chance(
    name: str, answer: Callable[..., Any], consequence: str
):
    report = find(name).check(answer)
    assert report.passed
    assert report.message.startswith("Right. Your code rounds float64 numbers, since")
    assert "`.float()`" in report.message
    assert report.message.endswith(consequence)


def test_float32_from_float64_numbers_is_refused_where_a_later_cell_computes_in_float64():
    answers: dict[str, Callable[..., Any]] = {
        "softmax": lambda x, dim: softmax(x.float(), dim),
        "embed": lambda ids, table: table[ids].float(),
        "scaled_dot_product_attention": lambda q, k, v, mask=None: [
            each.float() for each in scaled_dot_product_attention(q, k, v, mask)
        ],
    }
    for name, answer in answers.items():
        message = said(name, answer)
        first = "table" if name == "embed" else answer.__code__.co_varnames[0]
        assert "where float64 numbers come in, your code returns float32, and a later cell " in message
        assert f"with `dtype={first}.dtype`" in message


def test_float32_from_float64_numbers_is_remarked_on_elsewhere():
    report = find("dot_product_scores").check(lambda query, key: query.float() @ key.float().T)
    assert report.passed
    assert "Your code rounds float64 numbers, since" in report.message


def test_an_error_about_dtypes_is_not_excused_where_a_later_cell_computes_in_float64():
    message = said("softmax", lambda x, dim: softmax(x, dim) @ torch.eye(x.shape[-1]))
    assert "right in all but the one with float64 numbers" in message


def test_arguments_without_tensors_have_no_shape_to_speak_of():
    def should_stop(losses, patience):
        if len(losses) <= patience:
            return False
        return any(loss > min(losses[:-patience]) for loss in losses[-patience:])

    message = said("should_stop", should_stop)
    assert message.startswith("Your code is right in the first call tried, but not in the second.")


def test_an_axis_whose_letter_occurs_twice_is_named_by_its_place():
    def alibi_bias(heads, T):
        bias = find("alibi_bias").reference(heads, T)
        return bias.masked_fill(torch.ones(T, T).triu(1).bool(), 5.0)

    assert "right at the last index of the axis before the last, and wrong elsewhere." in said("alibi_bias", alibi_bias)


def test_a_pattern_along_a_batch_that_mostly_has_one_text_is_not_said():
    def packed_labels(ids, end):
        inputs, labels = ids[:, :-1], ids[:, 1:].clone()
        labels[torch.arange(len(ids)), (inputs == end).int().argmax(dim=1)] = -100
        return inputs, labels

    assert "wrong only" not in said("packed_labels", packed_labels)


def test_a_list_in_place_of_a_dictionary_is_said_in_one_line():
    def average_weights(checkpoints):
        return [*find("average_weights").reference(checkpoints).values()]

    message = said("average_weights", average_weights)
    assert message.endswith("the mean weights should be in a dictionary, but you return a `list`.")


def test_a_tuple_in_place_of_a_list_is_compared_with_mistakes_that_return_tuples_too():
    assert "the merged word should be" in said("merge_pair", lambda word, pair, new_id: (new_id, *word))


def test_no_memory_address_is_shown():
    def answer(x, dim):
        raise ValueError(f"not {object()}")

    assert "0x" not in said("softmax", answer)


def test_a_tuple_that_was_not_taken_apart_is_explained():
    def answer(query, key, value, heads):
        mixed = scaled_dot_product_attention(query, key, value)
        return mixed.flatten(2)

    assert "is a tuple of several things: take them apart" in said("attend_in_heads", answer)


def changed_in_place(word, pair, new_id):
    word[0:2] = [new_id]
    return word


def without_an_element(word, pair, new_id):
    word.remove(pair[0])
    return word


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda word, pair, new_id: word.replace(pair, new_id), "`.replace` is a method of texts"),
        (changed_in_place, "A tuple cannot be changed: turn it into a list first"),
        (without_an_element, "A tuple cannot be changed and has no `.remove`"),
    ],
)
def test_a_tuple_that_came_in_is_not_taken_for_several_results(answer: Callable[..., Any], sentence: str):
    message = said("merge_pair", answer)
    assert sentence in message
    assert "take them apart" not in message


def test_a_wrong_view_that_raises_an_error_in_some_cases_is_one_mistake():
    exercise = find("split_heads")
    report = exercise.check(lambda x, heads: x.view(x.size(0), heads, x.size(1), -1))
    # Its shape is not right in the cases that raise an error.
    assert report.message == next(each.without_praise for each in exercise.mistakes if each.name == "viewed")


def test_wrong_cases_that_a_known_mistake_does_not_explain_are_mentioned():
    def unscaled_and_blind_to_masks_of_zeros(query, key, value, mask=None):
        weights = torch.softmax(query @ key.mT, dim=-1)
        return (weights @ value, weights) if mask is None else (weights @ value * 0, weights)

    report = find("scaled_dot_product_attention").check(unscaled_and_blind_to_masks_of_zeros)
    assert report.mistake is not None
    assert report.message.endswith("\nThat explains every wrong case but those with a mask.")


def softmax_by_name(x, *, dim):
    return torch.softmax(x, dim)


class AttentionWithMaskByName(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.inside = find("MultiHeadAttention").reference(d_model, heads)

    def forward(self, query, key, value, *, mask=None):
        return self.inside(query, key, value, mask)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("softmax", softmax_by_name, "Your function takes `dim` by name only, but the course passes it by position."),
        (
            "MultiHeadAttention",
            AttentionWithMaskByName,
            "Your `forward` takes `mask` by name only, but the course passes it by position.",
        ),
    ],
)
def test_an_argument_that_is_taken_by_name_only_is_named(name, answer, words):
    message = find(name).check(answer).message
    assert f"{words} Leave out the `*` before it." in message
    assert "in this order" not in message


def test_a_number_that_is_too_large_in_no_regular_way_is_said_to_be_so():
    def irregular(step, d_model, warmup):
        return schedules.learning_rate(step, d_model, warmup) + (step * 7 % 5 + 1) / (3 + d_model % 7)

    message = find("learning_rate").check(irregular).message
    assert message.startswith("In all calls tried, your learning rate is too large.")


def test_digits_that_rounding_takes_are_told_from_a_wrong_formula():
    class BySquares(Norm):
        def forward(self, x):
            mean, square = x.mean(-1, keepdim=True), x.square().mean(-1, keepdim=True)
            return (x - mean) / (square - mean**2 + self.eps) ** 0.5 * self.gain + self.bias

    class ByOtherSquares(Norm):
        def forward(self, x):
            mean, square = x.mean(-1, keepdim=True), x.square().mean(-1, keepdim=True)
            return (x - mean) / (square - mean + self.eps).abs() ** 0.5 * self.gain + self.bias

    message = said("LayerNorm", BySquares)
    assert message.startswith(
        "Of the 11 calls tried, your code is right in all but the one with numbers far from 0.\nThe formula is right"
    )
    assert "the square of the mean: subtract the mean before you square." in message
    assert "The formula is right" not in said("LayerNorm", ByOtherSquares)


def test_arguments_on_which_nothing_depends_are_named():
    class FromTheQuery(Attention):
        def project(self, query, key, value):
            query = self.W_q(query)
            return query, self.W_k(query), self.W_v(value)

    def additive(query, key, value, W_a, U_a, v_a, mask=None):
        scores = ((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)).sum(-1)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        weights = torch.softmax(scores, -1)
        return weights @ value, weights

    message = said("MultiHeadAttention", FromTheQuery)
    assert message.startswith("Nothing that you return depends on `key`. Does your code use it at all,")
    message = said("additive_attention", additive)
    assert message.startswith(
        "Nothing that you return depends on `query`, `W_a` or `v_a`. Does your code use them at all,"
    )


def test_a_count_is_said_in_numbers_and_not_as_a_factor():
    class WithoutOneBias(Attention):
        def __init__(self, d_model, heads):
            super().__init__(d_model, heads)
            self.W_o = torch.nn.Linear(d_model, d_model, bias=False)

        def project(self, query, key, value):
            query, key, value = super().project(query, key, value)
            return query / 2, key, value

    message = said("MultiHeadAttention", WithoutOneBias)
    assert message.startswith("The count of the numbers in your biases should be 16, but is 12")


def test_rows_that_should_add_up_to_one_are_named():
    def attend(query, key, value, mask=None):
        scores = query @ key.mT if mask is None else (query @ key.mT).masked_fill(~mask, float("-inf"))
        weights = torch.softmax(scores, dim=-2) / query.size(-1) ** 0.5
        return weights @ value, weights

    message = said("scaled_dot_product_attention", attend)
    assert message.startswith("Your weights should add up to 1 along the last axis. In the call below, row 0 adds up")


def test_a_mean_that_keeps_no_axis_in_the_result_itself_is_not_said_to_be_lined_up_with_another_axis():
    def pooled(tokens, real):
        real = real.to(tokens.dtype)[..., None]
        return (tokens * real).sum(1) / real.sum(1) / 2

    assert "line" not in said("mean_of_tokens", pooled)


def test_a_result_in_float64_of_float32_precision_is_not_wrong_everywhere():
    def rotary(x):
        angles = torch.arange(x.size(-2))[:, None] / 10000 ** (torch.arange(0, x.size(-1), 2) / x.size(-1))
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.cos() + b * angles.sin()], dim=-1)

    assert "Your rotated vectors are wrong only in the second half of the axis `d_k`." in said("rotary", rotary)


@pytest.mark.parametrize(
    ("name", "answer", "passes"),
    [
        ("softmax", lambda x, dim: torch.from_numpy(softmax(x, dim).numpy()), False),
        ("softmax", lambda x, dim: softmax(x.detach(), dim), False),
        ("softmax", torch.softmax, True),
        ("entropy_of_weights", lambda weights: torch.special.entr(weights.detach()).sum(-1), False),
        ("entropy_of_weights", lambda weights: torch.special.entr(weights).sum(-1), True),
    ],
)
def test_a_gradient_that_is_cut_off_where_nothing_is_trained_is_remarked_on(
    name: str, answer: Callable[..., Any], passes: bool
):
    report = find(name).check(answer)
    assert report.passed
    assert ("No gradient passes through it" in report.message) != passes


def test_float64_from_float32_numbers_is_not_taken_for_rounding():
    message = said("rotary", lambda x: find("rotary").reference(x.double()))
    assert "are right, but in float64" in message
    assert "too few digits are left" not in message


def test_a_result_that_is_right_in_some_cases_is_not_said_to_depend_on_nothing():
    def softmax(x, dim):
        e = x.clamp(max=80).exp()  # where all numbers are larger, the shares are equal
        return e / e.sum(dim, keepdim=True)

    assert "depend" not in find("softmax").check(softmax).message


def test_a_small_number_that_is_added_is_not_said_to_be_float32():
    report = find("softmax").check(
        lambda x, dim: (e := (x - x.amax(dim, keepdim=True)).exp()) / (e.sum(dim, True) + 1e-7)
    )
    assert report.passed
    assert report.message.startswith(
        "Right to the precision of float32. With float64 numbers, the difference is larger"
    )
