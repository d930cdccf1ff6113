"""`course_lib.yours` gives access to the learner's parts if they exist and pass, and to the course's otherwise."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from course_lib import yours
from course_lib.data import grammar
from course_lib.exercises import all_exercises
from course_lib.exercises.keeping import parts, store
from course_lib.learning import schedules
from course_lib.learning.training import TrainingSettings
from course_lib.pictures.figures.map import MAP_PARTS
from course_lib.pretrained.translator import train_translator
from course_lib.transformer import attention
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Transformer

SOFTMAX = "import torch\n\n\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n"
ATTENTION = """\
import math
import torch

calls = []


def scaled_dot_product_attention(query, key, value, mask=None):
    calls.append(query.shape)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.size(-1))
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights
"""
TRANSFORMER = """\
from course_lib.transformer import models


class Transformer(models.Transformer):
    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, memory, source_ids)
"""
RATE = """\
steps = []


def learning_rate(step, d_model, warmup):
    if d_model == 64 and warmup == 100:
        steps.append(step)
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
"""


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "my_transformer"))
    monkeypatch.setattr(parts, "examine", parts.examine_here)
    parts.forget_loaded()
    return tmp_path / "my_transformer"


def small_model(parts: Parts = COURSE) -> Transformer:
    torch.manual_seed(0)
    config = TransformerConfig(vocabulary=11, d_model=8, heads=2, d_ff=16, layers=1, max_length=9)
    return build_transformer(config, parts).eval()


def test_the_course_provides_parts_that_are_not_written_yet():
    assert yours.softmax is attention.softmax
    assert yours.split_heads is attention.split_heads


def test_no_name_of_the_module_hides_a_part():
    assert not set(dir(yours)) & set(vars(yours))


def test_a_saved_part_is_returned():
    store.save("softmax", SOFTMAX)
    assert yours.softmax is not attention.softmax
    assert yours.softmax(torch.zeros(2), 0).tolist() == [0.5, 0.5]
    from course_lib.yours import softmax

    assert softmax is yours.softmax


def test_a_translator_is_trained_with_the_learners_parts_loss_and_rate():
    pairs = grammar.generate(400, seed=0)
    store.save("scaled_dot_product_attention", ATTENTION)
    store.save("learning_rate", RATE)
    mine, history = yours.train_translator(pairs, epochs=1, smoothing=0.2, seed=3)
    assert history.learning_rate == pytest.approx(
        [0.5 * 64**-0.5 * min(step**-0.5, step * 100**-1.5) for step in range(1, history.steps + 1)]
    )
    assert yours.learning_rate.__globals__["steps"] == [*range(1, history.steps + 1)]
    assert mine.attention is yours.scaled_dot_product_attention
    assert mine.write is yours.greedy_translation

    def make(english: int, french: int) -> Transformer:
        return Transformer(english, french, 64, 4, 128, 1, 0.0)

    settings = TrainingSettings(epochs=1, batch_tokens=1024, seed=3, label_smoothing=0.2, progress=False)
    expected, by_hand = train_translator(
        pairs, settings, make=make, rate=lambda step: 0.5 * schedules.learning_rate(step, 64, 100)
    )
    assert history.loss == pytest.approx(by_hand.loss, rel=1e-3)
    sentences = [pair.english for pair in pairs[:5]]
    for one, other in zip(
        mine.cross_attention(sentences, [pair.french for pair in pairs[:5]]),
        expected.cross_attention(sentences, [pair.french for pair in pairs[:5]]),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-3)


def test_another_class_may_be_trained_in_place_of_the_learners():
    class Silent(Transformer):
        def encode(self, source_ids: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(super().encode(source_ids))

    trained, _ = yours.train_translator(grammar.generate(60, seed=0), make=Silent, epochs=1)
    assert isinstance(trained.model, Silent)


def test_a_part_that_no_longer_passes_is_replaced_by_the_courses():
    store.save("softmax", SOFTMAX.replace("torch.softmax(x, dim)", "x"))
    with pytest.warns(UserWarning, match="is not used"):
        assert yours.softmax is attention.softmax
    assert yours.softmax is attention.softmax


def test_an_unknown_name_raises_an_attribute_error_that_lists_the_parts():
    with pytest.raises(AttributeError, match="there is no part 'sofmax'; the parts are softmax, "):
        yours.sofmax  # noqa: B018
    assert "softmax" in dir(yours)


def test_a_report_shows_which_parts_are_the_learners_in_the_list_and_on_the_map(work: Path):
    store.save("softmax", SOFTMAX)
    report = yours.report()
    text = repr(report)
    assert f"1 of {len(all_exercises())} parts are yours." in text
    assert text.count("\nYour parts are saved in the folder `my_transformer`, one file each.\n") == 1
    assert "00  softmax                       ✓ yours        ●○○  10 minutes  saved\n" in text
    assert text.count("my_transformer") == 1
    assert "01  scaled_dot_product_attention    the course's ●●○  15 minutes" in text
    assert report.map.states["softmax"] == ("yours",)
    assert report.map.states["encoder_attention"] == ("given",)
    assert f"1 of {len(all_exercises())} parts are yours." in report._repr_html_()
    assert "<img" in report._repr_html_()


def test_a_line_of_the_report_fits_into_a_narrow_window(work: Path):
    store.save("softmax", SOFTMAX)
    store.save("scaled_dot_product_attention", ATTENTION)
    assert max(map(len, yours.report().code.splitlines())) <= 80


def test_the_strip_counts_the_learners_parts_of_each_notebook(work: Path):
    store.save("softmax", SOFTMAX)
    store.save("split_heads", SPLIT_HEADS)
    strip = yours.strip(2, now="encoder_attention", not_used="decoder")
    counts = Counter(exercise.notebook for exercise in all_exercises())
    assert strip.parts == {number: (int(number in (0, 2)), count) for number, count in counts.items()}
    assert strip.map.states["softmax"] == ("yours",)
    assert strip.map.states["encoder_attention"] == ("now",)
    assert strip.map.states["masked_attention"] == ("not_used",)
    assert strip.map.lesson == 2


def test_the_whole_map_can_become_the_learners():
    by_part = {exercise.on_map for exercise in all_exercises()} - {""}
    assert by_part == {part.id for part in MAP_PARTS}


def test_a_report_may_be_of_one_notebook():
    store.save("split_heads", SPLIT_HEADS)
    assert yours.report(notebook=2).map.notebook == 2
    count = sum(exercise.notebook == 2 for exercise in all_exercises())
    text = repr(yours.report(notebook=2))
    assert f"1 of {count} parts of notebook 02 are yours." in text
    assert "split_heads" in text
    assert "attend_one_query" not in text


def test_a_model_runs_on_the_learners_attention_with_the_same_result():
    ids = torch.tensor([[4, 5, 6, 0], [7, 8, 0, 0]])
    before = small_model()(ids, ids)
    assert yours.parts() == COURSE

    store.save("scaled_dot_product_attention", ATTENTION)
    model = small_model(yours.parts())
    calls = yours.scaled_dot_product_attention.__globals__["calls"]
    calls.clear()
    torch.testing.assert_close(model(ids, ids), before)
    assert calls == [(2, 2, 4, 4)] * 3

    yours.reset("scaled_dot_product_attention")
    assert yours.parts() == COURSE


def test_an_attention_that_is_a_module_does_not_become_a_part_of_the_model():
    as_module = ATTENTION.replace("def scaled", "def of_arguments") + (
        "\n\nclass Attention(torch.nn.Module):\n    def forward(self, *arguments):\n"
        "        return of_arguments_dot_product_attention(*arguments)\n"
        "\n\nscaled_dot_product_attention = Attention()\n"
    )
    store.save("scaled_dot_product_attention", as_module)
    model = small_model(yours.parts())
    assert [name for name, _ in model.named_modules()] == [name for name, _ in small_model().named_modules()]
    model(torch.tensor([[4]]), torch.tensor([[4]]))
    assert yours.count_calls(lambda: model(torch.tensor([[4]]), torch.tensor([[4]]))) == {
        "scaled_dot_product_attention": 3
    }


def test_the_calls_of_the_learners_parts_are_counted_and_shown():
    ids = torch.tensor([[4, 5, 6]])
    assert "all of them were the course's" in repr(yours.calls(lambda: small_model()(ids, ids)))
    store.save("scaled_dot_product_attention", ATTENTION)
    store.save("split_heads", SPLIT_HEADS)
    model = small_model(yours.parts())
    assert yours.count_calls(lambda: model(ids, ids)) == {"scaled_dot_product_attention": 3, "split_heads": 9}
    shown = repr(yours.calls(lambda: model(ids, ids)))
    assert "scaled_dot_product_attention         3 calls" in shown
    assert "split_heads                          9 calls" in shown
    once = repr(yours.calls(lambda: yours.split_heads(torch.ones(1, 1, 2), 2)))
    assert once.endswith("split_heads                          1 call")


def test_the_calls_of_a_learners_transformer_are_those_of_its_decode():
    store.save("Transformer", TRANSFORMER)
    model, ids = yours.Transformer(9, 9, 8, 2, 16, 1, 0.0), torch.tensor([[4, 5]])
    assert yours.count_calls(lambda: [model.decode(ids, model.encode(ids), ids) for _ in range(3)]) == {
        "Transformer": 3
    }
    assert yours.count_calls(lambda: model(ids, ids)) == {"Transformer": 1}


def test_a_reset_of_one_part_keeps_its_file(work: Path):
    store.save("softmax", SOFTMAX)
    store.save("scaled_dot_product_attention", ATTENTION)
    assert "my_transformer/former/softmax_001.py" in repr(yours.reset("softmax"))
    assert yours.softmax is attention.softmax
    assert parts.part("scaled_dot_product_attention").is_yours
    assert (work / "former" / "softmax_001.py").read_text(encoding="utf-8") == SOFTMAX


def test_a_reset_of_all_parts_keeps_their_files(work: Path):
    store.save("softmax", SOFTMAX)
    store.save("scaled_dot_product_attention", ATTENTION)
    paths = "my_transformer/former/softmax_001.py, my_transformer/former/scaled_dot_product_attention_001.py"
    assert f"What you wrote is in {paths}." in repr(yours.reset())
    assert yours.softmax is attention.softmax
    assert (work / "former" / "softmax_001.py").read_text(encoding="utf-8") == SOFTMAX
    assert repr(yours.reset()) == "There is nothing of yours to move aside."


def test_a_reset_of_an_unknown_name_moves_nothing(work: Path):
    store.save("softmax", SOFTMAX)
    with pytest.raises(ValueError, match="There is no exercise 'sofmax'"):
        yours.reset("softmax", "sofmax")
    assert store.read("softmax") == SOFTMAX.encode()


SPLIT_HEADS = """\
calls = []


def split_heads(x, heads):
    calls.append(heads)
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)
"""


def test_the_courses_parts_are_built_from_the_learners_smaller_parts():
    store.save("split_heads", SPLIT_HEADS)
    calls = yours.split_heads.__globals__["calls"]
    calls.clear()
    yours.MultiHeadAttention(4, 2)(*torch.zeros(3, 1, 2, 4))
    assert calls == [2, 2, 2]
