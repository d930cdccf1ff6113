import itertools
import json
import math
import os
import random
import signal
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_lib.learning import checkpoints, training
from course_lib.learning.batches import batches_by_length, collate, pad_rows
from course_lib.learning.checkpoints import CheckpointError
from course_lib.learning.losses import (
    IGNORE,
    cross_entropy,
    next_token,
    smoothed_cross_entropy,
    smoothed_loss_floor,
    training_losses,
    translation,
)
from course_lib.learning.schedules import learning_rate
from course_lib.learning.training import (
    History,
    Task,
    TrainingSettings,
    best_device,
    evaluate,
    has_fast_bfloat16,
    inverse_square_root,
    train,
    warmup_cosine,
)
from course_lib.transformer.build import COURSE, build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.layers import EncoderLayer, LayerNorm, pre_norm
from course_lib.transformer.models import Transformer
from course_lib.writing.choose import greedy

PAD, BOS, EOS = 0, 1, 2
to_translate = partial(translation, pad=PAD)


def test_smoothed_cross_entropy_by_hand():
    logits = torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64).log()
    smoothed, plain = training_losses(logits, torch.tensor([0]), label_smoothing=0.3)
    # A share of 0.3 over three tokens makes the labels 0.8, 0.1, 0.1: 0.8 ln 2 + 0.2 ln 4.
    assert plain.item() == pytest.approx(math.log(2), abs=1e-12)
    assert smoothed.item() == pytest.approx(0.8 * math.log(2) + 0.2 * math.log(4), abs=1e-12)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_cross_entropy_and_its_gradient_equal_torchs(label_smoothing):
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(3, 5, 7, dtype=torch.float64, generator=generator).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    labels = torch.randint(7, (3, 5), generator=generator)
    labels[1, 3:], labels[2, 0] = IGNORE, IGNORE
    loss, plain = training_losses(ours, labels, label_smoothing)
    expected = F.cross_entropy(theirs.flatten(0, 1), labels.flatten(), label_smoothing=label_smoothing)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(plain, F.cross_entropy(theirs.flatten(0, 1), labels.flatten()), rtol=0, atol=1e-12)


def test_padding_changes_no_loss():
    logits, labels = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0)), torch.tensor([[1, 2, 3, 0]] * 2)
    longer_logits = torch.cat((logits, 50 * torch.ones(2, 3, 6)), dim=1)
    longer_labels = torch.cat((labels, torch.full((2, 3), IGNORE)), dim=1)
    short, long = training_losses(logits, labels, 0.1), training_losses(longer_logits, longer_labels, 0.1)
    torch.testing.assert_close(long, short, rtol=0, atol=1e-6)


def test_a_batch_without_labels_has_no_loss_and_no_gradient():
    logits = torch.randn(1, 2, 3, requires_grad=True)
    loss, _ = training_losses(logits, torch.full((1, 2), IGNORE), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_no_loss_is_below_the_floor_and_the_smoothed_labels_reach_it():
    labels = torch.full((1, 5), 0.02, dtype=torch.float64)  # 0.1 spread over five tokens
    labels[0, 2] += 0.9
    at_best, _ = training_losses(labels.log(), torch.tensor([2]), 0.1)
    assert smoothed_loss_floor(5, 0.1) == pytest.approx(at_best.item(), abs=1e-12)
    assert smoothed_loss_floor(2, 0.5) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25), abs=1e-12)
    assert smoothed_loss_floor(50, 0.0) == 0
    bolder, _ = training_losses(10 * labels.log(), torch.tensor([2]), 0.1)
    assert bolder > at_best


def test_the_translator_predicts_the_target_shifted_by_one():
    asked = {}

    def model(source, target):
        asked.update(source=source, target=target)
        return torch.zeros(*target.shape, 9)

    source, target = torch.tensor([[7, 8], [7, 0]]), torch.tensor([[BOS, 4, 5, EOS], [BOS, 6, EOS, 0]])
    logits, labels = to_translate(model, source, target)
    assert asked["source"].tolist() == source.tolist()
    assert asked["target"].tolist() == [[BOS, 4, 5], [BOS, 6, EOS]]
    assert labels.tolist() == [[4, 5, EOS], [6, EOS, IGNORE]]
    assert logits.shape == (2, 3, 9)


def test_a_language_model_without_padding_counts_token_zero():
    _, labels = next_token(lambda ids: ids, torch.tensor([[3, 0, 4]]))
    assert labels.tolist() == [[0, 4]]
    _, labels = next_token(lambda ids: ids, torch.tensor([[3, 7, 4]]), pad=7)
    assert labels.tolist() == [[IGNORE, 4]]


def test_the_rate_is_equation_3_of_2017():
    for step in (1, 2, 3999, 4000, 4001, 100_000):
        expected = 512**-0.5 * min(step**-0.5, step * 4000**-1.5)
        assert inverse_square_root(step, peak=(512 * 4000) ** -0.5, warmup=4000) == pytest.approx(expected, rel=1e-12)


def test_the_rate_without_warmup_starts_at_its_peak():
    assert inverse_square_root(1, peak=0.5, warmup=0) == 0.5
    assert warmup_cosine(1, peak=0.5, warmup=0, total=9) == pytest.approx(0.5, rel=0.03)


def test_the_stable_schedule_rises_stays_and_falls_over_the_last_share_of_the_steps():
    settings = replace(FEW, steps=20, schedule="warmup_stable_decay", learning_rate=1e-2, warmup=4, decay=0.5)
    rates = train(new_model(), TASK, settings, device="cpu").learning_rate
    assert rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert rates[4:11] == pytest.approx([0.01] * 7)
    assert rates[10:] == pytest.approx([0.001 * left for left in range(10, 0, -1)])


def test_the_stable_schedule_falls_over_a_share_of_the_time_too_as_the_clock_tells_it():
    seconds = itertools.count()
    settings = replace(FEW, steps=None, seconds=100.0, schedule="warmup_stable_decay", warmup=1, decay=0.3)
    rates = train(new_model(), TASK, settings, device="cpu", clock=lambda: float(next(seconds))).learning_rate
    assert rates[0] == FEW.learning_rate
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.1 * FEW.learning_rate


def test_without_decay_the_stable_schedule_stays():
    settings = replace(FEW, steps=6, schedule="warmup_stable_decay", warmup=0, decay=0.0)
    assert train(new_model(), TASK, settings, device="cpu").learning_rate == [FEW.learning_rate] * 6


def test_in_bfloat16_the_losses_are_nearly_the_same_and_the_weights_stay_float32(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "has_fast_bfloat16", lambda _: True)
    exact, rounded = new_model(), new_model()
    losses = train(exact, TASK, replace(FEW, steps=10), device="cpu").loss
    nearly = train(rounded, TASK, replace(FEW, steps=10, bfloat16=True), device="cpu").loss
    assert losses == pytest.approx(nearly, rel=0.02)
    assert losses != nearly
    assert {weight.dtype for weight in rounded.parameters()} == {torch.float32}


def test_where_bfloat16_is_slow_the_training_uses_float32_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "has_fast_bfloat16", lambda _: False)
    losses = train(new_model(), TASK, FEW, device="cpu").loss
    with pytest.warns(UserWarning, match="many times more slowly than in float32") as said:
        slow = train(new_model(), TASK, replace(FEW, bfloat16=True), device="cpu").loss
    assert losses == slow
    assert [each.filename for each in said] == [__file__]


def test_a_processor_without_the_instructions_has_no_fast_bfloat16(monkeypatch: pytest.MonkeyPatch):
    assert has_fast_bfloat16(torch.device("cuda"))
    if torch.backends.cpu.get_cpu_capability() == "AVX2":
        assert not has_fast_bfloat16(torch.device("cpu"))
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert has_fast_bfloat16(torch.device("cpu")) == torch.backends.mkldnn.is_available()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not has_fast_bfloat16(torch.device("cpu"))


def test_the_cosine_schedule_rises_linearly_and_falls_to_nearly_zero():
    rates = [warmup_cosine(step, peak=1.0, warmup=10, total=29) for step in range(1, 31)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[19] == pytest.approx(0.5)  # step 20 is halfway from 10 to 30
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[28] > 0
    assert rates[29] == pytest.approx(0, abs=1e-12)


def some_examples(count=400):
    chance = random.Random(0)
    return [([4] * chance.randint(1, 20), [4] * chance.randint(2, 20)) for _ in range(count)]


def test_batches_contain_each_example_once_and_at_most_the_given_number_of_ids():
    examples = some_examples()
    batches = batches_by_length(examples, batch_tokens=300, shuffle_seed="a")
    assert sorted(i for batch in batches for i in batch) == list(range(400))
    assert all(sum(part.numel() for part in collate([examples[i] for i in batch], pad=0)) <= 300 for batch in batches)


def test_batches_sorted_by_length_need_little_padding():
    examples = some_examples(4000)
    ids = sum(len(part) for example in examples for part in example)
    batches = batches_by_length(examples, batch_tokens=300, shuffle_seed="a")
    padded = sum(part.numel() for batch in batches for part in collate([examples[i] for i in batch], pad=0))
    assert padded < 1.05 * ids  # in random order, padding would add 80 %


def test_the_order_of_the_batches_depends_only_on_the_seed():
    examples = some_examples()
    first, again, other = (batches_by_length(examples, 300, seed) for seed in ("0/1", "0/1", "0/2"))
    assert first == again
    assert sorted(map(sorted, first)) != sorted(map(sorted, other))
    assert len(first) == len(other)
    assert [len(examples[batch[0]][1]) for batch in first] != sorted(len(examples[batch[0]][1]) for batch in first)


def test_an_overlong_example_gets_its_own_batch():
    examples = [([4] * 50,), ([4],), ([4] * 49,), ([4],)]
    batches = batches_by_length(examples, batch_tokens=10, shuffle_seed="")
    assert sorted(map(sorted, batches)) == [[0], [1, 3], [2]]


def test_an_overlong_example_does_not_shrink_later_batches():
    examples = [([4] * 9, [4])] + [([4], [4, 4])] * 3
    assert sorted(map(sorted, batches_by_length(examples, batch_tokens=12, shuffle_seed=""))) == [[0], [1, 2, 3]]


def test_shorter_lists_are_padded_with_the_given_id():
    source, target = collate([([4, 5, 6], [7]), ([8], [9, 9])], pad=3)
    assert source.tolist() == [[4, 5, 6], [8, 3, 3]]
    assert target.tolist() == [[7, 3], [9, 9]]


def test_lists_of_different_lengths_are_refused_without_an_id_to_pad_them():
    (ids,) = collate([([4, 5],), ([6, 7],)])
    assert ids.tolist() == [[4, 5], [6, 7]]
    with pytest.raises(ValueError, match=r"one batch have 1 and 2 ids: .* such as pad=tokenizer\.pad"):
        collate([([4, 5],), ([6],)])


REVERSED = [([a, b, c], [BOS, c, b, a, EOS]) for a in range(4, 9) for b in range(4, 9) for c in range(4, 9)]
REVERSED += [([a, b], [BOS, b, a, EOS]) for a in range(4, 9) for b in range(4, 9)]
SMALL = TransformerConfig(vocabulary=9, d_model=16, heads=2, d_ff=32, layers=1, max_length=8)
FEW = TrainingSettings(steps=20, batch_tokens=256, learning_rate=3e-3, warmup=5, progress=False)
TASK = Task(REVERSED, to_translate, pad=PAD)


def new_model(config=SMALL):
    torch.manual_seed(0)
    return build_transformer(config)


def weights(model):
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_translator_learns_to_reverse():
    examples = REVERSED[-30:]
    model = new_model(TransformerConfig(vocabulary=9, d_model=32, heads=2, d_ff=64, layers=1, dropout=0.0))
    settings = replace(FEW, steps=80, schedule="cosine", learning_rate=1e-2, warmup=20)
    history = train(model, Task(examples, to_translate, pad=PAD), settings, device="cpu")
    right = sum(greedy(model, [source], bos=BOS, stop=[EOS]) == [target[1:-1]] for source, target in examples)
    assert right >= 25  # 29 or 30 with seeds 0 to 4, 27 on a processor that rounds otherwise; guessing gives none
    assert history.loss[-1] < smoothed_loss_floor(9, 0.1) + 0.1  # 0.01 to 0.05 above it with seeds 0 to 7
    assert min(history.loss) > smoothed_loss_floor(9, 0.1)
    assert history.cross_entropy[0] > math.log(9) - 1


def test_a_language_model_learns_a_cycle_in_the_same_loop():
    circle = [([4 + (i + j) % 5 for j in range(6)],) for i in range(5)]
    torch.manual_seed(0)
    model = build_language_model(TransformerConfig(vocabulary=9, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.0))
    settings = TrainingSettings(steps=150, learning_rate=1e-2, warmup=20, label_smoothing=0.0, progress=False)
    history = train(model, Task(circle, next_token), settings, device="cpu")
    assert history.loss == history.cross_entropy
    assert history.loss[-1] < 0.05


def test_a_classifier_learns_in_the_same_loop():
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.EmbeddingBag(9, 2)

        def forward(self, ids):
            return self.words(ids)

    def which(model, ids, label):
        return model(ids), label[:, 0]

    examples = [([4, 5, 6], [0]), ([7, 8, 5], [1]), ([6, 4, 5], [0]), ([8, 7, 7], [1])]
    settings = TrainingSettings(steps=100, learning_rate=0.3, label_smoothing=0.0, warmup=1, progress=False)
    assert train(Classifier(), Task(examples, which), settings, device="cpu").loss[-1] < 0.05


def test_only_the_seed_decides_the_weights_and_the_random_state_of_torch_does_not_change():
    torch.manual_seed(5)
    untouched = torch.rand(1)
    found = []
    for seed in (0, 0, 1):
        model = new_model()
        torch.manual_seed(5)
        train(model, TASK, replace(FEW, seed=seed), device="cpu")
        assert torch.equal(torch.rand(1), untouched)
        found.append(weights(model))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_dropout_is_on_in_training_only():
    model = new_model()
    modes = []

    def watched(model, source, target):
        modes.append(model.training)
        return to_translate(model, source, target)

    history = train(model, Task(REVERSED, watched, REVERSED[:9], pad=PAD), replace(FEW, steps=3), device="cpu")
    assert modes == [True, True, True, False]
    assert not model.training
    assert history.validation == [evaluate(model, Task([], to_translate, REVERSED[:9], pad=PAD))]
    assert history.validation_steps == [3]


def test_validation_runs_after_each_epoch_and_at_the_end():
    history = train(
        new_model(), Task(REVERSED, to_translate, REVERSED[:9], pad=PAD), replace(FEW, steps=12), device="cpu"
    )
    assert history.validation_steps == [5, 10, 12]
    assert len(history.validation) == 3


def test_validation_can_run_every_few_steps_in_place_of_each_epoch():
    task = Task(REVERSED, to_translate, REVERSED[:9], pad=PAD)
    history = train(new_model(), task, replace(FEW, steps=7, validate_every=3), device="cpu")
    assert history.validation_steps == [3, 6, 7]
    for wrong, kind in ((0, ValueError), (1.5, TypeError)):
        with pytest.raises(kind, match="validate_every should be"):
            replace(FEW, validate_every=wrong)


def test_each_epoch_and_each_seed_has_its_own_order_and_each_step_its_own_random_numbers():
    def batches_and_chances(seed):
        batches, chances = [], []

        def watched(model, source, target):
            batches.append(sorted([i for i in row if i] for row in source.tolist()))
            chances.append(torch.rand(1).item())
            return to_translate(model, source, target)

        train(new_model(), Task(REVERSED, watched, pad=PAD), replace(FEW, steps=10, seed=seed), device="cpu")
        return batches, chances

    (batches, chances), (others, _) = batches_and_chances(0), batches_and_chances(1)
    for epoch in (batches[:5], batches[5:]):
        assert sorted(source for batch in epoch for source in batch) == sorted(source for source, _ in REVERSED)
    assert batches[:5] != batches[5:]
    assert batches != others
    assert len(set(chances)) == 10


def test_the_validation_loss_is_the_mean_over_labels_not_over_batches():
    model = new_model()
    one_batch = evaluate(model, Task([], to_translate, REVERSED, pad=PAD), batch_tokens=100_000)
    assert evaluate(model, Task([], to_translate, REVERSED, pad=PAD), batch_tokens=20) == pytest.approx(
        one_batch, abs=1e-5
    )


@pytest.mark.parametrize(
    ("limits", "steps"),
    [({"steps": 3}, 3), ({"epochs": 2}, 10), ({"steps": 3, "epochs": 2}, 3), ({"seconds": 1e-9}, 0)],
)
def test_training_stops_at_the_first_limit(limits, steps):
    settings = replace(FEW, **{"steps": None, **limits})
    assert len(batches_by_length(REVERSED, 256, "")) == 5
    assert train(new_model(), TASK, settings, device="cpu").steps == steps


def test_training_stops_after_the_given_seconds():
    began = time.monotonic()
    history = train(new_model(), TASK, replace(FEW, steps=None, seconds=0.3), device="cpu")
    assert 0.3 <= time.monotonic() - began < 60  # it would never stop otherwise
    assert history.steps > 0


def test_the_history_has_one_number_for_each_step():
    history = train(new_model(), TASK, FEW, device="cpu")
    assert history.learning_rate == [inverse_square_root(step, 3e-3, 5) for step in range(1, 21)]
    for numbers in (history.loss, history.cross_entropy, history.gradient_norm, history.tokens_per_second):
        assert len(numbers) == history.steps == 20
        assert all(number > 0 for number in numbers)
    assert not history.interrupted


def test_gradients_are_clipped_and_the_history_has_their_norms_before_clipping(monkeypatch):
    lengths = []

    def measure(optimizer, *_):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        lengths.append(math.sqrt(sum(float(gradient.pow(2).sum()) for gradient in gradients)))

    hook = register_optimizer_step_pre_hook(measure)
    try:
        free = train(new_model(), TASK, replace(FEW, steps=1, clip=1e9), device="cpu")
        clipped = train(new_model(), TASK, replace(FEW, steps=1, clip=0.01), device="cpu")
    finally:
        hook.remove()
    assert lengths == pytest.approx([free.gradient_norm[0], 0.01], rel=1e-4)
    assert clipped.gradient_norm == free.gradient_norm
    assert free.gradient_norm[0] > 0.1


def test_adam_uses_the_settings_betas_and_decays_only_matrices():
    groups = []
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: groups.extend(optimizer.param_groups))
    model = new_model()
    try:
        train(model, TASK, replace(FEW, steps=1, weight_decay=0.1, betas=(0.8, 0.9)), device="cpu")
    finally:
        hook.remove()
    assert {group["betas"] for group in groups} == {(0.8, 0.9)}
    found = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert {name: found[id(p)] for name, p in model.named_parameters()} == {
        name: 0.1 if p.dim() >= 2 else 0.0 for name, p in model.named_parameters()
    }


def test_a_training_resumed_within_an_epoch_ends_with_the_very_same_weights(tmp_path):
    straight = new_model()
    whole = train(straight, TASK, FEW, device="cpu")
    for stops in ((7,), (5, 13), (19,)):  # an epoch has five steps
        resumed = new_model()
        path = tmp_path / f"{stops}.safetensors"
        for stop in stops:
            train(resumed, TASK, replace(FEW, steps=stop), device="cpu", checkpoint=path)
        another = build_transformer(SMALL)
        torch.manual_seed(99)
        history = train(another, TASK, FEW, device="cpu", checkpoint=path)
        assert same(weights(another), weights(straight))
        assert history.loss == whole.loss
        assert another.source_table is another.target_table


def test_a_finished_training_does_not_continue(tmp_path):
    path = tmp_path / "run.safetensors"
    model = new_model()
    first = train(model, Task(REVERSED, to_translate, REVERSED[:5], pad=PAD), FEW, device="cpu", checkpoint=path)
    before = weights(model)
    again = train(model, Task(REVERSED, to_translate, REVERSED[:5], pad=PAD), FEW, device="cpu", checkpoint=path)
    assert again == first
    assert same(weights(model), before)


def interrupting(at_call):
    calls = []

    def objective(model, source, target):
        calls.append(1)
        if len(calls) == at_call:
            raise KeyboardInterrupt
        return to_translate(model, source, target)

    objective.__name__ = "translating"
    return objective


def test_an_interrupted_training_keeps_its_progress_and_can_be_resumed(tmp_path):
    path = tmp_path / "run.safetensors"
    model = new_model()
    history = train(model, Task(REVERSED, interrupting(9), pad=PAD), FEW, device="cpu", checkpoint=path)
    eight = new_model()
    train(eight, TASK, replace(FEW, steps=8), device="cpu")
    assert history.interrupted
    assert history.steps == 8
    assert same(weights(model), weights(eight))
    assert not model.training

    straight = new_model()
    train(straight, TASK, FEW, device="cpu")
    history = train(model, Task(REVERSED, interrupting(None), pad=PAD), FEW, device="cpu", checkpoint=path)
    assert not history.interrupted
    assert same(weights(model), weights(straight))


@pytest.fixture
def _ctrl_c_interrupts():
    # In a program that a shell started in the background, it may be ignored.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def press_ctrl_c(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


@pytest.mark.usefixtures("_ctrl_c_interrupts")
@pytest.mark.parametrize("where", ["fingerprint", "_batches_of_epoch"])
def test_an_interruption_before_the_first_step_gives_an_empty_history(monkeypatch, tmp_path, where):
    original = getattr(training, where)
    monkeypatch.setattr(training, where, lambda *inputs: press_ctrl_c() or original(*inputs))
    history = train(new_model(), TASK, FEW, device="cpu", checkpoint=tmp_path / "run.safetensors")
    assert history.interrupted
    assert history.steps == 0


@pytest.mark.usefixtures("_ctrl_c_interrupts")
def test_an_interruption_while_the_last_checkpoint_is_written_loses_nothing(monkeypatch, tmp_path):
    path, original = tmp_path / "run.safetensors", checkpoints.write
    monkeypatch.setattr(checkpoints, "write", lambda *inputs: press_ctrl_c() or original(*inputs))
    try:
        history = train(new_model(), TASK, replace(FEW, steps=2), device="cpu", checkpoint=path)
    except KeyboardInterrupt:  # which would end pytest, not this test
        pytest.fail("the interruption came through")
    assert history.steps == 2
    assert len(checkpoints.read(path)[1]["history"]["loss"]) == 2


def test_a_full_disk_ends_no_training_and_loses_no_history(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_atomically", full)
    with pytest.warns(
        UserWarning, match=r"After step 1 the checkpoint .* written \(No space left on device\)\. The model"
    ) as caught:
        history = train(new_model(), TASK, FEW, device="cpu", checkpoint=tmp_path / "run.safetensors")
    assert history.steps == FEW.steps
    assert list(tmp_path.iterdir()) == []
    assert len(caught) == 1


def test_an_interruption_never_leaves_a_step_half_finished():
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)

    model, three = new_model(), new_model()
    former = signal.getsignal(signal.SIGINT)
    hook = register_optimizer_step_pre_hook(interrupt)
    try:
        history = train(model, TASK, FEW, device="cpu")
    finally:
        hook.remove()
    train(three, TASK, replace(FEW, steps=3), device="cpu")
    assert (history.interrupted, history.steps) == (True, 3)
    assert same(weights(model), weights(three))
    assert signal.getsignal(signal.SIGINT) is former


def test_training_also_runs_in_a_thread():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(train(new_model(), TASK, replace(FEW, steps=2), device="cpu"))
    )
    thread.start()
    thread.join()
    assert found[0].steps == 2


def test_a_loss_that_is_nan_stops_training_with_a_sentence_and_leaves_the_weights_intact():
    calls = []

    def breaks(model, source, target):
        logits, labels = to_translate(model, source, target)
        calls.append(1)
        return logits * (math.nan if len(calls) == 5 else 1), labels

    model, four = new_model(), new_model()
    with pytest.raises(FloatingPointError, match=r"at step 5 the loss is nan.* try a lower learning_rate than 0\.003"):
        train(model, Task(REVERSED, breaks, pad=PAD), FEW, device="cpu")
    train(four, TASK, replace(FEW, steps=4), device="cpu")
    assert same(weights(model), weights(four))


def test_a_task_without_examples_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="no examples"):
        train(new_model(), Task([], to_translate, pad=PAD), FEW, device="cpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": None}, "say when to stop"),
        ({"steps": 0}, "steps should be more than 0, but is 0"),
        ({"epochs": -1}, "epochs should be more than 0"),
        ({"learning_rate": math.nan}, "learning_rate should be more than 0, but is nan"),
        ({"schedule": "noam"}, "schedule should be one of .*'warmup_stable_decay'.*, but is 'noam'"),
        ({"decay": -0.1}, "decay is a share of the training, from 0 to 1, but is -0.1"),
        ({"schedule": "cosine", "steps": None, "seconds": 5}, "a cosine must know where it ends"),
        ({"label_smoothing": 1.0}, "label_smoothing from 0 to below 1"),
        ({"batch_tokens": 0}, "batch_tokens 1 or more"),
        ({"warmup": -1}, "warmup should be 0 or more"),
        ({"learning_rate": math.inf}, "learning_rate=inf and seconds=None should be finite"),
        ({"seconds": math.inf}, "learning_rate=0.003 and seconds=inf should be finite"),
        ({"seconds": math.nan}, "seconds should be more than 0, but is nan"),
        ({"clip": math.nan}, "clip should be more than 0, but is nan"),
        ({"betas": (1, 1)}, r"betas should be two numbers, each from 0 to below 1, but are \(1, 1\)"),
        ({"betas": (0.9, math.nan)}, "betas should be two numbers"),
        ({"betas": (0.9,)}, "betas should be two numbers"),
        ({"weight_decay": -0.1}, "weight_decay should be 0 or more, but is -0.1"),
        ({"weight_decay": math.nan}, "weight_decay should be 0 or more, but is nan"),
        ({"steps": 2.5}, "steps should be a whole number, but is 2.5"),
        ({"epochs": 1.5}, "epochs should be a whole number, but is 1.5"),
        ({"batch_tokens": math.nan}, "batch_tokens should be a whole number, but is nan"),
        ({"warmup": 0.5}, "warmup should be a whole number, but is 0.5"),
        ({"seed": "0"}, "seed should be a whole number, but is '0'"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, words):
    with pytest.raises((TypeError, ValueError), match=words):
        replace(FEW, **changes)


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ([[4, 5, 6]], r"each of the examples should be a tuple of lists of ids, .* but number 0 is \[4, 5, 6\]"),
        ([([4],), "ab"], "number 1 is 'ab'"),
        ([("ab",)], r"number 0 is \('ab',\)"),
        ([(["a", "b"],)], r"ids are whole numbers, but number 0 of the examples has \['a', 'b'\]"),
        ([([4, 5.5],)], r"ids are whole numbers, but number 0 of the examples has \[4, 5.5\]"),
        ([([4], [5]), ([4],)], r"same number of lists, 2, none of them empty, but number 1 has lists of lengths \[1\]"),
        ([([4], [])], r"number 0 has lists of lengths \[1, 0\]"),
        (torch.tensor([[4, 5], [6, 7]]), r"number 0 is tensor\(\[4, 5\]\)"),
    ],
)
def test_examples_that_are_no_lists_of_ids_are_refused(examples, words):
    with pytest.raises((TypeError, ValueError), match=words):
        Task(examples, next_token)
    with pytest.raises((TypeError, ValueError), match=words.replace("the examples", "the validation")):
        Task([([4], [5])], next_token, validation=examples)


def test_tensors_of_ids_are_examples_like_lists():
    settings = replace(FEW, steps=2)
    ours, theirs = new_model(), new_model()
    as_tensors = [tuple(map(torch.tensor, example)) for example in REVERSED]
    train(ours, Task(as_tensors, to_translate, pad=PAD), settings, device="cpu")
    train(theirs, TASK, settings, device="cpu")
    assert same(weights(ours), weights(theirs))


def test_a_frozen_model_and_texts_of_one_token_or_of_padding_are_refused_with_a_sentence():
    frozen = new_model().requires_grad_(False)
    for model in (frozen, nn.Identity()):
        with pytest.raises(ValueError, match="the model has no weights, or all are frozen"):
            train(model, TASK, FEW, device="cpu")
    language_model = build_language_model(SMALL)
    with pytest.raises(ValueError, match="a text needs two tokens or more, so that there is one to predict, but has 1"):
        train(language_model, Task([([4],)], next_token), FEW, device="cpu")
    with pytest.raises(ValueError, match="the ids of a text are whole numbers from 0 on, but the smallest is -100"):
        train(language_model, Task([([4, IGNORE],)], next_token), FEW, device="cpu")
    padding = [([PAD] * 3,)] * 4
    objective = partial(next_token, pad=PAD)
    for limit in ({"steps": 20}, {"steps": None, "epochs": 1}):
        with pytest.raises(ValueError, match="no label of the examples counts, since all of them are IGNORE"):
            train(language_model, Task(padding, objective, pad=PAD), replace(FEW, **limit), device="cpu")
    with pytest.raises(ValueError, match="no label of the validation examples counts"):
        evaluate(language_model, Task([], objective, padding, pad=PAD))


def test_a_task_without_validation_examples_cannot_be_evaluated():
    with pytest.raises(ValueError, match="there is nothing to measure: the task has no validation examples"):
        evaluate(new_model(), TASK)


def test_a_checkpoint_does_not_continue_in_a_model_or_an_objective_with_other_settings(tmp_path):
    path = tmp_path / "run.safetensors"
    train(new_model(), TASK, replace(FEW, steps=2), device="cpu", checkpoint=path)

    def refused(words, model, task=TASK):
        before = weights(model)
        with pytest.raises(CheckpointError, match=words):
            train(model, task, FEW, device="cpu", checkpoint=path)
        assert same(weights(model), before)

    for name, value in {
        "heads": 4,
        "positions": "rotary",
        "activation": "gelu",
        "dropout": 0.5,
        "pad": None,
        "norm_eps": 0.1,
        "scaled_embeddings": False,
        "max_length": 64,
    }.items():
        other = new_model(replace(SMALL, **{name: value}))
        refused(rf"its model\.config\.{name} is .*, but here it is {value!r}\.", other)
    refused(
        r"its objective is 'translation\(pad=0\)', but here it is 'smoothly'",
        new_model(),
        Task(REVERSED, smoothly, pad=PAD),
    )

    # A model without a configuration is known by its parts.
    plain = tmp_path / "plain.safetensors"
    sizes = dict(d_model=16, heads=2, d_ff=32, layers=1)
    train(Transformer(9, 9, **sizes), TASK, replace(FEW, steps=2), device="cpu", checkpoint=plain)
    path = plain
    other_heads = "its model.decoder.0.cross_attention.heads is 2, but here it is 4"
    refused(other_heads, Transformer(9, 9, **{**sizes, "heads": 4}))
    refused("its model.pad is 0, but here it is None", Transformer(9, 9, **sizes, pad=None))
    layer = partial(EncoderLayer, residual=pre_norm)
    other_layer = Transformer(9, 9, **sizes, encoder_layer=layer)
    refused("encoder.0.residual is 'post_norm', but here it is 'pre_norm'", other_layer)


def smoothly(model, source, target):
    return to_translate(model, source, target)


def test_a_checkpoint_is_known_by_its_settings_whichever_class_computes_them(tmp_path):
    path = tmp_path / "run.safetensors"
    parts = replace(COURSE, LayerNorm=LayerNorm)
    train(build_transformer(SMALL, parts), TASK, replace(FEW, steps=2), device="cpu", checkpoint=path)
    assert train(new_model(), TASK, FEW, device="cpu", checkpoint=path).steps == FEW.steps


def test_a_checkpoint_may_lie_in_the_home_folder_but_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    train(new_model(), TASK, replace(FEW, steps=1), device="cpu", checkpoint="~/run.safetensors")
    assert (tmp_path / "run.safetensors").exists()
    with pytest.raises(CheckpointError, match="is a folder: name a file in it"):
        train(new_model(), TASK, FEW, device="cpu", checkpoint="~")


def test_a_changed_bit_anywhere_in_a_file_of_weights_is_noticed(tmp_path):
    path = tmp_path / "weights.safetensors"
    checkpoints.write(path, {"a": torch.arange(6.0), "b": torch.ones(2, dtype=torch.bfloat16)}, {"say": "é"})
    whole = path.read_bytes()
    chance = random.Random(0)
    for at in [*chance.sample(range(8, len(whole)), 200), len(whole) - 1, whole.index(b"say"), whole.index(b"sha256")]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            checkpoints.read(path)
    path.write_bytes(whole)
    assert checkpoints.read(path)[1] == {"say": "é"}


def test_a_file_without_a_hash_is_not_one_of_the_courses(tmp_path):
    path = tmp_path / "weights.safetensors"
    for metadata in ({"note": "{}"}, {"sha256": "0"}):
        save_file({"a": torch.ones(1)}, path, {"kind": checkpoints.KIND, **metadata})
        with pytest.raises(CheckpointError, match="this course did not write it"):
            checkpoints.read(path)


@pytest.mark.parametrize("function", [cross_entropy, partial(smoothed_cross_entropy, epsilon=0.0)])
def test_an_impossible_token_that_is_not_asked_for_costs_nothing(function):
    logits = torch.tensor([[[0.0, 0.0, -math.inf]]])
    assert function(logits, torch.tensor([[1]])).item() == pytest.approx(math.log(2))
    assert function(logits, torch.tensor([[2]])).item() == math.inf
    ignored = torch.cat((logits, torch.full((1, 1, 3), -math.inf)), dim=1)
    assert function(ignored, torch.tensor([[1, IGNORE]])).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("shape", [(2, 1), (3, 2), (2,), (3,), (2, 3, 1)], ids=str)
def test_labels_of_another_shape_than_the_positions_are_refused(shape):
    logits, labels = torch.zeros(2, 3, 5), torch.ones(shape, dtype=torch.long)
    with pytest.raises((IndexError, RuntimeError)):
        cross_entropy(logits, labels)
    with pytest.raises((IndexError, RuntimeError)):
        smoothed_cross_entropy(logits, labels, 0.1)
    with pytest.raises(
        ValueError, match=r"one label for each position, \(2, 3\) of logits \(2, 3, 5\), but the labels are"
    ):
        training_losses(logits, labels, 0.1)


@pytest.mark.parametrize("share", [-0.1, 1.5, math.nan])
def test_a_smoothing_that_is_no_share_is_refused(share):
    with pytest.raises(
        ValueError, match=f"epsilon is the share that each label gives away, from 0 to 1, but is {share}"
    ):
        smoothed_cross_entropy(torch.zeros(1, 1, 3), torch.tensor([[1]]), share)
    with pytest.raises(ValueError, match="label_smoothing is the share"):
        smoothed_loss_floor(10, share)
    with pytest.raises(ValueError, match="vocabulary should be 1 or more, but is 0"):
        smoothed_loss_floor(0, 0.1)


@pytest.mark.parametrize(("warmup", "total"), [(2, 5), (9, 5), (5, 5)])
def test_the_cosine_schedule_stays_at_zero_after_its_end(warmup, total):
    assert [warmup_cosine(step, 1.0, warmup, total) for step in range(total + 1, total + 20)] == [0.0] * 19


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="there are no lists of ids to put into a batch"):
        pad_rows([], pad=0)
    with pytest.raises(ValueError, match="batch_tokens says how many ids a batch may hold, 1 or more, but is nan"):
        batches_by_length(REVERSED, math.nan, "0")


def test_a_checkpoint_that_cannot_be_resumed_is_refused_with_a_sentence_and_changes_nothing(tmp_path):
    path, model = tmp_path / "run.safetensors", new_model()
    train(model, TASK, FEW, device="cpu", checkpoint=path)
    whole, before = path.read_bytes(), weights(model)

    def refused(words, task=TASK, settings=FEW, model=model):
        with pytest.raises(CheckpointError, match=words) as caught:
            train(model, task, settings, device="cpu", checkpoint=path)
        assert str(path) in str(caught.value)
        assert same(weights(model), before) or model.config != SMALL

    refused("its learning_rate is 0.003, but here it is 0.001", settings=replace(FEW, learning_rate=0.001))
    refused("its seed is 0, but here it is 1", settings=replace(FEW, seed=1))
    refused("its pad is 0, but here it is 1", task=replace(TASK, pad=1))
    refused("its examples is", task=Task(REVERSED[1:], to_translate, pad=PAD))
    wide = TransformerConfig(vocabulary=9, d_model=18, heads=2, d_ff=32, layers=1)
    refused("its model.config.d_model is 16, but here it is 18", model=build_transformer(wide))
    for broken in (whole[:-100], whole[:50], b"", b"not a checkpoint at all", whole[:8] + b"{" * 100 + whole[108:]):
        path.write_bytes(broken)
        refused("is damaged or not a safetensors file")
    save_file({"a": torch.zeros(1)}, path)
    refused("this course did not write it")
    checkpoints.write(path, checkpoints.weights_of(model), {})
    refused("weights only")
    with pytest.raises(CheckpointError, match=r"another model: .* is \(.*\) there and \(.*\) here"):
        checkpoints.put_weights(build_transformer(wide), checkpoints.weights_of(model), path)
    deep = TransformerConfig(vocabulary=9, d_model=16, heads=2, d_ff=32, layers=2)
    with pytest.raises(CheckpointError, match=r"another model: only this model has decoder\.1"):
        checkpoints.put_weights(build_transformer(deep), checkpoints.weights_of(model), path)


def test_resuming_may_not_lengthen_a_cosine_schedule(tmp_path):
    path = tmp_path / "run.safetensors"
    cosine = replace(FEW, schedule="cosine", steps=4)
    train(new_model(), TASK, cosine, device="cpu", checkpoint=path)
    with pytest.raises(CheckpointError, match="its steps is 4, but here it is 8"):
        train(new_model(), TASK, replace(cosine, steps=8), device="cpu", checkpoint=path)


def test_a_failed_write_leaves_the_former_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "run.safetensors"
    checkpoints.write(path, {"a": torch.ones(2)}, {"say": "é"})
    former = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(path, {"a": torch.zeros(2)}, {})
    assert path.read_bytes() == former
    assert [file.name for file in path.parent.iterdir()] == ["run.safetensors"]
    tensors, note = checkpoints.read(path)
    assert tensors["a"].tolist() == [1, 1]
    assert note == {"say": "é"}


def test_checkpoints_are_written_at_the_given_interval(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    path, sizes = tmp_path / "run.safetensors", []

    def watched(model, source, target):
        sizes.append(len(checkpoints.read(path)[1]["history"]["loss"]) if path.exists() else 0)
        return to_translate(model, source, target)

    train(new_model(), Task(REVERSED, watched, pad=PAD), replace(FEW, steps=4), device="cpu", checkpoint=path)
    assert sizes == [0, 1, 2, 3]


def test_a_checkpoint_is_safetensors_with_a_readable_note(tmp_path):
    path = tmp_path / "run.safetensors"
    train(new_model(), TASK, replace(FEW, steps=2), device="cpu", checkpoint=path)
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    note = json.loads(header["__metadata__"]["note"])
    assert note["owner"]["learning_rate"] == 3e-3
    assert len(note["history"]["loss"]) == 2


def test_progress_shows_loss_speed_and_time_left_unless_it_is_off(capsys):
    train(new_model(), TASK, replace(FEW, steps=3), device="cpu")
    assert capsys.readouterr() == ("", "")
    train(new_model(), TASK, replace(FEW, steps=3, progress=True), device="cpu")
    shown = capsys.readouterr().err.split("\r")[-1]
    assert "100%" in shown
    assert "step 3, loss" in shown
    assert "tokens/s" in shown
    assert "<00:00" in shown


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_best_device_is_the_fastest_there_is(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == torch.device(best)


def test_train_picks_the_best_device_itself(monkeypatch):
    asked = []
    monkeypatch.setattr(training, "best_device", lambda: asked.append(1) or torch.device("cpu"))
    train(new_model(), TASK, replace(FEW, steps=1))
    assert asked == [1]


def test_histories_do_not_share_their_lists():
    first = History()
    first.add(1.0, 1.0, 1.0, 1.0, 1.0)
    assert History().steps == 0


def test_a_model_that_hides_another_id_than_that_of_the_padding_is_refused():
    # Its own default is 0; byte pairs have their special ids at the end of the vocabulary.
    with pytest.raises(ValueError, match="filled up with pad=8, but the model hides the id 0: give both the same id"):
        train(new_model(), replace(TASK, pad=8), FEW, device="cpu")
    task = Task(REVERSED, partial(translation, pad=8), pad=8)
    train(new_model(replace(SMALL, pad=8)), task, replace(FEW, steps=1), device="cpu")


def test_a_loss_and_a_rate_of_ones_own_train_as_the_built_in_ones_do():
    """The rate of 2017 and smoothing 0.1 by hand, against the loop's own schedule and torch's kernel."""
    d_model, warmup, epsilon = 16, 7, 0.2
    settings = replace(FEW, label_smoothing=epsilon, learning_rate=(d_model * warmup) ** -0.5, warmup=warmup)
    task = Task(REVERSED, to_translate, REVERSED[:9], pad=PAD)
    built_in, by_hand = new_model(), new_model()
    expected = train(built_in, task, settings, device="cpu")
    others = replace(FEW, label_smoothing=0.9, learning_rate=9.0, warmup=1)  # of these none counts
    found = train(
        by_hand,
        task,
        others,
        device="cpu",
        loss=partial(smoothed_cross_entropy, epsilon=epsilon),
        rate=lambda step: learning_rate(step, d_model, warmup),
    )
    assert found.learning_rate == pytest.approx(expected.learning_rate, rel=1e-12)
    for name in ("loss", "cross_entropy", "gradient_norm", "validation"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-3), name
    assert abs(found.loss[0] - found.cross_entropy[0]) > 0.003  # so the smoothing does count
    for name, weight in built_in.state_dict().items():
        torch.testing.assert_close(by_hand.state_dict()[name], weight, rtol=0, atol=1e-3)


def test_the_loss_alone_or_the_rate_alone_may_be_ones_own():
    assert train(new_model(), TASK, FEW, device="cpu", loss=cross_entropy).loss == pytest.approx(
        train(new_model(), TASK, replace(FEW, label_smoothing=0.0), device="cpu").loss, rel=1e-3
    )
    history = train(new_model(), TASK, FEW, device="cpu", rate=lambda step: torch.tensor(0.001 / step))
    assert history.learning_rate == pytest.approx([0.001 / step for step in range(1, 21)])
    assert abs(history.loss[0] - history.cross_entropy[0]) > 0.003


@pytest.mark.parametrize(
    ("own", "error", "words"),
    [
        ({"loss": 0.1}, TypeError, r"loss should be a function, but is 0\.1"),
        ({"rate": 0.1}, TypeError, r"rate should be a function, but is 0\.1"),
        ({"loss": lambda logits, labels: 2.5}, TypeError, r"tensor with one number, but gives 2\.5"),
        (
            {"loss": lambda logits, labels: logits.mean(dim=0)},
            ValueError,
            r"should be a single number, a mean, but its shape is \(\d+, 9\)",
        ),
        ({"loss": lambda logits, labels: logits.detach().mean()}, ValueError, "has no gradient, so nothing can be"),
        (
            {"loss": lambda logits, labels: logits.mean() * math.nan, "rate": lambda step: 0.1},
            FloatingPointError,
            "at step 1 the loss is nan, .*: try lower rates",
        ),
        (
            {"loss": lambda logits, labels: logits.mean() * math.nan},
            FloatingPointError,
            r"try a lower learning_rate than 0\.003",
        ),
        ({"rate": lambda step: -1 / step}, ValueError, r"from 0 on, but is -1\.0 at step 1"),
        ({"rate": lambda step: math.nan}, ValueError, "from 0 on, but is nan at step 1"),
        ({"rate": lambda step: math.inf}, ValueError, "from 0 on, but is inf at step 1"),
        ({"rate": lambda step: None}, TypeError, "should give a number, but gives None at step 1"),
    ],
)
def test_a_loss_or_a_rate_that_cannot_work_is_refused_and_the_weights_stay(own, error, words):
    model = new_model()
    before = weights(model)
    with pytest.raises(error, match=words):
        train(model, TASK, FEW, device="cpu", **own)
    assert same(weights(model), before)


def test_a_checkpoint_knows_the_loss_by_its_name_and_the_rate_by_its_values(tmp_path):
    path = tmp_path / "run.safetensors"
    own = {"loss": partial(smoothed_cross_entropy, epsilon=0.1), "rate": lambda step: 1e-3 / step}
    straight, resumed = new_model(), new_model()
    whole = train(straight, TASK, FEW, device="cpu", **own)
    train(resumed, TASK, replace(FEW, steps=7), device="cpu", checkpoint=path, **own)
    for changes, words in (
        (
            {"loss": partial(smoothed_cross_entropy, epsilon=0.2)},
            r"its loss is .*epsilon=0\.1.*, but here it is .*epsilon=0\.2",
        ),
        ({"loss": cross_entropy}, "but here it is 'cross_entropy'"),
        ({"rate": lambda step: 2e-3 / step}, r"its rate is \[0\.001, .*, but here it is \[0\.002"),
        ({"loss": None}, r"its label_smoothing is None, but here it is 0\.1"),
        ({"rate": None}, r"its learning_rate is None, but here it is 0\.003"),
    ):
        with pytest.raises(CheckpointError, match=words):
            train(resumed, TASK, FEW, device="cpu", checkpoint=path, **{**own, **changes})

    def same_rate(step):
        return 0.001 / step

    again = {**own, "rate": same_rate}
    history = train(resumed, TASK, replace(FEW, schedule="cosine"), device="cpu", checkpoint=path, **again)
    assert history.loss == whole.loss
    assert same(weights(resumed), weights(straight))


def test_a_training_that_has_to_be_finished_stops_what_comes_after_it():
    finished = History(loss=[1.0])
    assert finished.or_stop() is finished
    with pytest.raises(KeyboardInterrupt):
        History(loss=[1.0], interrupted=True).or_stop()


def test_a_history_says_how_the_training_went_and_whether_it_was_interrupted():
    history = History(loss=[9.0, 9.0, 2.0, 4.0])
    assert history.report(last=2) == "4 steps, loss 3.00 at the end."
    assert history.report() == "4 steps, loss 6.00 at the end."
    history.interrupted = True
    assert history.report(last=2).startswith("Interrupted after 4 steps, loss 3.00 at the end. The model has not fini")
    assert "No step was taken" in History(interrupted=True).report()
