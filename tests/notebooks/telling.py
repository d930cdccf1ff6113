"""Which cells tell the answer to a guess in their source, so that a learner reads it before the run."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from course_lib.copies.notebook import TELLS_THE_ANSWER

# Asserts and claims between a guess and its answer that were looked at: none of them tells the answer.
LOOKED_AT = {
    # 01 winner
    "A key scores high if it points where the query points, and if it is long.",
    # 02 one head: it is asked what half and half could reach at best, not how several heads fare
    "min(right_pairs[2], right_pairs[4]) > 0.99",
    "0.12 < right_pairs[1] < half_and_half / 64",
    # 02 wrong split: the first of the two is asked about
    "0.08 < second < 0.2",
    # 03 unknown: words are asked about
    "bpe_decode(ids, merges) == unseen",
    # 04 causal: the causal mask is asked about
    "changes['no mask'] < 1e-05",
    # 04 clocks, 04 offset: what is drawn
    "Below each clock are its two numbers. A row of clocks is a row of the table.",
    "Line: the dot products with position 5. Rings: those with position 20.",
    # 00 blind: the translator without positions is asked about
    "right['as trained'] > 190",
    # 07 share, 07 filler, 07 first loss
    "No model can get below the floor: the smoothed labels themselves are unsure.",
    "translate('the detective investigated') == 'le détective a enquêté'",
    "changed['[pad]'] <= 2",
    "in_the_end['around 1'] > in_the_end['around d_model^−0.5'] + 1",
    # 08 diagonal, 08 forced: a number is asked
    "floor < errors[best]",
    "baselines['the diagonal'] < baselines['at random']",
    "correct[3] < correct[7]",
    # 09 kept, 09 real: a number is asked
    "kept['Once upon a tim'] == 1 < kept['The ']",
    "real['0.5'] > real['1'] > real['1.5'] > chance",
    # 10 mask, 10 faster: the cache without a mask, and a number
    "max(wrong['yours']) < 1e-12",
    "texts['cached'] == texts['without']",
    "fast < slow",
    # 11 unchanged: the share of [mask] is in the text above. 11 gaps: neither compares the two in gaps
    "abs(found['[mask]'] / chosen.sum() - 0.8) < 0.02",
    "The masked model begins slowly. The two losses are answers to different questions.",
    "left < writes or not present('tales')",
    "both_sides < writes - 0.3 or not present('tales')",
}
# 00's table of NumPy's names and PyTorch's stands between a sum on paper and its result.
CELLS_LOOKED_AT = {"00-14"}


def faults(notebook: NotebookNode) -> list[str]:
    """List the cells that tell an answer and are not tagged, and those whose tag is of no use."""
    found, asked = list[str](), set[str]()
    for cell in notebook.cells:
        is_tagged = TELLS_THE_ANSWER in cell.metadata.get("tags", [])
        where = f"The cell that begins {cell.source.partition(chr(10))[0]!r}"
        tree = code_of(cell)
        asked |= _names(tree, "guess")
        if is_tagged and not asked:
            found.append(f"{where} has the tag {TELLS_THE_ANSWER!r}, but no guess waits for its answer there.")
        if is_tagged and re.match(r"\s*(reveal|assert|#)|.*\bclaim=", cell.source):
            found.append(f"{where} should begin with another line, since the bar of a folded cell shows the first one.")
        if not is_tagged and cell.id not in CELLS_LOOKED_AT:
            found += [f"{where} reveals {text}, which is not computed." for text in _literal_answers(tree)]
            texts = [text for text in asserts_and_claims(tree) if asked and text not in LOOKED_AT]
            found += [f"{where} may tell the answer to {' and '.join(sorted(asked))}: {text}." for text in texts]
        asked -= _names(tree, "reveal")
    return found


def code_of(cell: NotebookNode) -> ast.Module:
    """The cell's code, without the lines that are for IPython."""
    source = re.sub(r"(?m)^[ \t]*[%!].*$", "", cell.source) if cell.cell_type == "code" else ""
    return ast.parse(source)


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def _names(tree: ast.Module, function: str) -> set[str]:
    """The names of the guesses that a cell asks or reveals."""
    return {str(ast.literal_eval(call.args[0])) for call in _calls(tree, function)}


def _literal_answers(tree: ast.Module) -> Iterator[str]:
    for call in _calls(tree, "reveal"):
        if _is_literal(call.args[1]):
            yield ast.unparse(call.args[1])


def asserts_and_claims(tree: ast.Module) -> Iterator[str]:
    """What is asserted, without the messages, and the claims of figures that are not computed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield ast.unparse(node.test)
        elif isinstance(node, ast.keyword) and node.arg == "claim" and _is_literal(node.value):
            yield "".join(str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant))


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return isinstance(node, ast.JoinedStr) and not any(isinstance(each, ast.FormattedValue) for each in node.values)
    return True
