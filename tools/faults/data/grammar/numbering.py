"""Faults to plant in course_lib/data/grammar/numbering.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("[french.bos, *french.encode(pair.french)", "[*french.encode(pair.french)", "a translation has no beginning"),
    ("*french.encode(pair.french), french.eos]", "*french.encode(pair.french)]", "a translation has no end"),
    ("english.encode(pair.english), [", "french.encode(pair.english), [", "English is numbered as French"),
]
