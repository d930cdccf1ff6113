"""The texts and weights of the course: fetched once, checked whenever they are read, never in the repository.

The grammar that makes the course's own sentences is in ``data.grammar``; each set of texts has a module that reads it.
"""

from course_lib.data.errors import DataBroken, DataError, DataMissing, Offline
from course_lib.data.fetching import cache_folder, damage, fetch, path, present
from course_lib.data.sets import SETS
from course_lib.data.sources import DataSet, Package, WebFile

__all__ = [
    "SETS",
    "DataBroken",
    "DataError",
    "DataMissing",
    "DataSet",
    "Offline",
    "Package",
    "WebFile",
    "cache_folder",
    "damage",
    "fetch",
    "path",
    "present",
]
