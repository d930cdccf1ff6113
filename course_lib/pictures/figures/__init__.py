"""The course's figures, all in one visual language: `look.css` and `look.json`.

Functions that draw with matplotlib take `ax`, describe on it in words what it shows, and return it; `show` puts picture
and words on the page. The map and the journey are SVG files and show themselves.
"""

from course_lib.pictures.figures.attention_grid import alignment, attention_grid
from course_lib.pictures.figures.beam_tree import beam_tree
from course_lib.pictures.figures.cache_staircase import cache_staircase
from course_lib.pictures.figures.clock_faces import clock_faces, offset_curve, position_table
from course_lib.pictures.figures.curves import curves, sorted_bars
from course_lib.pictures.figures.decoder_steps import decoder_steps
from course_lib.pictures.figures.display import described, show, style
from course_lib.pictures.figures.heads import head_grids, head_stages
from course_lib.pictures.figures.journey import JOURNEY_STOPS, Journey, JourneyStop, journey
from course_lib.pictures.figures.map import MAP_PARTS, MapPart, TransformerMap, transformer_map
from course_lib.pictures.figures.next_tokens import next_tokens
from course_lib.pictures.figures.residual_stream import residual_stream
from course_lib.pictures.figures.token_chips import neighbour_map, token_chips
from course_lib.pictures.figures.trade_off import trade_off
from course_lib.pictures.figures.who_notices import who_notices

__all__ = [
    "JOURNEY_STOPS",
    "MAP_PARTS",
    "Journey",
    "JourneyStop",
    "MapPart",
    "TransformerMap",
    "alignment",
    "attention_grid",
    "beam_tree",
    "cache_staircase",
    "clock_faces",
    "curves",
    "decoder_steps",
    "described",
    "head_grids",
    "head_stages",
    "journey",
    "neighbour_map",
    "next_tokens",
    "offset_curve",
    "position_table",
    "residual_stream",
    "show",
    "sorted_bars",
    "style",
    "token_chips",
    "trade_off",
    "transformer_map",
    "who_notices",
]
