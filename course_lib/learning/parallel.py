"""Training in several processes, on one machine or many: each reads its share of every batch.

    python -m course_lib.learning.parallel --processes 2 train_mine.py

with a script that calls `train` inside `with several_processes():`. On several machines, torchrun starts it (see
docs/more_machines.md). Nothing in the model changes, and the losses are
those of one process with the same batches: gradients are averaged over all labels of the batch, not over processes.
PyTorch's DistributedDataParallel sums them (Li et al. 2020, arXiv:2006.15704).
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

Item = TypeVar("Item")

_PATIENCE = timedelta(minutes=10)
_LEFT_ALONE = 75  # the exit code of a process that ends because another one did
_SAYS_IT_ITSELF = "COURSE_LAUNCHER_SPEAKS"


@contextmanager
def several_processes(backend: str | None = None) -> Iterator[int]:
    """Join the processes that torchrun started, and leave them at the end. Yields this one's number, from 0 on.

    A script that was started without torchrun runs alone, as number 0. If another process dies meanwhile, this one ends
    with a sentence.

    Takes how processes talk to each other: "nccl" for NVIDIA GPUs, "gloo" for all else; None: whichever fits.
    """
    if "RANK" not in os.environ:
        yield 0
        return
    if backend is None:
        backend = "nccl" if torch.cuda.is_available() else "gloo"
    if backend == "nccl":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield dist.get_rank()
    except dist.DistBackendError as error:
        _end(error)
    except RuntimeError as error:
        if not any(word in str(error) for word in ("gloo", "Connection", "peer")):
            raise
        _end(error)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _end(error: RuntimeError) -> None:
    """End this process with a sentence, since another one no longer answers."""
    if _SAYS_IT_ITSELF not in os.environ:
        reason = str(error).splitlines()[-1][:120]
        sys.stderr.write(
            f"Process {os.environ['RANK']} stops, because another process of this training has ended ({reason}): start "
            "the same command again, and it continues from its checkpoint.\n"
        )
        sys.stderr.flush()
    os._exit(_LEFT_ALONE)


def count() -> int:
    """How many processes train together; 1 where nobody joined any."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def number() -> int:
    """The number of this process among them, from 0 on."""
    return dist.get_rank() if count() > 1 else 0


def own_share(batch: Sequence[Item]) -> list[Item]:
    """Give this process's share of a batch: every n-th example for n processes. It is empty in a very small batch."""
    return list(batch[number() :: count()])


def joined(model: nn.Module) -> nn.Module:
    """Let the gradients of a model be averaged over all processes. Alone, it is the model itself."""
    if count() == 1:
        return model
    from torch.nn.parallel import DistributedDataParallel  # it takes time to load

    return DistributedDataParallel(model)


def total(value: Tensor) -> Tensor:
    """Add up what all processes have; alone, the value itself."""
    if count() == 1:
        return value
    value = value.detach().clone()
    dist.all_reduce(value)
    return value


def furthest(share: float) -> float:
    """The largest of what all processes have, so that all stop at the same step."""
    if count() == 1:
        return share
    value = torch.tensor(share, dtype=torch.float64)
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return float(value)


def _main(words: Sequence[str]) -> int:
    """Start a script in several processes of this machine, as torchrun does, but say in a sentence if one dies."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    parser = argparse.ArgumentParser(prog="python -m course_lib.learning.parallel", description=__doc__)
    parser.add_argument("--processes", type=int, required=True, help="how many processes")
    parser.add_argument("script", help="a Python file")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="what the script gets")
    chosen = parser.parse_args(words)
    if chosen.processes < 1:
        parser.error(f"--processes should be 1 or more, but is {chosen.processes}")
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)  # The sentence below says what there is to say.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=chosen.processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id=str(os.getpid()),
        max_restarts=0,
    )
    os.environ[_SAYS_IT_ITSELF] = "1"
    try:
        elastic_launch(config, sys.executable)("-u", chosen.script, *chosen.words)
    except ChildFailedError as error:
        # The other processes ended because that one did, by themselves or stopped by the launcher.
        ended_by_it = (_LEFT_ALONE, -signal.SIGTERM)
        failures = [(failure.exitcode in ended_by_it, rank, failure) for rank, failure in error.failures.items()]
        _, rank, failure = min(failures, key=lambda each: each[:2])
        sys.stderr.write(
            f"The training ended, because process {rank} of {chosen.processes} died (exit code {failure.exitcode}): "
            "run the same command again, and it continues from its checkpoint.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
