"""Lesson 15 on paper: BLEU for one sentence, with pairs of words at most."""

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, short
from course_lib.scoring.bleu import bleu, brevity_penalty, clipped_matches, count_ngrams

REFERENCES = ("le chat est assis sur le tapis", "le chat se trouve sur le tapis")
MACHINE = "le chat le chat sur le tapis"
SHORT = "le chat"
LONGEST = 2


def paper() -> Paper:
    """Make the exercise and its answers."""
    references, machine = [text.split() for text in REFERENCES], MACHINE.split()
    matches = {n: clipped_matches(machine, references, n) for n in (1, 2)}
    totals = {n: sum(count_ngrams(machine, n).values()) for n in (1, 2)}
    penalty = brevity_penalty(len(machine), len(references[0]))
    score = bleu([machine], [references], LONGEST)
    short_penalty = brevity_penalty(len(SHORT.split()), len(references[0]))
    short_score = bleu([SHORT.split()], [references], LONGEST)
    return Paper(
        formula=Formula(
            (r"\mathrm{BLEU}=100\cdot\min\left(1,\;e^{\,1-r/c}\right)\cdot(p_1\,p_2\cdots p_n)^{1/n}",),
            "Papineni et al. 2002, section 2.3",
        ),
        task="The English is: The cat is sitting on the mat.",
        given=Table(
            ("who", "translation"),
            (("one person", REFERENCES[0]), ("another", REFERENCES[1]), ("a machine", MACHINE)),
        ),
        questions=(
            Question(
                "How many of the machine's words are right? A word counts at most as often as in the person's "
                "sentence that "
                "has it most often.",
                f"{matches[1]} of {totals[1]}.",
                room=2,
            ),
            Question(
                "Write down its pairs of neighbouring words. How many of them are right, counted in the same way?",
                f"{matches[2]} of {totals[2]}: {_pairs(machine)}; right are those that a person has, each once.",
                room=3,
            ),
            Question(
                f"What is its BLEU, with words and pairs only (n = {LONGEST})? It is as long as the references.",
                f"{short(score, 1)}: the penalty is {short(penalty)}, and √({matches[1]}/{totals[1]} · "
                f"{matches[2]}/{totals[2]}) = {short(score / 100, 3)}.",
                room=2,
            ),
            Question(
                f"Another machine writes only “{SHORT}”. All of it is right. What is its score? (e^(−2.5) ≈ 0.08)",
                f"{short(short_score, 1)}: the penalty is {short(short_penalty)}, since it has {len(SHORT.split())} "
                "words "
                f"where the references have {len(references[0])}.",
                room=2,
            ),
        ),
    )


def _pairs(words: list[str]) -> str:
    return ", ".join(
        f"{' '.join(pair)}" + (f" ({n} times)" if n > 1 else "") for pair, n in count_ngrams(words, 2).items()
    )
