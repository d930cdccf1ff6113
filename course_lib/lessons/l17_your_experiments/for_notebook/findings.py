"""Half a page of findings: what the runs say is filled in, and what only the experimenter can say is left open."""

from course_lib.experiments import Results

TEMPLATE = """\
# {question}

**What I expected, and why.** …

**What was run.** {variants} variants ({names}), each trained with {seeds} seeds and a budget of {budget}. \
{failed}

**What came out.** The mean of each variant, and its lowest and highest seed:

{table}
{verdicts}

**What I conclude, and for which sizes and data it holds.** …

**What could be wrong with it.** Was one setting, such as the learning rate, tuned for one variant only? …

**What I would run next.** …
"""


def findings(results: Results, baseline: str) -> str:
    """Fill in the template, in Markdown, with each variant compared to the baseline.

    Raises ValueError for a baseline that is no variant.
    """
    results.values(baseline)  # refuses a name that there is not
    others = [name for name in results.variants if name != baseline]
    budget = results.budget
    failed = len(results.failed())
    return TEMPLATE.format(
        question=results.question,
        variants=len(results.variants),
        names=", ".join(results.variants),
        seeds=len(results.seeds),
        budget=f"{getattr(budget, budget.unit):,} {budget.unit}",
        failed=f"{failed} runs failed." if failed else "No run failed.",
        table=results.to_markdown(),
        verdicts="\n".join(f"- {results.compare(name, baseline)}" for name in others),
    )
