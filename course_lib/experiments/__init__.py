"""Experiments: a question about a Transformer, its runs over seeds, and an answer with an interval, for notebook 17.

study = Study(name="heads", question="…", data=translations(), variants=grid(heads=[1, 4]), steps=300)
results = study.run()
results.table(), results.plot(), results.compare("heads=1", "heads=4")
"""

from course_lib.experiments.keeping import StudyError
from course_lib.experiments.material import Data, sentences, translations
from course_lib.experiments.measures import LOSS, RIGHT, Measure, Trained, right_when_long, right_with_beams
from course_lib.experiments.results import Comparison, Results
from course_lib.experiments.study import Study
from course_lib.experiments.variants import SETTINGS, grid

__all__ = [
    "LOSS",
    "RIGHT",
    "SETTINGS",
    "Comparison",
    "Data",
    "Measure",
    "Results",
    "Study",
    "StudyError",
    "Trained",
    "grid",
    "right_when_long",
    "right_with_beams",
    "sentences",
    "translations",
]
