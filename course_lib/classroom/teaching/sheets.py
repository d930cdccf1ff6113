"""A sheet to print for a lesson: the map, the formula and an exercise on paper, with the answers on the back.

One HTML file that needs no network, for A4 and US Letter alike.
"""

import io
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

import matplotlib as mpl
from matplotlib.figure import Figure

from course_lib.classroom.teaching.lesson import Lesson
from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, paper_of
from course_lib.exercises.reports import in_code_font
from course_lib.pictures.figures import transformer_map
from course_lib.pictures.look import COLOURS

# A page is as high as US Letter allows and as wide as A4 allows, with margins of 12 mm. Printers need black on white.
_STYLE = f"""
@page {{ margin: 12mm; }}
* {{ box-sizing: border-box; }}
body {{
  margin: 0 auto; width: 186mm; color: {COLOURS["ink"]["light"]}; background: #FFFFFF; color-scheme: light;
  font: 10pt/1.3 system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif;
}}
.page {{ display: flex; flex-direction: column; height: 252mm; overflow: hidden; }}
.front {{ break-after: page; }}
header span {{ white-space: nowrap; }}
header {{ display: flex; justify-content: space-between; align-items: baseline; border-bottom: 1.5px solid; }}
h1 {{ font-size: 15pt; margin: 0 0 1mm; }}
p {{ margin: 1mm 0; }}
code {{ font: 0.92em ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
.map {{ display: block; width: 124mm; margin: 1.5mm auto 0; }}
.formula {{ text-align: center; margin: 1mm 0 0; }}
.formula img {{ display: block; margin: 0 auto 1mm; max-width: 100%; }}
.source {{ font-size: 8.5pt; color: {COLOURS["neutral"]["light"]}; }}
table {{ border-collapse: collapse; align-self: flex-start; margin: 1mm 0; }}
th, td {{
  border: 1px solid {COLOURS["border"]["light"]}; padding: 0.3mm 3mm; text-align: center; min-width: 18mm; height: 6mm;
}}
th:first-child, td:first-child {{ text-align: left; }}
.question {{ display: flex; flex-direction: column; margin-top: 1.5mm; }}
.back .question {{ margin-top: 5mm; }}
.back .asked {{ color: {COLOURS["neutral"]["light"]}; }}
.room {{
  flex: 1;
  background: repeating-linear-gradient(transparent 0 calc(6.5mm - 1px), {COLOURS["masked"]["light"]}66 0 6.5mm);
}}
@media screen {{ .page {{ margin: 8mm auto; }} }}
@media print {{ .room {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }} }}
"""


def sheet(lesson: Lesson) -> str:
    """Return the sheet of a lesson as an HTML page."""
    paper = paper_of(lesson.number)
    title = f"{lesson.number:02d} · {lesson.title}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{_front(lesson, paper, title)}{_back(paper, title)}</body>\n</html>\n"
    )


def _front(lesson: Lesson, paper: Paper, title: str) -> str:
    chart = transformer_map(now=lesson.on_map)
    questions = "".join(_asked(number, question) for number, question in enumerate(paper.questions, start=1))
    return (
        f'<section class="page front">\n<header><h1>{escape(title)}</h1><span>Name: {"_" * 20}</span></header>\n'
        f"{_image(chart.svg(), chart.alt, 'map')}\n{_formula(paper.formula)}"
        f"<p><strong>On paper.</strong> {in_code_font(paper.task)}</p>\n{_table(paper.given)}{questions}</section>\n"
    )


def _back(paper: Paper, title: str) -> str:
    answers = "".join(_answered(number, question) for number, question in enumerate(paper.questions, start=1))
    return (
        f'<section class="page back">\n<header><h1>{escape(title)}: answers</h1></header>\n'
        f"<p>{in_code_font(paper.task)}</p>\n{_table(paper.given)}{answers}</section>\n"
    )


def _asked(number: int, question: Question) -> str:
    """A question with its room, which grows until the page is full."""
    room = f'<div class="room" style="min-height:{6.5 * question.room:g}mm"></div>' if question.room else ""
    return (
        f'<div class="question" style="flex:{question.room} 0 auto"><p>{number}. {in_code_font(question.text)}</p>'
        f"{_table(question.table)}{room}</div>\n"
    )


def _answered(number: int, question: Question) -> str:
    answer = question.answer
    said = _table(answer) if isinstance(answer, Table) else f"<p>{in_code_font(answer)}</p>"
    return f'<div class="question"><p class="asked">{number}. {in_code_font(question.text)}</p>{said}</div>\n'


def _table(table: Table | None) -> str:
    if table is None:
        return ""
    return f"<table>{_row(table.head, 'th')}{''.join(_row(row, 'td') for row in table.rows)}</table>\n"


def _row(cells: Iterable[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{in_code_font(cell)}</{tag}>' for cell in cells)}</tr>"


def _formula(formula: Formula) -> str:
    lines = "".join(_image(formula_svg(line), line, "") for line in formula.lines)
    return f'<div class="formula">{lines}<span class="source">{in_code_font(formula.source)}</span></div>\n'


def _image(svg: str, alt: str, name: str) -> str:
    return f'<img class="{name}" alt="{escape(alt)}" src="data:image/svg+xml,{quote(svg)}">'


def formula_svg(latex: str) -> str:
    """Draw a formula as an SVG file whose letters are shapes, so that it needs no fonts.

    Raises ValueError for LaTeX that matplotlib's mathtext does not know.
    """
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "course", "mathtext.fontset": "cm"}):
        figure = Figure()
        figure.text(0, 0, f"${latex}$", fontsize=13, color=COLOURS["ink"]["light"])
        figure.savefig(
            file, format="svg", bbox_inches="tight", pad_inches=0.02, transparent=True, metadata={"Date": None}
        )
    return file.getvalue()
