"""What the course's models learn from: data sets that are fetched, and a corpus that is made here.

`fetch`, `present` and `path` deal with the sets of `SETS`. The modules `tales` and `grammar` hand out their contents.
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
