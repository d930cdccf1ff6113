"""One loop trains every model of the course: translator, language model, masked language model, classifier.

A `Task` says what to learn, `TrainingSettings` say how, and `train` does it. Built by hand in notebook 06.
"""

import hashlib
import json
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.data.places import place
from course_lib.learning import checkpoints, parallel
from course_lib.learning.batches import Example, batches_by_length, check_examples, collate
from course_lib.learning.descriptions import describe_function, describe_model
from course_lib.learning.losses import IGNORE, training_losses
from course_lib.learning.schedules import inverse_square_root, warmup_cosine, warmup_stable_decay

SECONDS_BETWEEN_CHECKPOINTS = 30
NO_LABEL = "no label of the {} counts, since all of them are IGNORE: do they consist of padding only?"

Objective = Callable[..., tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits (B, T, V) and labels (B, T), of which those that equal `IGNORE` do not count, to a scalar."""
Rate = Callable[[int], float]
"""From the number of a step, counted from 1, to its learning rate."""
Clock = Callable[[], float]
"""Tells the seconds since some moment."""
Group = dict[str, Any]
"""Weights that learn under "params", and their highest rate under "lr", as `heads.parameter_groups` gives them."""
SCHEDULES = ("inverse_square_root", "cosine", "warmup_stable_decay")
RATES_ON_RECORD = (1, 2, 5, 10, 100, 1_000, 10_000)  # the steps by which a checkpoint knows a learner's rate


@dataclass(frozen=True)
class Task:
    """What there is to learn.

    Args:
        examples: to learn from. Each is a tuple of lists of ids: source and target for a translator, one text for a
            language model.
        objective: what is to be predicted, such as `next_token`. It takes the model and a tensor (B, longest) for each
            list of an example, and returns logits (..., V) and labels (...).
        validation: examples to measure the loss on, at the end, and after each epoch or every `validate_every` steps.
            Nothing is learned from them.
        pad: the id that fills up the shorter lists of a batch, such as `tokenizer.pad`; None where all have the same
            length. The objective is told of it separately: `partial(translation, pad=tokenizer.pad)`.

    Raises TypeError or ValueError for examples that are no lists of ids.
    """

    examples: Sequence[Example]
    objective: Objective
    validation: Sequence[Example] = ()
    pad: int | None = None

    def __post_init__(self) -> None:
        check_examples(self.examples, "examples")
        check_examples(self.validation, "validation")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How to learn. Training ends at whichever of `steps`, `epochs` and `seconds` comes first.

    The defaults are close to those of 2017 (section 5). Raises ValueError for settings that cannot work.
    """

    steps: int | None = None  # updates of the weights
    epochs: int | None = None  # passes over the examples
    seconds: float | None = None  # of this call
    learning_rate: float = 1e-3  # its highest value
    schedule: Literal["inverse_square_root", "cosine", "warmup_stable_decay"] = "inverse_square_root"
    warmup: int = 100  # steps until the learning rate is highest
    decay: float = 0.3  # share of the training, at its end, over which "warmup_stable_decay" falls to 0
    batch_tokens: int = 4096  # most ids in a batch, padding and all lists of an example counted
    label_smoothing: float = 0.1  # 2017's; 0 for a language model
    clip: float = 1.0  # longest gradient; Pascanu et al. 2013, arXiv:1211.5063
    betas: tuple[float, float] = (0.9, 0.98)  # how long Adam remembers gradients and their squares
    weight_decay: float = 0.0  # of the matrices; Loshchilov and Hutter 2019, arXiv:1711.05101
    seed: int = 0  # of the order of batches, and of dropout
    validate_every: int | None = None  # steps from one measurement on the validation examples to the next; None: epochs
    bfloat16: bool = False  # compute the model's products with 8 significant bits, if `has_fast_bfloat16`
    progress: bool = True  # show a bar

    def __post_init__(self) -> None:
        limits = {name: getattr(self, name) for name in ("steps", "epochs", "seconds")}
        if all(limit is None for limit in limits.values()):
            raise ValueError("say when to stop: steps=, epochs= or seconds=")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule should be one of {SCHEDULES}, but is {self.schedule!r}")
        if self.schedule == "cosine" and self.steps is None and self.epochs is None:
            raise ValueError("a cosine must know where it ends: give steps= or epochs= as well")
        for name in ("steps", "epochs", "warmup", "batch_tokens", "seed", "validate_every"):
            value = getattr(self, name)
            if value is not None and not hasattr(value, "__index__"):
                raise TypeError(f"{name} should be a whole number, but is {value!r}")
        for name, value in {
            **limits,
            **{name: getattr(self, name) for name in ("learning_rate", "clip", "validate_every")},
        }.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} should be more than 0, but is {value}")
        if math.inf in (self.learning_rate, self.seconds):
            raise ValueError(f"learning_rate={self.learning_rate} and seconds={self.seconds} should be finite")
        if self.warmup < 0 or self.batch_tokens < 1 or not 0 <= self.label_smoothing < 1:
            raise ValueError(
                "warmup should be 0 or more, batch_tokens 1 or more, label_smoothing from 0 to below 1, but they are "
                f"{self.warmup}, {self.batch_tokens}, {self.label_smoothing}"
            )
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay is a share of the training, from 0 to 1, but is {self.decay}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas should be two numbers, each from 0 to below 1, but are {self.betas}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay should be 0 or more, but is {self.weight_decay}")


@dataclass
class History:
    """What happened in training: lists with one number for each step, to plot."""

    loss: list[float] = field(default_factory=list)  # what training lowers: smoothed, in nats, or a loss of your own
    cross_entropy: list[float] = field(default_factory=list)  # the same without smoothing; its floor is 0
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)  # before clipping
    tokens_per_second: list[float] = field(default_factory=list)  # ids read, padding not counted
    validation: list[float] = field(default_factory=list)  # plain cross-entropy of the task's validation examples …
    validation_steps: list[int] = field(default_factory=list)  # … after so many steps
    interrupted: bool = False  # whether it was stopped before its end

    @property
    def steps(self) -> int:
        """How often the weights were updated."""
        return len(self.loss)

    def report(self, last: int = 20) -> str:
        """Say in a sentence how it went: how many steps, whether it was interrupted, and the loss of the last ones."""
        if not self.loss:
            return "No step was taken: the training was interrupted before. Run the cell again."
        recent = self.loss[-last:]
        steps = f"{self.steps} steps, loss {sum(recent) / len(recent):.2f} at the end"
        if self.interrupted:
            return f"Interrupted after {steps}. The model has not finished learning: run the cell again to train it."
        return f"{steps}."

    def or_stop(self) -> "History":
        """Give this history, or raise KeyboardInterrupt if the training was stopped before its end.

        For a model that is of no use half trained: `train(...).or_stop()` then stops what comes after it as well.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        return self

    def add(self, loss: float, cross_entropy: float, learning_rate: float, gradient_norm: float, speed: float) -> None:
        """Write down one step."""
        self.cross_entropy.append(cross_entropy)
        self.learning_rate.append(learning_rate)
        self.gradient_norm.append(gradient_norm)
        self.tokens_per_second.append(speed)
        self.loss.append(loss)


def best_device() -> torch.device:
    """Give the fastest device there is: an NVIDIA GPU, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def has_fast_bfloat16(device: torch.device) -> bool:
    """Say whether a device computes in bfloat16 about as fast as in float32, or faster.

    A processor that has no instructions for it takes some sixty times as long (measured on one with AVX2).
    """
    if device.type != "cpu":
        return True
    has_mkldnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_mkldnn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch off dropout and gradients while the block runs, and put the model's mode back afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def evaluate(model: nn.Module, task: Task, batch_tokens: int = 4096, device: torch.device | None = None) -> float:
    """Measure the plain cross-entropy of the task's validation examples, in nats per label, without dropout.

    Raises ValueError where the task has no validation examples, or where no label of theirs counts.
    """
    if not len(task.validation):
        raise ValueError("there is nothing to measure: the task has no validation examples")
    total, count = 0.0, 0
    with evaluating(model):
        for batch in batches_by_length(task.validation, batch_tokens, shuffle_seed=""):
            logits, labels = task.objective(model, *collate([task.validation[i] for i in batch], task.pad, device))
            labels_here = int((labels != IGNORE).sum())
            total += training_losses(logits, labels, label_smoothing=0.0)[0].item() * labels_here
            count += labels_here
    if count == 0:
        raise ValueError(NO_LABEL.format("validation examples"))
    return total / count


def _check_padding(model: nn.Module, pad: int | None) -> None:
    """Refuse a model that would read the padding as words, because it hides another id."""
    ids = (getattr(each, "pad", None) for each in model.modules())
    hidden = {each for each in ids if isinstance(each, int)}
    if pad is not None and hidden and pad not in hidden:
        raise ValueError(
            f"the batches are filled up with pad={pad}, but the model hides the id {min(hidden)}: give both the same "
            "id, such as pad=tokenizer.pad"
        )


def train(
    model: nn.Module,
    task: Task,
    settings: TrainingSettings,
    *,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    loss: Loss | None = None,
    rate: Rate | None = None,
    groups: Sequence[Group] | None = None,
    stop: Callable[["History"], bool] | None = None,
    clock: Clock = time.monotonic,
) -> History:
    """Learn from examples until the settings say stop, or you do.

    Interrupting (Ctrl-C, Jupyter's ■) keeps what was learned. If the checkpoint cannot be written, because the disk is
    full for instance, a warning says so, and the training continues. The same seed gives the same weights on the same
    machine with the same number of threads; torch's own random state is left as it was. Afterwards the model is on the
    device and ready for use (`model.eval()`).

    Args:
        model: what learns; its weights are changed.
        task: what there is to learn.
        settings: how, and when to stop.
        device: "cpu", "cuda", "mps"; None: the best there is.
        checkpoint: a file that keeps the state of the training, written every half minute and at the end. Where it
            exists already, training continues from it, to the same weights as if it had never stopped. A relative path
            starts in the course's folder, and `~` is your home folder.
        loss: what is to be lowered, such as `partial(smoothed_cross_entropy, epsilon=0.1)`; the settings'
            `label_smoothing` then plays no part. None: the course's own. Validation always measures the plain
            cross-entropy. A checkpoint knows a loss by its name and the arguments that a `partial` fixes.
        rate: the learning rate of each step, such as `lambda step: learning_rate(step, 64, 100)`; the settings'
            `learning_rate`, `schedule` and `warmup` then play no part. None: the settings'.
        groups: what learns, and how fast: groups of weights, each with a highest rate of its own. All rates rise and
            fall together, and the history has that of the fastest group. None: all weights, at the settings'.
        stop: asked after each measurement on the validation examples; where it returns True, training ends.
        clock: what the settings' `seconds` are read from. `time.process_time` counts this process's work alone, so that
            two models get the same time whatever else the computer does.

    Returns the history; with a checkpoint, from the very first step on.

    Raises:
        FloatingPointError: the loss or the gradient is not a number any more. The weights are those before that step.
        CheckpointError: the checkpoint is damaged, or belongs to another model, another objective, other examples or
            other settings.
        ValueError: there are no examples, no label of theirs counts, the model has no weights that can be learned, or
            it hides another id than the one that fills up the batches; the loss is no scalar with a gradient, or the
            rate no number from 0 on; or a rate of one's own comes beside groups.
        TypeError: the loss or the rate is no function, or gives something that is no number.
    """
    for name, function in (("loss", loss), ("rate", rate)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} should be a function, but is {function!r}")
    if not len(task.examples):
        raise ValueError("there is nothing to learn: the task has no examples")
    if groups is not None and rate is not None:
        raise ValueError("the groups have rates of their own: give groups= or rate=, not both")
    learning = model.parameters() if groups is None else (each for group in groups for each in group["params"])
    if not any(parameter.requires_grad for parameter in learning):
        raise ValueError("there is nothing to learn: the model has no weights, or all are frozen: requires_grad=False")
    chosen = best_device() if device is None else torch.device(device)
    file = None if checkpoint is None else place(checkpoint)
    with _interruption_held_back() as interruption:
        training = _Training(model.to(chosen), task, settings, chosen, file, loss, rate, groups, clock)
    _check_padding(model, task.pad)
    with (
        _progress_bar(settings.progress and parallel.number() == 0) as bar,
        torch.random.fork_rng([chosen] if chosen.type == "cuda" else []),
    ):
        try:
            if interruption:
                raise KeyboardInterrupt
            for examples in training.batches():
                if training.share_done() >= 1:
                    break
                training.step(examples)
                bar.set_postfix_str(training.summary(), refresh=False)
                bar.update(training.share_done() - bar.n)
                if training.ended_an_epoch():
                    training.check_labels()
                if training.should_validate():
                    training.validate()
                    if stop is not None and task.validation and stop(training.history):
                        break
                training.save_now_and_then()
            training.check_labels()
            training.validate()
        except KeyboardInterrupt:
            training.history.interrupted = True
    model.eval()
    with _interruption_held_back():
        training.save()
    return training.history


class _Training:
    """A training under way: what `train` was given, the optimizer, and what has happened so far."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        settings: TrainingSettings,
        device: torch.device,
        checkpoint: Path | None,
        loss: Loss | None,
        rate: Rate | None,
        groups: Sequence[Group] | None,
        clock: Clock,
    ) -> None:
        self.model, self.task, self.settings, self.device, self.checkpoint = model, task, settings, device, checkpoint
        self.loss, self.rate, self.clock = loss, rate, clock
        self.joined = parallel.joined(model)
        self.bfloat16 = settings.bfloat16 and has_fast_bfloat16(device)
        if settings.bfloat16 and not self.bfloat16:
            warnings.warn(
                "This processor would compute in bfloat16 many times more slowly than in float32, so the training uses "
                "float32.",
                stacklevel=3,
            )
        self.owner = _owner(model, task, settings, loss, rate, groups) if checkpoint else {}
        if groups is None:
            groups = [{"params": list(model.parameters()), "lr": settings.learning_rate}]
        self.fastest = max(group["lr"] for group in groups)  # the highest rate of all
        self.optimizer = _make_optimizer(groups, self.fastest, settings)
        self.history = History()
        self.labels_seen: Tensor | int = 0  # by this call
        self.warned = False  # that the checkpoint cannot be written
        if checkpoint and checkpoint.exists():
            before = checkpoints.read_training(checkpoint, model, self.optimizer, self.owner)
            self.history = History(**{**before, "interrupted": False})
        if parallel.furthest(self.history.steps) != self.history.steps:
            raise checkpoints.CheckpointError(
                f"the processes do not find the same checkpoint at {checkpoint}: put it on a disk that all share"
            )
        self.steps_per_epoch = len(_batches_of_epoch(0, task, settings))
        self.last_step = _last_step(settings, self.steps_per_epoch)
        self.began, self.saved = clock(), time.monotonic()

    def batches(self) -> Iterator[list[Example]]:
        """Give the batches that are still to come, epoch after epoch, without end."""
        epoch, done = divmod(self.history.steps, self.steps_per_epoch)
        while True:
            for batch in _batches_of_epoch(epoch, self.task, self.settings)[done:]:
                yield [self.task.examples[i] for i in batch]
            epoch, done = epoch + 1, 0

    def share_done(self) -> float:
        """Give the share of the training that is done, from 0 to 1: of its steps or of its time, the larger one."""
        of_steps = self.history.steps / self.last_step if self.last_step else 0.0
        of_time = (self.clock() - self.began) / self.settings.seconds if self.settings.seconds else 0.0
        of_time = parallel.furthest(of_time) if self.settings.seconds else of_time
        return min(max(of_steps, of_time), 1.0)

    def ended_an_epoch(self) -> bool:
        """Say whether the last step was the last one of an epoch."""
        return self.history.steps % self.steps_per_epoch == 0

    def should_validate(self) -> bool:
        """Say whether the validation examples are to be measured after the last step."""
        every = self.settings.validate_every
        return self.ended_an_epoch() if every is None else self.history.steps % every == 0

    def step(self, examples: list[Example]) -> None:
        """Update the weights once, and write down what happened."""
        started = time.monotonic()
        self._set_seed()
        loss, plain, norm = self._compute_gradients(examples)
        step = self.history.steps + 1
        if self.rate is None:
            rate = _learning_rate(step, self.settings, self.fastest, self.last_step, self.share_done())
        else:
            rate = _checked_rate(self.rate, step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with _no_interruption():
            self.optimizer.step()
            tokens = sum(len(ids) for example in examples for ids in example)
            speed = tokens / (time.monotonic() - started)
            self.history.add(loss.item(), plain.item(), rate, norm.item(), speed)

    def _set_seed(self) -> None:
        """Let a step's dropout depend on its number alone, so that a checkpoint needs no state of the generator."""
        seed = self.settings.seed * 1_000_003 + self.history.steps + parallel.number() * 1_000_000_007
        if self.device.type == "cpu":
            # `torch.manual_seed` seeds the GPUs too, and takes half a millisecond even where there are none.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def _compute_gradients(self, examples: list[Example]) -> tuple[Tensor, Tensor, Tensor]:
        """Run the model forwards and backwards.

        Returns the loss, the same without label smoothing, and the length of the gradient before clipping. Where
        several processes train, each reads its share of the examples, and the loss is the mean over all their labels.
        """
        self.model.train()
        share = parallel.own_share(examples)
        # A process without a share takes part with an example that does not count.
        ids = collate(share or examples[:1], self.task.pad, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits, labels = self.task.objective(self.joined, *ids)
        if self.bfloat16:
            logits = logits.float()
        if self.loss is None:
            loss, plain = training_losses(logits, labels, self.settings.label_smoothing)
        else:
            plain, _ = training_losses(logits.detach(), labels, label_smoothing=0.0)
            loss = _checked_loss(self.loss(logits, labels))
        labels_here = (labels != IGNORE).sum() * bool(share)
        labels_of_all = parallel.total(labels_here)
        self.labels_seen = self.labels_seen + labels_of_all
        self.optimizer.zero_grad()
        if parallel.count() > 1:
            weight = labels_here.to(loss.dtype) / labels_of_all.clamp(min=1).to(loss.dtype)
            # DistributedDataParallel divides by the number of processes.
            (loss * weight * parallel.count()).backward()  # type: ignore[no-untyped-call]
            loss, plain = parallel.total(loss * weight), parallel.total(plain * weight)
        else:
            loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        if not (loss + norm).isfinite():
            of_settings = f"a lower learning_rate than {self.settings.learning_rate}, or a longer warmup"
            raise FloatingPointError(
                f"at step {self.history.steps + 1} the loss is {loss.item()}, the gradient's length {norm.item()}: "
                f"try {'lower rates' if self.rate else of_settings}"
            )
        return loss, plain, norm

    def check_labels(self) -> None:
        """Refuse to go on where no label has counted so far: the loss of nothing is 0, and nothing is learned."""
        if self.history.steps and isinstance(self.labels_seen, Tensor) and not self.labels_seen:
            raise ValueError(NO_LABEL.format("examples"))

    def validate(self) -> None:
        """Measure the loss on the validation examples, where there are any, once for each number of steps."""
        if self.task.validation and self.history.steps not in self.history.validation_steps:
            loss = evaluate(self.model, self.task, self.settings.batch_tokens, self.device)
            self.history.validation.append(loss)
            self.history.validation_steps.append(self.history.steps)

    def summary(self) -> str:
        """Say in a few words where the training is."""
        loss, speed = self.history.loss[-1], self.history.tokens_per_second[-1]
        return f"step {self.history.steps}, loss {loss:.3f}, {speed:,.0f} tokens/s"

    def save_now_and_then(self) -> None:
        """Write the checkpoint, if there is one and the last time is long ago."""
        if time.monotonic() - self.saved > SECONDS_BETWEEN_CHECKPOINTS:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, if there is one. Warn once where that fails: nothing that was learned is lost."""
        if self.checkpoint and parallel.number() == 0:
            history = asdict(self.history)
            try:
                checkpoints.write_training(self.checkpoint, self.model, self.optimizer, self.owner, history)
                self.warned = False
            except OSError as error:
                if not self.warned:
                    warnings.warn(
                        f"After step {self.history.steps} the checkpoint {self.checkpoint} could not be written "
                        f"({error.strerror or error}). The model and the history are not affected.",
                        stacklevel=3,
                    )
                self.warned = True
        self.saved = time.monotonic()


def _progress_bar(shown: bool) -> "tqdm[None]":
    parts = "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    return tqdm(total=1.0, bar_format=parts, disable=not shown)


def _make_optimizer(groups: Sequence[Group], fastest: float, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) with weight decay on matrices only, not on biases and norms.

    Each of its groups has under "share" how fast it learns, as a share of the fastest.
    """
    of_adam: list[Group] = []
    for group in groups:
        learning, share = [p for p in group["params"] if p.requires_grad], group["lr"] / fastest
        matrices, others = [p for p in learning if p.dim() >= 2], [p for p in learning if p.dim() < 2]
        of_adam.append({"params": matrices, "weight_decay": settings.weight_decay, "share": share})
        of_adam.append({"params": others, "weight_decay": 0.0, "share": share})
    device = next(p.device for group in of_adam for p in group["params"])
    return torch.optim.AdamW(of_adam, betas=settings.betas, eps=1e-9, fused=device.type in ("cpu", "cuda"))


def _learning_rate(step: int, settings: TrainingSettings, peak: float, total: int | None, share: float) -> float:
    if settings.schedule == "warmup_stable_decay":
        return warmup_stable_decay(step, peak, settings.warmup, share, settings.decay)
    if settings.schedule == "cosine" and total is not None:
        return warmup_cosine(step, peak, settings.warmup, total)
    return inverse_square_root(step, peak, settings.warmup)


def _checked_rate(rate: Rate, step: int) -> float:
    """Give the learner's rate at a step, or refuse it with a sentence."""
    value = rate(step)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"rate(step) should give a number, but gives {value!r} at step {step}") from None
    if not 0 <= number < math.inf:
        raise ValueError(f"rate(step) should be a finite number from 0 on, but is {number} at step {step}")
    return number


def _checked_loss(loss: Any) -> Tensor:
    """Give the learner's loss, or refuse it with a sentence if no gradient can be computed from it."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"loss(logits, labels) should give a tensor with one number, but gives {loss!r}")
    if loss.dim() > 0:
        shape = tuple(loss.shape)
        raise ValueError(f"loss(logits, labels) should be a single number, a mean, but its shape is {shape}")
    if not loss.requires_grad:
        raise ValueError(
            "loss(logits, labels) has no gradient, so nothing can be learned from it: compute it from the logits, "
            "without .item(), .detach() or argmax"
        )
    return loss


def _last_step(settings: TrainingSettings, steps_per_epoch: int) -> int | None:
    """Give the number of the step after which training ends; None where only time ends it."""
    of_epochs = None if settings.epochs is None else settings.epochs * steps_per_epoch
    return min((limit for limit in (settings.steps, of_epochs) if limit is not None), default=None)


def _batches_of_epoch(epoch: int, task: Task, settings: TrainingSettings) -> list[list[int]]:
    return batches_by_length(task.examples, settings.batch_tokens, f"{settings.seed}/{epoch}")


@contextmanager
def _interruption_held_back() -> Iterator[list[int]]:
    """Hold Ctrl-C back until the block is done. Yields a list that is empty as long as nobody pressed it."""
    held: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield held  # only the main thread is ever interrupted
        return
    former = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done, so that no step is only half taken, and then let it through."""
    with _interruption_held_back() as interruption:
        yield
    if interruption:
        raise KeyboardInterrupt


def fingerprint(examples: Sequence[Sequence[Sequence[int | str]]]) -> str:
    """Give examples, of ids or of words, a short name that changes whenever they do."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps([list(part) for part in example]).encode())
    return digest.hexdigest()[:16]


def _owner(
    model: nn.Module,
    task: Task,
    settings: TrainingSettings,
    loss: Loss | None,
    rate: Rate | None,
    groups: Sequence[Group] | None,
) -> dict[str, Any]:
    """List what must stay the same for a checkpoint to be continued to the same result."""
    of_model = {f"model.{name}": value for name, value in describe_model(model).items()}
    knows_its_end = settings.schedule != "inverse_square_root" and rate is None
    free = {"progress", "seconds", "validate_every"}
    if not knows_its_end:
        free |= {"steps", "epochs"}
    own: dict[str, Any] = {}
    if loss is not None:
        free |= {"label_smoothing"}
        own["loss"] = describe_function(loss)
    if rate is not None:
        free |= {"learning_rate", "schedule", "warmup"}
        own["rate"] = [_checked_rate(rate, step) for step in RATES_ON_RECORD]
    if groups is not None:
        free |= {"learning_rate"}
        own["groups"] = [[group["lr"], sum(each.numel() for each in group["params"])] for group in groups]
    fixed = {name: value for name, value in asdict(settings).items() if name not in free}
    of_task = {
        "objective": describe_function(task.objective),
        "examples": fingerprint(task.examples),
        "pad": task.pad,
    }
    return {**of_model, **fixed, **own, "betas": list(settings.betas), **of_task}
