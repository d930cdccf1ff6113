"""A study runs what has not been run, keeps it, and says in a sentence what it cannot do."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from course_lib.experiments import Measure, StudyError, keeping, running
from course_lib.experiments import study as study_module
from course_lib.experiments.keeping import Folder
from course_lib.learning import training
from course_lib.learning.training import Task
from course_lib.transformer.attention import scaled_dot_product_attention
from tests.experiments.small import DATA, SETTINGS, study


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Write down the width and the seed of each run in this process."""
    runs: list[tuple[str, int]] = []
    before = running.run

    def run(data: Any, measures: Any, plan: Any, seed: int, checkpoint: Any = None) -> Any:
        runs.append((plan.config.d_model, seed))
        return before(data, measures, plan, seed, checkpoint)

    monkeypatch.setattr(running, "run", run)
    return runs


def run(tmp_path: Path, **changes: Any) -> Any:
    return study(**changes).run(workers=1, progress=False, folder=tmp_path)


def test_each_variant_is_run_once_with_each_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = counted(monkeypatch)
    results = run(tmp_path)
    assert runs == [(8, 0), (16, 0), (8, 1), (16, 1)]
    assert [(each.variant, each.seed) for each in results.runs] == [
        ("narrow", 0),
        ("wide", 0),
        ("narrow", 1),
        ("wide", 1),
    ]
    assert results.table()["n"].tolist() == [2, 2]


def test_a_run_gives_what_training_by_hand_gives(tmp_path: Path):
    results = run(tmp_path)
    torch.manual_seed(1)
    plan = study().plans()["wide"]
    model = DATA.build(plan.config, plan.parts)
    history = training.train(
        model,
        DATA.task,
        training.TrainingSettings(steps=5, warmup=2, batch_tokens=24, seed=1, progress=False),
        device="cpu",
    )
    assert results.values("wide")[1] == history.validation[-1]
    assert results.runs[3].outcome.parameters == sum(each.numel() for each in model.parameters())


def test_nothing_is_run_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = run(tmp_path)
    runs = counted(monkeypatch)
    again = run(tmp_path)
    assert runs == []
    assert again.table().equals(first.table())
    more = run(tmp_path, seeds=(0, 1, 2), variants={"narrow": {}, "broad": {"d_model": 16}})
    assert runs == [(8, 2), (16, 2)]
    assert more.values("broad")[0] == first.values("wide")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {**SETTINGS, "learning_rate": 0.1}},
        {"steps": 6},
        {
            "data": type(DATA)(
                Task(DATA.task.examples[1:], DATA.task.objective, DATA.task.validation, 0), DATA.build, DATA.sizes
            )
        },
        {"measures": {"norm": Measure(lambda trained: trained.history.gradient_norm[-1], better="lower")}},
    ],
    ids=["settings", "budget", "data", "measures"],
)
def test_a_change_that_matters_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict):
    run(tmp_path)
    runs = counted(monkeypatch)
    run(tmp_path, **change)
    assert len(runs) == 4


def test_another_version_of_torch_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path)
    runs = counted(monkeypatch)
    monkeypatch.setattr(study_module, "versions", lambda: {"torch": "0.1"})
    run(tmp_path)
    assert len(runs) == 4


def attention_with(scale: float) -> Any:
    def attend(query, key, value, mask=None):
        return scaled_dot_product_attention(query * scale, key, value, mask)

    return attend


def test_the_code_of_a_part_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def variants(scale: float) -> dict:
        return {"course's": {}, "mine": {"scaled_dot_product_attention": attention_with(scale)}}

    run(tmp_path, variants=variants(2.0), seeds=(0,))
    runs = counted(monkeypatch)
    run(tmp_path, variants=variants(2.0), seeds=(0,))
    assert runs == []
    run(tmp_path, variants=variants(3.0), seeds=(0,))
    assert len(runs) == 1


def test_one_line_is_kept_for_each_run_and_its_curves_beside_it(tmp_path: Path):
    run(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert [(line["variant"], line["seed"]) for line in lines] == [
        ("narrow", 0),
        ("wide", 0),
        ("narrow", 1),
        ("wide", 1),
    ]
    curves = Folder(tmp_path).curves(lines[0]["key"])
    assert curves["steps"] == [1, 2, 3, 4, 5]
    assert curves["tokens"][-1] == lines[0]["outcome"]["tokens"]
    assert len(curves["validation"]) == len(curves["training"]) == 5
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_runs_are_kept_in_the_learners_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    study(seeds=(0,)).run(workers=1, progress=False)
    assert len((tmp_path / "experiments" / "small" / "runs.jsonl").read_text().splitlines()) == 2


def breaks(model: torch.nn.Module) -> None:
    raise RuntimeError("this one\nis broken")


def test_a_failed_run_is_kept_and_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    variants = {"right": {}, "broken": {"start": breaks}}
    results = run(tmp_path, variants=variants)
    assert [each.outcome.error for each in results.failed()] == ["RuntimeError: this one is broken"] * 2
    table = results.table()
    assert (table["n"].tolist(), table["failed"].tolist()) == ([2, 0], [0, 2])
    assert "2 failed; the first, broken with seed 0: RuntimeError: this one is broken." in repr(results)
    runs = counted(monkeypatch)
    run(tmp_path, variants=variants)
    assert runs == []
    study(variants=variants).run(workers=1, progress=False, folder=tmp_path, repeat_failed=True)
    assert len(runs) == 2
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 4


def test_an_interruption_keeps_what_is_done_and_the_next_call_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, calls = running.run, []

    def interrupted(data, measures, plan, seed, checkpoint=None):
        calls.append(seed)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return before(data, measures, plan, seed, checkpoint)

    monkeypatch.setattr(running, "run", interrupted)
    results = run(tmp_path)
    assert results.interrupted
    assert len(results.runs) == 2
    assert repr(results).endswith("2 of 4 runs are done. It was interrupted: run the cell again to continue.")
    whole = run(tmp_path)
    assert len(calls) == 5
    assert not whole.interrupted
    assert len(whole.runs) == 4


def test_a_training_that_was_stopped_in_the_middle_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = run(tmp_path / "whole", seeds=(0,)).values("narrow")[0]
    before = training._Training.step

    def stop(self, examples):
        if self.history.steps == 3:
            raise KeyboardInterrupt
        before(self, examples)

    with monkeypatch.context() as patched:
        patched.setattr(training._Training, "step", stop)
        assert run(tmp_path / "stopped", seeds=(0,)).interrupted
    assert len(list((tmp_path / "stopped" / "unfinished").glob("*.safetensors"))) == 1
    steps = []
    monkeypatch.setattr(training._Training, "step", lambda self, examples: (steps.append(1), before(self, examples)))
    results = run(tmp_path / "stopped", seeds=(0,))
    assert results.values("narrow")[0] == expected
    assert len(steps) == 1 + 2 + 5  # a step to try the measures, the rest of the first run, and the second run


@pytest.mark.parametrize(("budget", "steps"), [({"steps": 4}, 4), ({"tokens": 60}, 3), ({"tokens": 61}, 4)])
def test_a_budget_ends_each_run(tmp_path: Path, budget: dict, steps: int):
    # A batch of at most 24 ids holds 4 texts of 5 ids, so an epoch has batches of 20 and 10 ids, in random order.
    results = run(tmp_path, **{"steps": None, "settings": {**SETTINGS, "batch_tokens": 20}, "seeds": (0,), **budget})
    for each in results.runs:
        assert each.outcome.steps == steps or "tokens" in budget
        if "tokens" in budget:
            assert budget["tokens"] <= each.outcome.tokens < budget["tokens"] + 20


def test_a_budget_in_seconds_ends_each_run(tmp_path: Path):
    results = run(tmp_path, steps=None, seconds=0.3, seeds=(0,))
    assert all(each.outcome.steps > 1 and each.outcome.error is None for each in results.runs)


def test_a_training_by_the_clock_begins_again_and_keeps_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = []
    before = running.run

    def run_it(data, measures, plan, seed, checkpoint=None):
        files.append(checkpoint)
        return before(data, measures, plan, seed, checkpoint)

    monkeypatch.setattr(running, "run", run_it)
    run(tmp_path / "clock", steps=None, seconds=0.01, seeds=(0,))
    assert files == [None, None]
    run(tmp_path / "steps", seeds=(0,))
    assert None not in files[2:]


def test_a_variant_that_was_renamed_is_known_by_its_new_name(tmp_path: Path):
    run(tmp_path)
    results = run(tmp_path, variants={"slim": {}, "broad": {"d_model": 16}})
    assert {each.variant for each in results.runs} == {"slim", "broad"}


def test_a_variant_changes_what_all_share():
    plans = study(variants={"usual": {}, "two": {"heads": 4}}).plans()
    assert [plans[name].config.heads for name in ("usual", "two")] == [2, 4]


def test_a_share_of_the_examples_is_drawn_by_the_seed(tmp_path: Path):
    few = run(tmp_path, variants={"all": {}, "two": {"examples": 2}}, settings={**SETTINGS, "batch_tokens": 1000})
    assert [each.outcome.tokens for each in few.runs] == [150, 50, 150, 50]
    assert few.values("two")[0] != few.values("two")[1]
    too_many = run(tmp_path, variants={"all": {}, "many": {"examples": 7}})
    assert {each.outcome.error for each in too_many.failed()} == {
        "ValueError: there are 6 examples, fewer than the 7 that were asked for"
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variants": {}}, "a study needs variants"),
        ({"variants": ["narrow"]}, "variants should be a dict"),
        ({"variants": {"narrow": {}, "same": {"d_model": 8}}}, "'narrow' and 'same' are equal"),
        ({"variants": {"narrow": {"widht": 8}}}, "narrow: there is no setting 'widht'"),
        ({"variants": {"narrow": 8}}, "narrow: its settings should be in a dict"),
        ({"variants": {1: {}}}, "names of variants should be texts, but one is 1"),
        ({"settings": {"widht": 8}}, "the study's settings: there is no setting 'widht'"),
        ({"seeds": ()}, "a study needs seeds"),
        ({"seeds": 3}, "seeds should be a list"),
        ({"seeds": (0, 0)}, "each seed counts once"),
        ({"seeds": (0.5,)}, r"whole numbers from 0 to below 2\*\*63, but one is 0.5"),
        ({"seeds": (2**63,)}, "but one is 9223372036854775808"),
        ({"variants": []}, "variants should be a dict"),
        ({"variants": {"mine": {"scaled_dot_product_attention": 3}}}, "mine: scaled_dot_product_attention should be a"),
        ({"steps": 0}, "more than 0 steps"),
        ({"steps": None}, "a study needs one budget"),
        ({"tokens": 10}, "a study needs one budget"),
        ({"measures": {}}, "a study needs measures"),
        ({"measures": {"loss": abs}}, "the measure loss should say what is good"),
        ({"name": "../up"}, "a study's name is a folder's"),
        ({"question": " "}, "a study needs a question"),
        ({"data": [1]}, "data should be a Data, such as translations"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_in_one_sentence(changes: dict, words: str):
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        study(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["good", None, [1.0], 1j])
def test_a_measure_that_gives_no_number_is_found_before_anything_runs(tmp_path: Path, value: Any):
    bad = study(measures={"taste": Measure(lambda _: value, better="higher")})
    with pytest.raises(TypeError, match="the measure taste should give a number, but gives"):
        bad.run(workers=1, progress=False, folder=tmp_path)
    assert not (tmp_path / "runs.jsonl").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measure_that_gives_no_finite_number_is_found_before_anything_runs(tmp_path: Path, value: float):
    bad = study(measures={"taste": Measure(lambda _: value, better="higher")})
    with pytest.raises(StudyError, match=f"can be trained and measured at all: .*the measure taste gives {value}"):
        bad.run(workers=1, progress=False, folder=tmp_path)
    assert not (tmp_path / "runs.jsonl").exists()


def test_a_measure_that_is_finite_for_some_variant_is_no_reason_to_stop(tmp_path: Path):
    measures = {"width": Measure(lambda trained: trained.config.d_model / 8 % 2 or float("nan"), better="higher")}
    results = run(tmp_path, measures=measures, variants={"wide": {"d_model": 16}, "narrow": {}})
    assert {each.outcome.error for each in results.failed()} == {"FloatingPointError: the measure width gives nan"}
    assert results.values("narrow") == {0: 1.0, 1: 1.0}


def test_a_part_with_other_arguments_is_found_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = counted(monkeypatch)

    def attend(query, key):
        return query @ key.mT

    variants = {"course's": {}, "mine": {"scaled_dot_product_attention": attend}}
    with pytest.raises(TypeError, match=r"mine: a part should take what the course's takes, but TypeError: .*attend"):
        run(tmp_path, variants=variants)
    assert runs == []


def test_parts_of_all_variants_are_tried_and_measures_once():
    tried = []

    def attend(query, key, value, mask=None):
        tried.append("part")
        return scaled_dot_product_attention(query, key, value, mask)

    measures = {"taste": Measure(lambda trained: tried.append("measure") or 1.0, better="higher")}
    study(variants={"course's": {}, "mine": {"scaled_dot_product_attention": attend}}, measures=measures)._try_out(
        {"course's", "mine"}
    )
    assert tried[0] == "measure"
    assert tried.count("measure") == 1
    assert "part" in tried


def test_an_interruption_while_measures_are_tried_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = counted(monkeypatch)

    def stop(self, examples):
        raise KeyboardInterrupt

    monkeypatch.setattr(training._Training, "step", stop)
    results = run(tmp_path)
    assert results.interrupted
    assert (results.runs, runs) == ([], [])


def full(path: Path, content: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_found_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = counted(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(keeping, "write_atomically", full)
        with pytest.raises(StudyError, match=r"no run can be kept, because .*: make room or choose another") as caught:
            run(tmp_path)
    assert runs == []
    assert "\n" not in str(caught.value)
    run(tmp_path)
    assert len(runs) == 4
    assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "curves", "runs.jsonl", "unfinished"]
    monkeypatch.setattr(keeping, "write_atomically", full)
    assert len(run(tmp_path).runs) == 4  # to read what is known takes no room


def test_a_disk_that_is_full_in_the_middle_keeps_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = keeping.write_atomically

    def fills(path: Path, content: bytes) -> None:
        if path.name == "runs.jsonl" and content.count(b"\n") > 2:
            full(path, content)
        before(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "write_atomically", fills)
        with pytest.raises(StudyError, match="no run can be kept, because"):
            run(tmp_path)
    runs = counted(monkeypatch)
    assert len(run(tmp_path).runs) == 4
    assert len(runs) == 2


def test_a_study_of_which_nothing_works_says_why_before_it_runs(tmp_path: Path):
    with pytest.raises(StudyError, match="no variant of small can be trained and measured at all: KeyError: 'pairs'"):
        run(tmp_path, measures={"odd": Measure(lambda trained: trained.data.more["pairs"], better="lower")})


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "two"])
def test_workers_that_are_no_number_are_refused(tmp_path: Path, count: Any):
    with pytest.raises(ValueError, match="workers is a number of processes"):
        study().run(workers=count, folder=tmp_path)


def test_the_same_study_is_not_run_twice_at_once(tmp_path: Path):
    with Folder(tmp_path).locked(), pytest.raises(StudyError, match="another notebook or command is running"):
        run(tmp_path)


def test_lines_from_other_hands_are_kept_and_passed_over(tmp_path: Path):
    (tmp_path / "runs.jsonl").write_text('not json\n{"key": 1}\n[2]\n{"key": "half')
    assert len(run(tmp_path).runs) == 4
    assert (tmp_path / "runs.jsonl").read_text().splitlines()[:3] == ["not json", '{"key": 1}', "[2]"]
    assert len(run(tmp_path).runs) == 4


def test_two_processes_give_the_same_table_as_one(tmp_path: Path):
    # Also with parts and measures that have no module from which they could be imported.
    changes = dict(
        variants={"course's": {}, "mine": {"scaled_dot_product_attention": attention_with(3.0)}},
        measures={"norm": Measure(lambda trained: trained.history.gradient_norm[-1], better="lower")},
    )
    one = run(tmp_path / "one", **changes)
    two = study(**changes).run(workers=2, progress=False, folder=tmp_path / "two")
    for name in ("course's", "mine"):
        assert one.values(name) == two.values(name)
    assert not two.failed()


def test_any_executor_will_do(tmp_path: Path):
    with ThreadPoolExecutor(1) as executor:
        results = study().run(executor=executor, progress=False, folder=tmp_path / "threads")
        assert executor.submit(abs, -1).result() == 1  # it is still there
    assert results.values("wide") == run(tmp_path / "here").values("wide")


def test_a_cluster_of_dask_will_do(tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, worker_dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        results = study().run(executor=client.get_executor(), progress=False, folder=tmp_path / "dask")
    here = run(tmp_path / "here")
    assert not results.failed()
    assert results.values("wide") == here.values("wide")
    assert results.values("narrow") == here.values("narrow")


def ends_the_process(model: torch.nn.Module) -> None:
    if multiprocessing.parent_process() is not None:
        os._exit(1)


def test_a_process_that_dies_is_reported_in_a_sentence(tmp_path: Path):
    with pytest.raises(StudyError, match="a process that was training ended, perhaps for lack of memory"):
        study(variants={"mine": {"start": ends_the_process}}).run(workers=2, progress=False, folder=tmp_path)


SCRIPT = """
import sys, time
from pathlib import Path
from tests.experiments.small import study

def slow(model):
    Path(sys.argv[2], f"began").touch()
    time.sleep(100)

if __name__ == "__main__":
    study(variants={"a": {"start": slow}}).run(workers=2, progress=False, folder=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are those of Unix")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_processes_end_with_their_starter(tmp_path: Path, number: signal.Signals):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("sys.argv[2]", repr(str(tmp_path))))
    root = str(Path(__file__).parents[2])
    starter = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "kept")], env={**os.environ, "PYTHONPATH": root}
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(starter.pid).children(recursive=True)
    assert len(children) >= 2
    starter.send_signal(number)
    starter.wait(30)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
