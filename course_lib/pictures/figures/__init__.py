"""The course's figures, all in one visual language: `look.css` and `look.json`.

Functions that draw with matplotlib take `ax`, describe on it in words what it shows, and return it; `show` puts picture
and words on the page. The map and the journey are SVG files and show themselves.
"""

from course_lib.pictures.figures.accuracy_bands import accuracy_bands
from course_lib.pictures.figures.attention_grid import alignment, attention_grid
from course_lib.pictures.figures.bands import bands
from course_lib.pictures.figures.beam_tree import beam_tree
from course_lib.pictures.figures.cache_staircase import cache_staircase
from course_lib.pictures.figures.clock_faces import clock_faces, offset_curve, position_table
from course_lib.pictures.figures.curves import curves, smoothed, sorted_bars, stacked_shares
from course_lib.pictures.figures.decoder_steps import decoder_steps
from course_lib.pictures.figures.display import described, draw, draw_side_by_side, show, style
from course_lib.pictures.figures.dot_product_angle import dot_product_angle
from course_lib.pictures.figures.heads import head_grids, head_stages
from course_lib.pictures.figures.journey import JOURNEY_STOPS, Journey, JourneyStop, journey
from course_lib.pictures.figures.map import MAP_PARTS, MapPart, TransformerMap, transformer_map
from course_lib.pictures.figures.merge_tree import merge_tree
from course_lib.pictures.figures.next_tokens import next_tokens, next_tokens_compared
from course_lib.pictures.figures.norm_places import norm_places
from course_lib.pictures.figures.residual_stream import residual_stream
from course_lib.pictures.figures.score_ranges import score_ranges
from course_lib.pictures.figures.share_table import share_table
from course_lib.pictures.figures.strip import MapStrip, map_strip
from course_lib.pictures.figures.token_chips import neighbour_map, token_chips
from course_lib.pictures.figures.trade_off import trade_off
from course_lib.pictures.figures.who_notices import who_notices

__all__ = [
    "JOURNEY_STOPS",
    "MAP_PARTS",
    "Journey",
    "JourneyStop",
    "MapPart",
    "MapStrip",
    "TransformerMap",
    "accuracy_bands",
    "alignment",
    "attention_grid",
    "bands",
    "beam_tree",
    "cache_staircase",
    "clock_faces",
    "curves",
    "decoder_steps",
    "described",
    "dot_product_angle",
    "draw",
    "draw_side_by_side",
    "head_grids",
    "head_stages",
    "journey",
    "map_strip",
    "merge_tree",
    "neighbour_map",
    "next_tokens",
    "next_tokens_compared",
    "norm_places",
    "offset_curve",
    "position_table",
    "residual_stream",
    "score_ranges",
    "share_table",
    "show",
    "smoothed",
    "sorted_bars",
    "stacked_shares",
    "style",
    "token_chips",
    "trade_off",
    "transformer_map",
    "who_notices",
]
