"""What notebook 10 shows for one text holds for others too, with the notebook's functions on the course's parts."""

import ast
from types import SimpleNamespace

import nbformat
import pytest
import torch

from course_lib import yours
from course_lib.exercises import all_exercises
from course_lib.transformer import cache
from course_lib.transformer.attention import causal_mask, scaled_dot_product_attention
from course_lib.writing.beam import beam_search
from course_lib.writing.choose import continue_greedily
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "10_cache.ipynb"
ASSIGNED = {"tales", "model", "PASSAGE", "passage", "dot_product, lent", "versions"}
BEGINNINGS = ("The wolf ", "Once upon a time ", "The king said ")
PASSAGES = (
    "The old woman went to the well and said to the girl that she should bring her some water, for she was very tired.",
    "In the evening the fox came out of the wood, looked round the house, and saw the hen asleep on the garden wall.",
)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The notebook's imports and functions, and what it assigns to a few names; its runs and exercises are left out."""
    names = {each.name: each.reference for each in all_exercises()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WORK", str(tmp_path_factory.mktemp("parts")))
        names["yours"] = yours
        for each in nbformat.read(NOTEBOOK, as_version=4).cells:
            if each.cell_type == "code" and "@exercise(" not in each.source:
                tree = ast.parse(each.source)
                tree.body = [statement for statement in tree.body if _is_kept(statement)]
                exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return SimpleNamespace(**names, names=names)


def _is_kept(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign | ast.AugAssign):
        target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
        return ast.unparse(target).strip("()") in ASSIGNED
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef)


@pytest.mark.parametrize("words", ["house", "sheep", "child", "Queen"])
def test_old_keys_change_only_without_a_mask_and_only_from_the_second_layer_on(lesson: SimpleNamespace, words: str):
    for mask, changed in ((causal_mask(9), [False] * 4), (None, [False, True, True, True])):
        one, other = lesson.keys_of(f"The {words}", mask), lesson.keys_of("The stone", mask)
        assert ((one - other)[:, :4].abs().amax(dim=(1, 2)) > 0.1).tolist() == changed
        assert torch.equal(one[0, :4], other[0, :4])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_wrong_mask_is_right_in_one_way_of_reading_and_far_off_in_the_others(lesson: SimpleNamespace, seed: int):
    q, k, v = torch.randn(3, 1, 2, 20, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    expected, _ = scaled_dot_product_attention(q, k, v, causal_mask(20))
    for name, right_at in (("no mask", 1), ("triangle left", 20)):
        for size in (1, 4, 20):
            difference = (cache.attend_in_pieces(lesson.versions[name], q, k, v, size) - expected).abs().max()
            assert difference < 1e-12 if size == right_at else difference > 0.5


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_the_text_written_through_the_cache_is_the_text_without_it(lesson: SimpleNamespace, beginning: str):
    prompt = lesson.tales.encode(beginning)
    with torch.no_grad():
        expected = continue_greedily(lesson.model, prompt, 80)
    assert lesson.write(prompt, 80) == expected
    assert lesson.write(prompt, 40, lesson.at_position_0)[:40] != expected[:40]


@pytest.mark.parametrize("passage", PASSAGES)
def test_with_every_token_at_position_0_letter_frequencies_predict_better(lesson: SimpleNamespace, passage: str):
    ids = torch.tensor(lesson.tales.encode(passage[:110])).view(2, 55)
    lesson.names.update(passage=ids)
    shares = ids.unique(return_counts=True)[1] / ids.numel()
    frequencies = -(shares * shares.log()).sum()
    with torch.no_grad():
        logits = lesson.model(ids[:, :-1])
    uncached = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).item()
    assert lesson.surprise() == pytest.approx(uncached, abs=1e-4)
    assert lesson.surprise() + 0.7 < frequencies < lesson.surprise(lesson.at_position_0)


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_beams_through_a_reordered_cache_are_those_without_one_and_otherwise_believe_in_nonsense(
    lesson: SimpleNamespace, beginning: str
):
    prompt = lesson.tales.encode(beginning)
    lesson.names.update(prompt=prompt)
    (expected,) = beam_search(lesson.model, [prompt], 30, beams=4, n_best=4, alpha=0, use_cache=False)
    found, totals, history = lesson.search(prompt, 4, 30)
    assert found == [each.ids for each in expected]
    assert totals == pytest.approx([each.log_probability for each in expected], abs=1e-3)
    assert sum(parents != [0, 1, 2, 3] for parents in history[1:]) > 10
    nonsense, claims, _ = lesson.search(prompt, 4, 30, lesson.left_as_it_is)
    assert lesson.true_log_probability(found[0]) == pytest.approx(totals[0], abs=1e-3)
    assert claims[0] > 1.5 * totals[0]  # about as likely as a good text, says the search
    assert lesson.true_log_probability(nonsense[0]) < claims[0] - 20
