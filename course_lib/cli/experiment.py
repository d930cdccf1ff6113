"""Run a ready experiment, such as `heads`, or list them all.

Each trains small translators for some minutes, every variant once with each seed, and answers with a table in which
every number has its band. What is done is kept in my_course/experiments, so that Ctrl-C costs nothing. The answer that
was recorded for the course is shown beside it; --recorded shows that alone. Notebook 17 asks questions of your own.
"""

import argparse

from course_lib.cli.common import CommandError
from course_lib.text.wording import as_sentence

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the name of a study, how often and where it runs, and a choice to show the recorded answer only."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a ready experiment; without a name, they are listed")
    parser.add_argument("--recorded", action="store_true", help="run nothing, and show the recorded answer")
    parser.add_argument("--seeds", type=int, default=3, help="how often each variant is trained (3)")
    parser.add_argument("--workers", type=int, help="how many processes train at once (as many as there are cores)")


def run(arguments: argparse.Namespace) -> int:
    """List the studies, or answer one."""
    from course_lib.experiments import ready

    if arguments.name is None:
        for name, about in ready.READY.items():
            found = ready.recorded(name)
            print(f"{name}: {about.question}\n  {found or 'No answer was recorded.'}")
        return 0
    if arguments.name not in ready.READY:
        raise CommandError(f"There is no experiment `{arguments.name}`: choose among {', '.join(ready.READY)}.")
    for option, value in (("--seeds", arguments.seeds), ("--workers", arguments.workers)):
        if value is not None and value < 1:
            raise CommandError(f"{option} should be 1 or more, but is {value}.")
    about, found = ready.READY[arguments.name], ready.recorded(arguments.name)
    print(f"{about.question}\n\nWhat is known: {about.known}\n", flush=True)
    interrupted = False if arguments.recorded else _answer(arguments)
    if found:
        print(f"{found}\n\n{_in_words(found.results)}")
    else:
        print("No answer was recorded for this experiment.")
    return 130 if interrupted else 0


def _answer(arguments: argparse.Namespace) -> bool:
    """Run the study, and print its answer. Returns whether it was interrupted."""
    from course_lib.experiments import StudyError, ready

    study = ready.ready(arguments.name, arguments.seeds)
    try:
        results = study.run(workers=arguments.workers)
    except StudyError as error:
        raise CommandError(as_sentence(error)) from error
    print(f"On this computer:\n\n{_in_words(results)}\n")
    for each in results.failed():
        print(f"{each.variant} with seed {each.seed} failed: {each.outcome.error}.")
    if results.interrupted:
        print("Stopped: run the same command again to continue.")
    return results.interrupted


def _in_words(results: object) -> str:
    """The table of a study, without its curves, and what it says."""
    from course_lib.experiments.ready import verdicts
    from course_lib.experiments.results import Results

    assert isinstance(results, Results)
    table = results.table().to_string(na_rep="")
    return "\n".join([table, "", *verdicts(results)])
