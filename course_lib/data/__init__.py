"""The data on which the course's models are trained: data sets to fetch, and a corpus that is generated here.

`fetch`, `present` and `path` deal with the data sets of `SETS`. The modules `tales` and `grammar` give access to texts.
"""

from course_lib.data.fetching import DataBroken, DataError, DataMissing, Offline, cache_folder, fetch, path, present
from course_lib.data.sets import SETS, DataSet

__all__ = [
    "SETS",
    "DataBroken",
    "DataError",
    "DataMissing",
    "DataSet",
    "Offline",
    "cache_folder",
    "fetch",
    "path",
    "present",
]
