"""One loop trains every model of the course: translator, language model, masked language model, classifier.

A `Task` says what to learn, `TrainingSettings` say how, and `train` does it. Built by hand in notebooks 06 and 07.
"""

import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.learning import checkpoints
from course_lib.learning.batches import Example, batches_by_length, collate
from course_lib.learning.losses import IGNORE, training_losses
from course_lib.learning.schedules import inverse_square_root, warmup_cosine

SECONDS_BETWEEN_CHECKPOINTS = 30

Objective = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Task:
    """What there is to learn.

    Args:
        examples: to learn from. Each is a tuple of lists of ids: source and target for a translator, one text for a
            language model.
        objective: what is to be predicted, such as `next_token`. It takes the model and a tensor (B, longest) for each
            list of an example, and returns logits (..., V) and labels (...).
        validation: examples to measure the loss on, after each epoch and at the end. Nothing is learned from them.
        pad: the id that fills up the shorter lists of a batch, such as `tokenizer.pad`; None where all have the same
            length. The objective is told of it separately: `partial(translation, pad=tokenizer.pad)`.
    """

    examples: Sequence[Example]
    objective: Objective
    validation: Sequence[Example] = ()
    pad: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How to learn. Training ends at whichever of `steps`, `epochs` and `seconds` comes first.

    The defaults are close to those of 2017 (section 5). Raises ValueError for settings that cannot work.
    """

    steps: int | None = None  # updates of the weights
    epochs: int | None = None  # passes over the examples
    seconds: float | None = None  # of this call
    learning_rate: float = 1e-3  # its highest value
    schedule: Literal["inverse_square_root", "cosine"] = "inverse_square_root"
    warmup: int = 100  # steps until the learning rate is highest
    batch_tokens: int = 4096  # most ids in a batch, padding and all lists of an example counted
    label_smoothing: float = 0.1  # 2017's; 0 for a language model
    clip: float = 1.0  # longest gradient; Pascanu et al. 2013, arXiv:1211.5063
    betas: tuple[float, float] = (0.9, 0.98)  # how long Adam remembers gradients and their squares
    weight_decay: float = 0.0  # of the matrices; Loshchilov and Hutter 2019, arXiv:1711.05101
    seed: int = 0  # of the order of batches, and of dropout
    progress: bool = True  # show a bar

    def __post_init__(self) -> None:
        limits = {name: getattr(self, name) for name in ("steps", "epochs", "seconds")}
        if all(limit is None for limit in limits.values()):
            raise ValueError("say when to stop: steps=, epochs= or seconds=")
        if self.schedule not in ("inverse_square_root", "cosine"):
            raise ValueError(f"schedule should be 'inverse_square_root' or 'cosine', but is {self.schedule!r}")
        if self.schedule == "cosine" and self.steps is None and self.epochs is None:
            raise ValueError("a cosine must know where it ends: give steps= or epochs= as well")
        for name, value in {**limits, **{name: getattr(self, name) for name in ("learning_rate", "clip")}}.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} should be more than 0, but is {value}")
        if self.warmup < 0 or self.batch_tokens < 1 or not 0 <= self.label_smoothing < 1:
            raise ValueError(
                "warmup should be 0 or more, batch_tokens 1 or more, label_smoothing from 0 to below 1, but they are "
                f"{self.warmup}, {self.batch_tokens}, {self.label_smoothing}"
            )


@dataclass
class History:
    """What happened in training: lists with one number for each step, to plot."""

    loss: list[float] = field(default_factory=list)  # what training lowers: smoothed, in nats
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
    """Measure the plain cross-entropy of the task's validation examples, in nats per label, without dropout."""
    total, count = 0.0, 0
    with evaluating(model):
        for batch in batches_by_length(task.validation, batch_tokens, shuffle_seed=""):
            logits, labels = task.objective(model, *collate([task.validation[i] for i in batch], task.pad, device))
            labels_here = int((labels != IGNORE).sum())
            total += training_losses(logits, labels, label_smoothing=0.0)[0].item() * labels_here
            count += labels_here
    return total / max(count, 1)


def train(
    model: nn.Module,
    task: Task,
    settings: TrainingSettings,
    *,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
) -> History:
    """Learn from examples until the settings say stop, or you do.

    Interrupting (Ctrl-C, Jupyter's ■) keeps what was learned. The same seed gives the same weights on the same machine
    with the same number of threads; torch's own random state is left as it was. Afterwards the model is on the device
    and ready for use (`model.eval()`).

    Args:
        model: what learns; its weights are changed.
        task: what there is to learn.
        settings: how, and when to stop.
        device: "cpu", "cuda", "mps"; None: the best there is.
        checkpoint: a file that keeps the state of the training, written every half minute and at the end. Where it
            exists already, training continues from it, to the same weights as if it had never stopped.

    Returns the history; with a checkpoint, from the very first step on.

    Raises:
        FloatingPointError: the loss or the gradient is not a number any more. The weights are those before that step.
        CheckpointError: the checkpoint is damaged, or belongs to another model, other examples or other settings.
        ValueError: there are no examples.
    """
    if not task.examples:
        raise ValueError("there is nothing to learn: the task has no examples")
    chosen = best_device() if device is None else torch.device(device)
    training = _Training(model.to(chosen), task, settings, chosen, None if checkpoint is None else Path(checkpoint))
    with _progress_bar(settings.progress) as bar, torch.random.fork_rng([chosen] if chosen.type == "cuda" else []):
        try:
            for examples in training.batches():
                if training.share_done() >= 1:
                    break
                training.step(examples)
                bar.set_postfix_str(training.summary(), refresh=False)
                bar.update(training.share_done() - bar.n)
                if training.ended_an_epoch():
                    training.validate()
                training.save_now_and_then()
            training.validate()
        except KeyboardInterrupt:
            training.history.interrupted = True
    model.eval()
    training.save()
    return training.history


class _Training:
    """A training under way: what `train` was given, the optimizer, and what has happened so far."""

    def __init__(
        self, model: nn.Module, task: Task, settings: TrainingSettings, device: torch.device, checkpoint: Path | None
    ) -> None:
        self.model, self.task, self.settings, self.device, self.checkpoint = model, task, settings, device, checkpoint
        self.optimizer = _make_optimizer(model, settings)
        self.owner = _owner(task, settings) if checkpoint else {}
        self.history = History()
        if checkpoint and checkpoint.exists():
            before = checkpoints.read_training(checkpoint, model, self.optimizer, self.owner)
            self.history = History(**{**before, "interrupted": False})
        self.steps_per_epoch = len(_batches_of_epoch(0, task, settings))
        self.last_step = _last_step(settings, self.steps_per_epoch)
        self.began = self.saved = time.monotonic()

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
        of_time = (time.monotonic() - self.began) / self.settings.seconds if self.settings.seconds else 0.0
        return min(max(of_steps, of_time), 1.0)

    def ended_an_epoch(self) -> bool:
        """Say whether the last step was the last one of an epoch."""
        return self.history.steps % self.steps_per_epoch == 0

    def step(self, examples: list[Example]) -> None:
        """Update the weights once, and write down what happened."""
        started = time.monotonic()
        self._set_seed()
        loss, plain, norm = self._compute_gradients(examples)
        rate = _learning_rate(self.history.steps + 1, self.settings, self.last_step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with _no_interruption():
            self.optimizer.step()
            tokens = sum(len(ids) for example in examples for ids in example)
            speed = tokens / (time.monotonic() - started)
            self.history.add(loss.item(), plain.item(), rate, norm.item(), speed)

    def _set_seed(self) -> None:
        """Let a step's dropout depend on its number alone, so that a checkpoint needs no state of the generator."""
        seed = self.settings.seed * 1_000_003 + self.history.steps
        if self.device.type == "cpu":
            # `torch.manual_seed` seeds the GPUs too, and takes half a millisecond even where there are none.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def _compute_gradients(self, examples: list[Example]) -> tuple[Tensor, Tensor, Tensor]:
        """Run the model forwards and backwards.

        Returns the loss, the same without label smoothing, and the length of the gradient before clipping.
        """
        self.model.train()
        logits, labels = self.task.objective(self.model, *collate(examples, self.task.pad, self.device))
        loss, plain = training_losses(logits, labels, self.settings.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        if not (loss + norm).isfinite():
            raise FloatingPointError(
                f"at step {self.history.steps + 1} the loss is {loss.item()}, the gradient's length {norm.item()}: "
                f"try a lower learning_rate than {self.settings.learning_rate}, or a longer warmup"
            )
        return loss, plain, norm

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
        """Write the checkpoint, if there is one."""
        if self.checkpoint:
            history = asdict(self.history)
            checkpoints.write_training(self.checkpoint, self.model, self.optimizer, self.owner, history)
        self.saved = time.monotonic()


def _progress_bar(shown: bool) -> "tqdm[None]":
    parts = "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    return tqdm(total=1.0, bar_format=parts, disable=not shown)


def _make_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) with weight decay on matrices only, not on biases and norms."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    fused = parameters[0].device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, betas=settings.betas, eps=1e-9, fused=fused)


def _learning_rate(step: int, settings: TrainingSettings, total: int | None) -> float:
    if settings.schedule == "cosine" and total is not None:
        return warmup_cosine(step, settings.learning_rate, settings.warmup, total)
    return inverse_square_root(step, settings.learning_rate, settings.warmup)


def _last_step(settings: TrainingSettings, steps_per_epoch: int) -> int | None:
    """Give the number of the step after which training ends; None where only time ends it."""
    of_epochs = None if settings.epochs is None else settings.epochs * steps_per_epoch
    return min((limit for limit in (settings.steps, of_epochs) if limit is not None), default=None)


def _batches_of_epoch(epoch: int, task: Task, settings: TrainingSettings) -> list[list[int]]:
    return batches_by_length(task.examples, settings.batch_tokens, f"{settings.seed}/{epoch}")


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done, so that no step is only half taken."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    held: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if held:
        raise KeyboardInterrupt


def fingerprint(examples: Sequence[Sequence[Sequence[int | str]]]) -> str:
    """Give examples, of ids or of words, a short name that changes whenever they do."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps([list(part) for part in example]).encode())
    return digest.hexdigest()[:16]


def _owner(task: Task, settings: TrainingSettings) -> dict[str, Any]:
    """List what must stay the same for a checkpoint to be continued to the same result."""
    free = {"progress", "seconds"} if settings.schedule == "cosine" else {"progress", "seconds", "steps", "epochs"}
    fixed = {name: value for name, value in asdict(settings).items() if name not in free}
    return {**fixed, "betas": list(settings.betas), "examples": fingerprint(task.examples), "pad": task.pad}
