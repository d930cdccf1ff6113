"""Kill processes that write files, at random moments, and see whether anything was lost.

    python -m tools.kills --times 1000

Saving parts, training with a checkpoint, copying large files, bringing a learner's notebooks up to date, and running a
study are killed in turn, again and again in the same folder.
The tests of fetching kill their own downloads; they run once for each hundred kills. The exit status is 1 if anything
was lost.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from course_lib.copies import making, moving, refreshing
from course_lib.data import places
from course_lib.data.atomic import write_atomically
from course_lib.exercises.keeping import store
from course_lib.experiments import Data, Study, grid, keeping, running
from course_lib.experiments.keeping import Folder
from course_lib.learning import checkpoints, training
from course_lib.learning.losses import next_token
from course_lib.learning.threads import one_thread
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.transformer.build import build_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import LanguageModel

ROOT = Path(__file__).parents[1]
NAMES = ("softmax", "split_heads", "LayerNorm")
TASK = Task([([4, 5, 6, 7, start],) for start in range(4, 10)], next_token)
STEPS = 40
TRAINING = TrainingSettings(steps=STEPS, warmup=10, batch_tokens=12, progress=False)


@dataclass
class Kills:
    """Writers that are killed in a folder of their own, and what came of it.

    Attributes:
        folder: where they write.
        seed: of the moments and of what is written.
        patience: the longest that a writer works before it is killed, in seconds.
        started: how many of each kind were started.
        lost: a sentence for each thing that was not as it should be.
    """

    folder: Path
    seed: int = 0
    patience: float = 0.3
    started: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def kill(self, kind: str, once: Path | None = None) -> None:
        """Start a writer of this kind, kill it at a random moment or once this file is there, and check the rest."""
        write, check = KINDS[kind]
        number = self.started[kind]
        self.started[kind] += 1
        chance = random.Random(f"{self.seed} {kind} {number}")
        place = self.folder / kind
        place.mkdir(parents=True, exist_ok=True)
        writer = CONTEXT.Process(target=write, args=(place, f"{self.seed} {number}"))
        writer.start()
        deadline = time.monotonic() + 60
        while writer.is_alive() and not (place / f"began {number}").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        if once is None:
            time.sleep(chance.uniform(0, self.patience))
        else:
            while writer.is_alive() and not once.exists() and time.monotonic() < deadline:
                time.sleep(0.001)
        writer.kill()
        writer.join()
        (place / f"began {number}").unlink(missing_ok=True)
        if writer.exitcode not in (-signal.SIGKILL, 0):
            self.lost.append(f"{kind}, kill {number}: the writer ended with status {writer.exitcode}")
        try:
            self.lost += [f"{kind}, kill {number}: {sentence}" for sentence in check(place)]
        except Exception as error:
            self.lost.append(f"{kind}, kill {number}: {type(error).__name__}: {error}")


def begin(place: Path, seed: str) -> random.Random:
    """Say that a writer is at work, and give its source of chance."""
    (place / f"began {seed.split()[1]}").touch()
    return random.Random(seed)


@contextmanager
def learners_folder(place: Path) -> Iterator[Path]:
    """Let the course use the learner's folder in this place."""
    before = os.environ.get("COURSE_WORK")
    os.environ["COURSE_WORK"] = str(place / "my_transformer")
    try:
        yield place / "my_transformer"
    finally:
        if before is None:
            del os.environ["COURSE_WORK"]
        else:
            os.environ["COURSE_WORK"] = before


def version(name: str, chance: random.Random) -> str:
    """A version of a part, whose first line says what the rest has to be."""
    rest = f"{name} = {chance.random()}\n" + "# more\n" * chance.choice((0, 10, 10_000))
    return f"# {hashlib.sha256(rest.encode()).hexdigest()}\n{rest}"


def is_whole(content: bytes) -> bool:
    """Whether the first line of a file says what the rest is."""
    first, _, rest = content.partition(b"\n")
    return first == b"# " + hashlib.sha256(rest).hexdigest().encode()


def save_parts(place: Path, seed: str) -> None:
    """Save, edit, check, move aside and reset parts without end, and report each version that is safe."""
    with learners_folder(place), (place / "reported").open("ab", buffering=0) as reported:
        chance = begin(place, seed)
        while True:
            name = chance.choice(NAMES)
            source = version(name, chance)
            action = chance.choice(("save", "save", "save", "edit", "check", "set aside"))
            if action == "save":
                store.save(name, source, "kills")
                reported.write(f"{store.digest(source.encode())}\n".encode())
            elif action == "edit":
                # As an editor does that writes a new file and renames it.
                if store.part_file(name).exists():
                    edited = place / "edited"
                    edited.write_text(source, encoding="utf-8", newline="")
                    edited.replace(store.part_file(name))
            elif action == "check" and (content := store.read(name)):
                store.remember_checks([(name, content, chance.choice(("", "it does not pass")))], "kills")
            elif action == "set aside":
                content = store.read(name)
                store.set_aside(name)
                if content:
                    reported.write(f"{store.digest(content)}\n".encode())


def check_parts(place: Path) -> Iterator[str]:
    """Say what is missing or half of what a killed writer reported, and whether the folder still works."""
    with learners_folder(place) as folder:
        files = {path: path.read_bytes() for path in folder.rglob("*.py") if path.name != "__init__.py"}
        yield from (f"{path.name} is not whole" for path, content in files.items() if not is_whole(content))
        kept = {store.digest(content) for content in files.values()}
        reported = place / "reported"
        lines = reported.read_text().splitlines() if reported.exists() else []
        yield from (f"the version {line} is in no file" for line in lines if len(line) == 64 and line not in kept)
        if folder.exists() and (folder / "__init__.py").exists():
            if (folder / "__init__.py").read_text(encoding="utf-8") != store.PACKAGE:
                yield "__init__.py is not whole"
        elif files:
            yield "__init__.py is missing"
        last = version("softmax", random.Random(len(lines)))
        store.save("softmax", last)
        if store.read("softmax") != last.encode() or list(folder.rglob("*.unfinished")):
            yield "the folder does not work any more"


def new_model() -> LanguageModel:
    torch.manual_seed(0)
    config = TransformerConfig.gpt2(vocabulary=10, d_model=8, heads=2, d_ff=16, layers=1, max_length=8)
    return build_language_model(config)


def train_model(place: Path, seed: str) -> None:
    """Train with a checkpoint that is written after each step."""
    torch.set_num_threads(1)
    training.SECONDS_BETWEEN_CHECKPOINTS = 0
    begin(place, seed)
    train(new_model(), TASK, TRAINING, device="cpu", checkpoint=place / "training.safetensors")


def check_training(place: Path) -> Iterator[str]:
    """Say whether the checkpoint is damaged or, if the training is done, differs from one without a kill."""
    file = place / "training.safetensors"
    if not file.exists():
        return
    tensors, note = checkpoints.read(file)
    if len(note["history"]["loss"]) < STEPS:
        return
    expected = new_model()
    with one_thread():  # as in `train_model`: with two, sums are rounded differently
        train(expected, TASK, TRAINING, device="cpu")
    for name, weight in checkpoints.weights_of(expected).items():
        if not torch.equal(weight, tensors[f"model.{name}"]):
            yield f"{name} differs from that of a training without a kill"
    file.unlink()
    # The last writer may have been killed while it wrote; the next one would remove its file.
    if len(list(place.glob(".*.unfinished"))) > 1:
        yield "unfinished files pile up"


def copy_files(place: Path, seed: str) -> None:
    """Write large files without end, each of which says what it has to be."""
    chance = begin(place, seed)
    while True:
        rest = chance.randbytes(chance.choice((1_000, 1_000_000, 5_000_000)))
        write_atomically(place / "large", b"# " + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)


def check_copies(place: Path) -> Iterator[str]:
    """Say whether the large file is not whole, or whether more than the last unfinished one is left."""
    if (place / "large").exists() and not is_whole((place / "large").read_bytes()):
        yield "the large file is not whole"
    if len(list(place.glob(".*.unfinished"))) > 1:
        yield "unfinished files pile up"


@contextmanager
def course_in(folder: Path) -> Iterator[Path]:
    """Let the course be in this folder, and give the one of its learner."""
    before, work = places.COURSE, os.environ.pop("COURSE_WORK", None)
    places.COURSE = folder
    try:
        yield folder / "my_course"
    finally:
        places.COURSE = before
        if work is not None:
            os.environ["COURSE_WORK"] = work


def notebook_cell(name: str, source: str) -> dict[str, object]:
    return {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def publish(folder: Path, chance: random.Random) -> None:
    """Write a version of the course's two notebooks, the second of which changes its name."""
    for old in (folder / "notebooks").glob("*.ipynb"):
        old.unlink()
    for name in ("01_first", chance.choice(("02_second", "03_second"))):
        stub = f'@exercise("{name[3:]}")\ndef {name[3:]}(x):\n    raise NotImplementedError'
        cells = [notebook_cell("a", "import torch"), notebook_cell("b", stub), notebook_cell("c", str(chance.random()))]
        chance.shuffle(cells)
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        write_atomically(folder / "notebooks" / f"{name}.ipynb", json.dumps(notebook).encode())


def refresh_copies(place: Path, seed: str) -> None:
    """Update the course, write in the copies, and bring them and parts up to date without end; report what is safe."""
    with course_in(place) as folder, (place / "reported").open("ab", buffering=0) as reported:
        chance = begin(place, seed)
        while True:
            text = f"mine_{chance.getrandbits(64):016x}"
            action = chance.choice(("publish", "write", "write", "update", "refresh", "move"))
            copies = sorted(folder.glob("*.ipynb"))
            if action == "publish":
                publish(place, chance)
            elif action == "write" and copies:
                file = chance.choice(copies)
                notebook = json.loads(file.read_bytes())
                if len(notebook["cells"]) < 20:
                    notebook["cells"].insert(chance.randrange(4), notebook_cell(text, text))
                    write_atomically(file, f"{json.dumps(notebook)}\n".encode())
                    reported.write(f"{text}\n".encode())
                elif (place / "notebooks" / file.name).exists():
                    making.start_again(file.stem)
            elif action == "update":
                making.update()
            elif action == "refresh":
                refreshing.refresh()
            elif action == "move":
                write_atomically(place / "my_transformer" / "softmax.py", text.encode())
                reported.write(f"{text}\n".encode())
                moving.bring_parts_along()


def check_refreshed(place: Path) -> Iterator[str]:
    """Say what is missing of what a killed writer reported, which notebook is not whole, and what does not work."""
    with course_in(place) as folder:
        files = [*folder.rglob("*.ipynb"), *folder.rglob("*.py"), *(place / "my_transformer").rglob("*.py")]
        contents = {path: path.read_text(encoding="utf-8") for path in files}
        for path, content in contents.items():
            if path.suffix == ".ipynb" and not content.endswith("}\n"):
                yield f"{path.name} is not whole"
        everything = "\n".join(contents.values())
        reported = place / "reported"
        lines = reported.read_text().splitlines() if reported.exists() else []
        yield from (f"{line} is in no file" for line in lines if len(line) == 21 and line not in everything)
        publish(place, random.Random(len(lines)))
        moving.bring_parts_along()
        making.update()
        refreshing.refresh()
        if making.outdated() or making.successors() or list(folder.rglob("*.unfinished")):
            left = [*making.outdated(), *making.successors(), *folder.rglob("*.unfinished")]
            yield f"the copies cannot be brought up to date any more: {left}"
        if len(files) > 300:
            for each in (folder, place / "my_transformer"):
                shutil.rmtree(each, ignore_errors=True)
            reported.unlink()


def study_of(seeds: int) -> Study:
    """A study whose runs take some milliseconds each."""
    data = Data(Task(TASK.examples, next_token, TASK.examples[:2]), build_language_model, {"vocabulary": 10})
    return Study(
        name="kills",
        question="Is a finished run lost or repeated?",
        data=data,
        settings=dict(d_model=8, heads=2, d_ff=16, layers=1, dropout=0.0, max_length=8, batch_tokens=12),
        variants=grid(learning_rate=[0.001, 0.01]),
        seeds=range(seeds),
        steps=3,
    )


def run_study(place: Path, seed: str) -> None:
    """Run a study that nobody finishes, and report each run as it begins, and once it is kept."""
    reported = (place / "reported").open("ab", buffering=0)
    add, run = Folder.add, running.run

    def add_and_report(self: Folder, done: keeping.Run) -> None:
        add(self, done)
        reported.write(f"kept {done.variant} {done.seed}\n".encode())

    def report_and_run(data: Data, measures: Any, plan: Any, number: int, checkpoint: Path | None = None) -> Any:
        begin(place, seed)
        reported.write(f"began learning_rate={plan.training.learning_rate} {number}\n".encode())
        return run(data, measures, plan, number, checkpoint)

    Folder.add, running.run = add_and_report, report_and_run
    study_of(1_000).run(workers=1, progress=False, folder=place / "study")


def check_study(place: Path) -> Iterator[str]:
    """Say which run is lost, half, without curves, kept twice, or begun again after it was kept."""
    folder = Folder(place / "study")
    lines = (
        (place / "study" / "runs.jsonl").read_text().splitlines() if (place / "study" / "runs.jsonl").exists() else []
    )
    runs = folder.runs()
    if lines and not (place / "study" / "runs.jsonl").read_text().endswith("\n"):
        yield "runs.jsonl is not whole"
    if len(runs) != len(lines):
        yield f"{len(lines)} lines hold {len(runs)} runs"
    kept = {f"{run.variant} {run.seed}" for run in runs.values()}
    yield from (f"{run.variant} {run.seed} has no curves" for run in runs.values() if not folder.curves(run.key))
    done = set[str]()
    reported = (place / "reported").read_text().splitlines() if (place / "reported").exists() else []
    for line in reported:
        what, _, name = line.partition(" ")
        if what == "kept":
            done.add(name)
        elif name in done:
            yield f"{name} was begun again after it was kept"
    yield from (f"{name} is lost" for name in sorted(done - kept))


KINDS: dict[str, tuple[Callable[[Path, str], None], Callable[[Path], Iterator[str]]]] = {
    "saving": (save_parts, check_parts),
    "training": (train_model, check_training),
    "copying": (copy_files, check_copies),
    "refreshing": (refresh_copies, check_refreshed),
    "experiments": (run_study, check_study),
}

# A process that is forked from a server starts within milliseconds. Windows has none.
if "forkserver" in multiprocessing.get_all_start_methods():
    CONTEXT = multiprocessing.get_context("forkserver")
    # What takes long to load. Adam needs the last one.
    slow = [
        "course_lib.copies.refreshing",
        "course_lib.exercises.keeping.store",
        "course_lib.experiments",
        "course_lib.learning.training",
        "course_lib.transformer.build",
        "torch._dynamo",
    ]
    CONTEXT.set_forkserver_preload(slow)
else:
    CONTEXT = multiprocessing.get_context("spawn")


def main(words: list[str]) -> int:
    """Kill as often as asked, print counts and what was lost, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.kills")
    parser.add_argument("--times", type=int, default=1000, help="how many kills (1000)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        kills = Kills(Path(folder), arguments.seed)
        for number in range(arguments.times):
            kills.kill(list(KINDS)[number % len(KINDS)])
        for kind, count in kills.started.items():
            lost = sum(sentence.startswith(kind) for sentence in kills.lost)
            print(f"{kind}: {count} kills, {lost} losses")
    fetching = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "kill", str(ROOT / "tests/data")]
    failed = 0
    for _ in range(arguments.times // 100):
        failed += subprocess.run(fetching, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode != 0
    print(f"fetching: its tests ran {arguments.times // 100} times, {failed} failed")
    print(*kills.lost, sep="\n")
    return 1 if kills.lost or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
