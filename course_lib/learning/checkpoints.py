"""Weights in files: safetensors with a note in JSON, nothing pickled, and never half a file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.data.atomic import write_atomically

Note = Mapping[str, Any]
KIND = "transformer-course"


class CheckpointError(ValueError):
    """A file of weights cannot be used: it is damaged, or belongs to something else."""


def write(path: Path, tensors: Mapping[str, Tensor], note: Note) -> None:
    """Write tensors, and a note that JSON can hold, to a file: completely or not at all."""
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(note, ensure_ascii=False)
    metadata = {"kind": KIND, "note": text, "sha256": _digest(stored, text)}
    write_atomically(path, save(stored, metadata))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write` wrote: the tensors, on the CPU, and the note.

    Raises CheckpointError for a file that is damaged, even in a single bit, or was not written by this course.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name a file in it")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        # From memory, not from a mapped file: Windows cannot replace a file that is mapped.
        tensors = load(path.read_bytes())
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}): delete it, or name another"
        ) from None
    if metadata.get("kind") != KIND or not {"note", "sha256"} <= metadata.keys():
        raise CheckpointError(f"{path} holds weights, but this course did not write it: name another file")
    if metadata["sha256"] != _digest(tensors, metadata["note"]):
        raise CheckpointError(f"{path} is damaged, since its content has another hash: delete it, or name another")
    return tensors, json.loads(metadata["note"])


def _digest(tensors: Mapping[str, Tensor], note: str) -> str:
    """Hash names, types, shapes and numbers of tensors, and a note."""
    digest = hashlib.sha256(note.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_training(path: Path, model: nn.Module, optimizer: Optimizer, owner: Note, history: Note) -> None:
    """Write all that is needed to continue a training: weights, Adam's state, whose they are, and the history.

    The `owner` says to what the training belongs: names of what must stay the same, and what it is.
    """
    tensors = {f"model.{name}": weight for name, weight in weights_of(model).items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    write(path, tensors, {"owner": owner, "history": history})


def read_training(path: Path, model: nn.Module, optimizer: Optimizer, owner: Note) -> dict[str, Any]:
    """Put what `write_training` wrote into a model and its optimizer, and return the history.

    Raises CheckpointError where the file is damaged, or belongs to another model or another owner.
    """
    tensors, note = read(path)
    if not isinstance(note, dict) or not {"history", "owner"} <= note.keys():
        raise CheckpointError(f"{path} holds weights only, and no training to continue: name another file")
    theirs = note["owner"]
    for name in sorted(owner.keys() | theirs.keys()):
        if theirs.get(name) != owner.get(name):
            raise CheckpointError(
                f"{path} belongs to another training: its {name} is {theirs.get(name)!r}, but here it is "
                f"{owner.get(name)!r}. Delete it to start again, or name another file"
            )
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    put_weights(model, weights, path)
    state: dict[int, dict[str, Tensor]] = {}
    for name in tensors.keys() - {f"model.{name}" for name in weights}:
        _, number, what = name.split(".")
        state.setdefault(int(number), {})[what] = tensors[name]
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    history: dict[str, Any] = note["history"]
    return history


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """List the weights of a model by name, each once: tied ones under their first name."""
    buffers = {name: buffer for name, buffer in model.named_buffers() if name in model.state_dict()}
    return {**dict(model.named_parameters()), **buffers}


@torch.no_grad()
def put_weights(model: nn.Module, weights: Mapping[str, Tensor], source: Path) -> None:
    """Copy weights into a model's own tensors, so that tied weights stay tied.

    Raises CheckpointError, which names the `source`, where names or shapes differ; the model is then as it was.
    """
    ours = weights_of(model)
    if ours.keys() != weights.keys():
        only = sorted(ours.keys() ^ weights.keys())
        where = "this model" if only[0] in ours else "the file"
        raise CheckpointError(f"{source} holds the weights of another model: only {where} has {only[0]}")
    for name, weight in weights.items():
        if ours[name].shape != weight.shape:
            shapes = f"{tuple(weight.shape)} there and {tuple(ours[name].shape)} here"
            raise CheckpointError(f"{source} holds the weights of another model: {name} is {shapes}")
    for name, weight in weights.items():
        ours[name].copy_(weight)
