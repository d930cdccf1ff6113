"""The course's pictures, all in the one visual language of `course_lib/look.json`."""

from course_lib.figures.map import TransformerMap, transformer_map
from course_lib.figures.map_parts import MAP_HALVES, MAP_PARTS, MapPart

__all__ = ["MAP_HALVES", "MAP_PARTS", "MapPart", "TransformerMap", "transformer_map"]
