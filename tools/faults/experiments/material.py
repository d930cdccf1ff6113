"""Faults to plant in course_lib/experiments/material.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("pair.english not in unseen and (", "(", "what is measured was learned"),
    ("len(pair.english) <= longest", "len(pair.english) < longest", "the longest sentence is left out"),
    (
        "english = WordTokenizer.from_sentences(pair.english for pair in [*known, *pairs])",
        "english = WordTokenizer.from_sentences(pair.english for pair in known)",
        "an unseen English word is unknown",
    ),
    ("examples=self.task.examples[:_FEW]", "examples=self.task.examples", "measures are tried on all examples"),
    ("if not len(getattr(self.task, name)):", "if False:", "a study without data is begun"),
    (
        "([french.bos, *french.encode(pair.french), french.eos],)",
        "([french.bos, *french.encode(pair.french)],)",
        "a text has no end",
    ),
    (
        '"target_vocabulary": len(french)',
        '"target_vocabulary": len(english)',
        "the languages are as large as each other",
    ),
]
