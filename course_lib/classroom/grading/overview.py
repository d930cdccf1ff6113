"""The teacher's view: one page of the class, which loads itself again. Nothing in the class is changed.

It says who is where, which exercise stops most students, and which known mistake is the commonest, so that it can be
discussed. Without names it has numbers of students only.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape

from course_lib.classroom.grading.progress import Standing
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.reports import in_code_font
from course_lib.pictures.look import LOOK_CSS

SECONDS = 10
MOST_MISTAKES = 5
MOST_EXERCISES = 10

CSS = """
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.6rem; }
p.about { color: var(--neutral); margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--neutral); padding-bottom: 0.4rem; }
th, td { text-align: left; padding: 0.35rem 0.8rem 0.35rem 0; border-bottom: 1px solid var(--border); }
th { vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bar { width: 38%; }
.bar span { display: inline-block; height: 0.8rem; vertical-align: middle; }
.bar .right { background: var(--value); }
.bar .stopped { background: repeating-linear-gradient(135deg, var(--key) 0 4px, var(--panel) 4px 7px); }
ol.mistakes { list-style: none; padding: 0; margin: 0; }
ol.mistakes li { background: var(--panel); border: 1.5px solid var(--border); border-radius: 8px; }
ol.mistakes li { padding: 0.6rem 1rem; margin: 0.5rem 0; }
ol.mistakes strong { margin-right: 0.4rem; }
code { font-size: 0.95em; color: inherit; background: none; }
button { font: inherit; color: inherit; background: var(--panel); border: 1.5px solid var(--border); }
button { border-radius: 6px; padding: 0.2rem 0.8rem; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
"""

# The page loads itself again, unless the reader has paused it. Where scripts are off, the browser does so.
SCRIPT = """
const button = document.querySelector("button");
const show = (paused) => {
  button.setAttribute("aria-pressed", paused);
  sessionStorage.setItem("paused", paused);
};
const isPaused = () => button.getAttribute("aria-pressed") === "true";
show(sessionStorage.getItem("paused") === "true");
button.hidden = false;
button.addEventListener("click", () => show(!isPaused()));
setInterval(() => { if (!isPaused()) location.reload(); }, SECONDS * 1000);
"""


def page(standings: Sequence[Standing], *, with_names: bool = True, now: datetime | None = None) -> str:
    """The page of a class, as HTML that needs no other file.

    Args:
        standings: where each student stands.
        with_names: whether students are named. Otherwise only their numbers are there.
        now: the time that the page gives; None: the present.
    """
    made = (now or datetime.now()).strftime("%H:%M:%S")
    count = len(standings)
    sections = [
        _mistakes(standings),
        _exercises(standings),
        _students(standings) if with_names else _places(standings),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="{SECONDS}"></noscript>
<title>The class at {made}</title>
<style>{LOOK_CSS}{CSS}</style>
</head>
<body class="course-picture">
<main>
<h1>The class</h1>
<p class="about">{_students_in_words(count)}, at {made}. The page loads itself again every {SECONDS} seconds.
<button type="button" aria-pressed="false" hidden>Pause</button></p>
{"".join(sections)}
</main>
<script>{SCRIPT.replace("SECONDS", str(SECONDS))}</script>
</body>
</html>
"""


def _students_in_words(count: int) -> str:
    return f"{count} student" if count == 1 else f"{count} students"


def _mistakes(standings: Sequence[Standing]) -> str:
    """The commonest known mistakes, each with the exercise and the number of students who make it."""
    counted = Counter(
        (name, each) for student in standings for name, found in student.mistakes.items() for each in found
    )
    if not counted:
        return "<h2>The commonest mistakes</h2><p>No known mistake has been seen yet.</p>"
    items = "".join(
        f"<li><strong>{_students_in_words(number)}, <code>{escape(name)}</code>.</strong> {in_code_font(sentence)}</li>"
        for (name, sentence), number in counted.most_common(MOST_MISTAKES)
    )
    return f'<h2>The commonest mistakes</h2><ol class="mistakes">{items}</ol>'


def _exercises(standings: Sequence[Standing]) -> str:
    """The exercises at which most students are stopped: tried, and not right."""
    stopped = Counter(name for student in standings for name in student.stopped_at)
    right = Counter(name for student in standings for name in student.right)
    if not stopped:
        return "<h2>Where most are stopped</h2><p>Nobody has tried an exercise that is not right by now.</p>"
    order = {each.name: position for position, each in enumerate(all_exercises())}
    names = sorted(stopped, key=lambda name: (-stopped[name], order.get(name, 0)))[:MOST_EXERCISES]
    rows = "".join(_exercise_row(name, stopped[name], right[name], len(standings)) for name in names)
    return (
        "<h2>Where most are stopped</h2><table><caption>Stopped: tried it, and it is not right by now. The bar shows "
        "who has it right, then, hatched, who is stopped.</caption><thead><tr>"
        '<th scope="col">exercise</th><th scope="col" class="number">stopped</th>'
        '<th scope="col" class="number">right</th><th scope="col">of the class</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _exercise_row(name: str, stopped: int, right: int, count: int) -> str:
    of_right, of_stopped = (100 * each / max(1, count) for each in (right, stopped))
    bar = f'<span class="right" style="width:{of_right:.0f}%"></span>'
    bar += f'<span class="stopped" style="width:{of_stopped:.0f}%"></span>'
    return (
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td class="number">{stopped}</td>'
        f'<td class="number">{right}</td><td class="bar" aria-hidden="true">{bar}</td></tr>'
    )


def _students(standings: Sequence[Standing]) -> str:
    """Each student: how far, how many parts are right, and at which exercises the student is stopped."""
    if not standings:
        return "<h2>Who is where</h2><p>Nobody is in the class yet.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(each.student)}</th><td>{_place(each.furthest)}</td>'
        f'<td class="number">{len(each.right)}</td>'
        f"<td>{_codes(each.stopped_at)}</td><td>{_time(each.last_saved)}</td></tr>"
        for each in standings
    )
    return (
        "<h2>Who is where</h2><table><caption>In the order of the list of students.</caption><thead><tr>"
        '<th scope="col">student</th><th scope="col">furthest exercise</th><th scope="col" class="number">right</th>'
        f'<th scope="col">stopped at</th><th scope="col">last saved</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _places(standings: Sequence[Standing]) -> str:
    """How many students are where, without their names."""
    places = Counter(each.furthest.name if each.furthest else "" for each in standings)
    in_order = [(each.name if each else "", each) for each in (None, *all_exercises())]
    rows = "".join(
        f'<tr><th scope="row">{_place(exercise)}</th><td class="number">{places[name]}</td></tr>'
        for name, exercise in in_order
        if places[name]
    )
    return (
        "<h2>How many are where</h2><table><caption>By the last exercise that is right or was tried.</caption><thead>"
        '<tr><th scope="col">furthest exercise</th><th scope="col" class="number">students</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _place(exercise: Exercise | None) -> str:
    return "not started" if exercise is None else f"{exercise.notebook:02d} · <code>{escape(exercise.name)}</code>"


def _codes(names: set[str]) -> str:
    in_order = [each.name for each in all_exercises() if each.name in names]
    return ", ".join(f"<code>{escape(name)}</code>" for name in in_order) or "–"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%d.%m. %H:%M") if seconds else "–"
