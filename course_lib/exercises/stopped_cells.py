"""A cell that the learner stops ends in a sentence, and later cells say where they use what it left unfinished."""

import ast
import linecache
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
from IPython.core.getipython import get_ipython
from IPython.display import display
from torch import nn

from course_lib.exercises.reports import Panel
from course_lib.text.wording import join_words

LONGEST_LIST = 100  # longer lists and dictionaries are not searched for models


def explain_stopped_cells() -> None:
    """Explain every cell that is stopped from now on. Outside of IPython, or under another handler, nothing happens."""
    shell = get_ipython()
    if shell is None or shell.custom_exceptions:
        return
    watch = _Watch(shell)
    shell.events.register("pre_run_cell", watch.before_cell)
    shell.events.register("post_run_cell", watch.after_cell)
    errors = KeyboardInterrupt, NameError
    shell.set_custom_exc(errors, lambda _, __, error, trace, **___: watch.explain(error, trace))  # type: ignore[no-untyped-call]


@dataclass
class _Watch:
    """What is known about the cells of a notebook.

    Attributes:
        shell: IPython's.
        unfinished: the names that a stopped cell, or one that used something unfinished, was to make, each with the
            number of its cell.
        codes: the code of each of these cells, by which it is known again.
        code: of the cell that runs.
        threads: how many threads torch had when it began.
        weights: the sums of the weights of each model that the cell mentions, when it began.
        announced: the unfinished names that it was said to use.
    """

    shell: Any
    unfinished: dict[str, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    code: str = ""
    threads: int = field(default_factory=torch.get_num_threads)
    weights: dict[str, list[float]] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)

    def before_cell(self, info: Any) -> None:
        """Remember what the cell begins with, and say if it uses something unfinished."""
        self.code = self._plain_code(info.raw_cell)
        self.threads = torch.get_num_threads()
        names = _names_of(_statements(self.code))
        self.weights = _weights_of_models(names.used, self.shell.user_ns)
        of_others = {name for name, number in self.unfinished.items() if self.codes[number] != self.code}
        self.announced = of_others & names.used - names.made
        self._announce(self.announced)

    def after_cell(self, result: Any) -> None:
        """What the cell makes is finished, if it ran to its end and used nothing unfinished."""
        names = _names_of(_statements(self.code))
        if result.success:
            for name in names.made | self._changed_models():
                self.unfinished.pop(name, None)
        if self.announced:
            self._remember(names.values | names.made - self.shell.user_ns.keys())

    def explain(self, error: BaseException, trace: TracebackType) -> None:
        """Say in a sentence what has happened, where that is known; show the traceback otherwise."""
        if isinstance(error, KeyboardInterrupt):
            self._explain_stop(trace)
        elif error.name in self.unfinished:  # type: ignore[attr-defined]
            self._announce({error.name} - self.announced)  # type: ignore[attr-defined]
        else:
            self.shell.showtraceback(running_compiled_code=True)

    def _explain_stop(self, trace: TracebackType) -> None:
        torch.set_num_threads(self.threads)
        place, line = self._place(trace)
        finished = [each for each in _statements(self.code) if (each.end_lineno or 0) < line]
        rest = _names_of([each for each in _statements(self.code) if (each.end_lineno or 0) >= line])
        names = rest.made | (_names_of(finished).values & rest.used) | self._changed_models()
        self._remember(names)
        run_again = "What it makes may be missing or incomplete. Run it again, to its end, before you go on."
        display(Panel("You stopped this cell.", (place, run_again)))  # type: ignore[no-untyped-call]

    def _remember(self, names: set[str]) -> None:
        number = len(self.shell.user_ns["_ih"]) - 1  # of the inputs so far, of which number 0 is empty
        self.codes[number] = self.code
        self.unfinished |= dict.fromkeys(names, number)

    def _announce(self, names: set[str]) -> None:
        for number in sorted({self.unfinished[name] for name in names}):
            of_cell = join_words([f"`{name}`" for name in sorted(names) if self.unfinished[name] == number])
            uses = f"This cell uses {of_cell} from cell [{number}], which is not finished."
            again = f"Run cell [{number}] again, to its end, and then this one."
            display(Panel("An earlier cell is not finished.", (f"{uses} {again}",)))  # type: ignore[no-untyped-call]

    def _place(self, trace: TracebackType) -> tuple[str, int]:
        """Where the cell was stopped: in words, and as the line of the cell."""
        words, line = "", 1
        for frame, number in _frames(trace):
            if frame.f_globals is not self.shell.user_global_ns:
                continue
            name, filename = frame.f_code.co_name, frame.f_code.co_filename
            if name == "<module>":
                line = number
            where = "" if name.startswith("<") else f" in `{name}`"
            source = linecache.getline(filename, number).strip()
            words = f"It was at `{source}`{where}." if source else ""
        return words, line

    def _changed_models(self) -> set[str]:
        now = _weights_of_models(set(self.weights), self.shell.user_ns)
        return {name for name, weights in self.weights.items() if now.get(name) != weights}

    def _plain_code(self, cell: str) -> str:
        """A cell's code without IPython's own syntax; of a `%%time`, what it times."""
        if cell.startswith("%%"):
            cell = cell.partition("\n")[2]
        return str(self.shell.transform_cell(cell))


@dataclass(frozen=True)
class _Names:
    """The names that statements make, those of them that are values and not imports or definitions, and all used."""

    made: set[str]
    values: set[str]
    used: set[str]


class _Reader(ast.NodeVisitor):
    """Collects names at the level of the cell. What a function does happens elsewhere, when it is called."""

    def __init__(self) -> None:
        self.defined: set[str] = set()
        self.values: set[str] = set()
        self.used: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        (self.used if isinstance(node.ctx, ast.Load) else self.values).add(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        self.values.add(node.arg)

    def visit_alias(self, node: ast.alias) -> None:
        self.defined.add((node.asname or node.name).partition(".")[0])

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.defined.add(node.name)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.expr) -> None:
        inner = _Reader()
        inner.generic_visit(node)
        self.used |= inner.used - inner.values  # its own variables are not the cell's

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda


def _names_of(statements: list[ast.stmt]) -> _Names:
    reader = _Reader()
    for each in statements:
        reader.visit(each)
    return _Names(reader.values | reader.defined, reader.values, reader.used)


def _statements(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError:  # which IPython reports
        return []


def _weights_of_models(names: set[str], variables: Mapping[str, Any]) -> dict[str, list[float]]:
    """The sum of each weight of the models among the names, by which it is seen whether a model has learned."""
    found = {}
    for name in names & variables.keys():
        # A model that cannot even be looked at is not worth a traceback before each cell.
        with suppress(Exception):
            weights = [weight for model in _models_in(variables[name]) for weight in model.parameters()]
            if weights:
                found[name] = [weight.detach().sum().item() for weight in weights]
    return found


def _models_in(value: Any) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield value
    elif isinstance(value, (dict, list, tuple)) and len(value) <= LONGEST_LIST:
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, nn.Module):
                yield each


def _frames(trace: TracebackType | None) -> Iterator[tuple[Any, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
