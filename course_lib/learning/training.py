"""One loop trains every model of the course: translator, language model, masked language model, classifier.

A `Task` says what to learn, `TrainingSettings` say how, and `train` does it. Built by hand in notebooks 06 and 07.
"""

import hashlib
import itertools
import json
import math
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
from course_lib.learning.losses import IGNORE, cross_entropy

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


def inverse_square_root(step: int, peak: float, warmup: int) -> float:
    """The learning rate of 2017: up in a line for `warmup` steps, then down with the root of the step.

        peak · min(step / warmup, √(warmup / step))

    Steps count from 1. With peak = (d_model · warmup)^-0.5 this is Vaswani et al. 2017, section 5.3, eq. 3.

    >>> round(inverse_square_root(4000, peak=(512 * 4000) ** -0.5, warmup=4000), 6)
    0.000699
    """
    return peak * min(step / max(warmup, 1), math.sqrt(max(warmup, 1) / step))


def warmup_cosine(step: int, peak: float, warmup: int, total: int) -> float:
    """The learning rate of GPT: up in a line for `warmup` steps, then down half a cosine, to 0 after step `total`.

    Steps count from 1. Radford et al. 2018, section 4.1.
    """
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + math.cos(math.pi * (step - warmup) / (total + 1 - warmup))) / 2


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How to learn. Training ends at whichever of `steps`, `epochs` and `seconds` comes first.

    The defaults are near 2017's (section 5). Raises ValueError for settings that cannot work.
    """

    steps: int | None = None  # updates of the weights
    epochs: int | None = None  # times through the examples
    seconds: float | None = None  # of this call
    learning_rate: float = 1e-3  # its highest value
    schedule: Literal["inverse_square_root", "cosine"] = "inverse_square_root"
    warmup: int = 100  # steps until the learning rate is highest
    batch_tokens: int = 4096  # most ids in a batch, padding and all lists of an example counted
    label_smoothing: float = 0.1  # 2017's; 0 for a language model
    clip: float = 1.0  # longest gradient; Pascanu et al. 2013, arXiv:1211.5063
    betas: tuple[float, float] = (0.9, 0.98)  # how long Adam remembers gradients, and their squares
    weight_decay: float = 0.0  # of the matrices; Loshchilov and Hutter 2019, arXiv:1711.05101
    seed: int = 0  # of the batches' order and of dropout
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
    """What happened in training: a list with one number for each step, to plot."""

    loss: list[float] = field(default_factory=list)  # what was made small: smoothed, in nats
    cross_entropy: list[float] = field(default_factory=list)  # the same without smoothing; its floor is 0
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)  # before clipping
    tokens_per_second: list[float] = field(default_factory=list)  # ids read, padding not counted
    validation: list[float] = field(default_factory=list)  # plain cross-entropy of the task's validation examples …
    validation_steps: list[int] = field(default_factory=list)  # … after so many steps
    interrupted: bool = False  # whether you stopped it before its end

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
    """The fastest place there is: an NVIDIA GPU, else Apple's, else the CPU."""
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
    """The plain cross-entropy of the task's validation examples, in nats a label, without dropout."""
    total, count = 0.0, 0
    with evaluating(model):
        for batch in batches_by_length(task.validation, batch_tokens, shuffle_seed=""):
            logits, labels = task.objective(model, *collate([task.validation[i] for i in batch], task.pad, device))
            labels_here = int((labels != IGNORE).sum())
            total += cross_entropy(logits, labels)[1].item() * labels_here
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
        checkpoint: a file to keep the state of the training in, every half minute and at the end. Where it exists
            already, training goes on from it, to the same weights as if it had never stopped.

    Returns the history; after a checkpoint, from the very first step on.

    Raises:
        FloatingPointError: the loss or the gradient is no number any more. The weights are those before that step.
        CheckpointError: the checkpoint is damaged, or belongs to another model, other examples or other settings.
        ValueError: there are no examples.
    """
    if not task.examples:
        raise ValueError("there is nothing to learn: the task has no examples")
    place = best_device() if device is None else torch.device(device)
    model.to(place)
    optimizer = _make_optimizer(model, settings)
    path = None if checkpoint is None else Path(checkpoint)
    owner = _owner(task, settings) if path else {}
    history = History()
    if path and path.exists():
        history = History(**{**checkpoints.read_training(path, model, optimizer, owner), "interrupted": False})

    in_epoch = len(_batches_of_epoch(0, task, settings))
    limits = (settings.steps, settings.epochs and settings.epochs * in_epoch)
    total = min((limit for limit in limits if limit is not None), default=None)
    # `torch.manual_seed` seeds the GPUs too, and takes half a millisecond even where there are none.
    set_seed = torch.default_generator.manual_seed if place.type == "cpu" else torch.manual_seed
    began = saved = time.monotonic()

    def share_done() -> float:
        of_steps = history.steps / total if total else 0.0
        of_time = (time.monotonic() - began) / settings.seconds if settings.seconds else 0.0
        return min(max(of_steps, of_time), 1.0)

    def validate() -> None:
        if task.validation and history.steps not in history.validation_steps:
            history.validation.append(evaluate(model, task, settings.batch_tokens, place))
            history.validation_steps.append(history.steps)

    with _progress_bar(settings.progress) as bar, torch.random.fork_rng([place] if place.type == "cuda" else []):
        try:
            for examples in _stream(task, settings, history.steps, in_epoch):
                if share_done() >= 1:
                    break
                started = time.monotonic()
                model.train()
                # A step's dropout hangs on its number alone, so a checkpoint needs no state of the random generator.
                set_seed(settings.seed * 1_000_003 + history.steps)
                logits, labels = task.objective(model, *collate(examples, task.pad, place))
                loss, plain = cross_entropy(logits, labels, settings.label_smoothing)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
                if not (loss + norm).isfinite():
                    raise FloatingPointError(
                        f"at step {history.steps + 1} the loss is {loss.item()}, the gradient's length {norm.item()}: "
                        f"try a lower learning_rate than {settings.learning_rate}, or a longer warmup"
                    )
                rate = _learning_rate(history.steps + 1, settings, total)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                with _no_interruption():
                    optimizer.step()
                    tokens = sum(len(ids) for example in examples for ids in example)
                    speed = tokens / (time.monotonic() - started)
                    history.add(loss.item(), plain.item(), rate, norm.item(), speed)
                bar.set_postfix_str(
                    f"step {history.steps}, loss {loss.item():.3f}, {speed:,.0f} tokens/s", refresh=False
                )
                bar.update(share_done() - bar.n)
                if history.steps % in_epoch == 0:
                    validate()
                if path and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    checkpoints.write_training(path, model, optimizer, owner, asdict(history))
                    saved = time.monotonic()
            validate()
        except KeyboardInterrupt:
            history.interrupted = True
    model.eval()
    if path:
        checkpoints.write_training(path, model, optimizer, owner, asdict(history))
    return history


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


def _batches_of_epoch(epoch: int, task: Task, settings: TrainingSettings) -> list[list[int]]:
    return batches_by_length(task.examples, settings.batch_tokens, f"{settings.seed}/{epoch}")


def _stream(task: Task, settings: TrainingSettings, start: int, in_epoch: int) -> Iterator[list[Example]]:
    """The batches from step `start` on, epoch after epoch, without end."""
    for epoch in itertools.count(start // in_epoch):
        for batch in _batches_of_epoch(epoch, task, settings)[start % in_epoch :]:
            yield [task.examples[i] for i in batch]
        start = 0


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done, so that no step is left half taken."""
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
    """A short name for examples, of ids or of words, that changes whenever they do."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps([list(part) for part in example]).encode())
    return digest.hexdigest()[:16]


def _owner(task: Task, settings: TrainingSettings) -> dict[str, Any]:
    """What must stay the same for a checkpoint to be continued to the same result."""
    free = {"progress", "seconds"} if settings.schedule == "cosine" else {"progress", "seconds", "steps", "epochs"}
    kept = {name: value for name, value in asdict(settings).items() if name not in free}
    return {**kept, "betas": list(settings.betas), "examples": fingerprint(task.examples), "pad": task.pad}
