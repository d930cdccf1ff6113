"""The parts of the Transformer's map: their names, the notebooks that build them, their states."""

from dataclasses import dataclass
from typing import Literal

State = Literal["later", "given", "now", "yours", "not_used"]
States = dict[str, tuple[State, ...]]


@dataclass(frozen=True)
class MapPart:
    """One part of the map: its stable id, its name, the notebook that builds it, and where the list puts it."""

    id: str
    name: str
    lesson: int
    place: str


MAP_PARTS: tuple[MapPart, ...] = (
    MapPart("source_embedding", "source embedding", 3, "Input"),
    MapPart("target_embedding", "target embedding", 3, "Input"),
    MapPart("positions", "positions", 4, "Input"),
    MapPart("encoder_attention", "self-attention", 1, "Encoder layer, N times"),
    MapPart("encoder_feed_forward", "feed-forward", 5, "Encoder layer, N times"),
    MapPart("encoder_norm", "add & norm", 5, "Encoder layer, N times"),
    MapPart("memory", "memory", 7, "From encoder to decoder"),
    MapPart("masked_attention", "masked self-attention", 6, "Decoder layer, N times"),
    MapPart("cross_attention", "cross-attention", 7, "Decoder layer, N times"),
    MapPart("decoder_feed_forward", "feed-forward", 6, "Decoder layer, N times"),
    MapPart("projection", "projection", 6, "Output"),
    MapPart("softmax", "softmax", 0, "Output"),
    MapPart("loss", "loss", 6, "Output"),
    MapPart("choose", "choose", 8, "Output"),
)

MAP_HALVES: dict[str, tuple[str, ...]] = {
    "encoder": (
        "source_embedding",
        "encoder_attention",
        "encoder_feed_forward",
        "encoder_norm",
        "memory",
        "cross_attention",
    ),
    "decoder": (
        "target_embedding",
        "memory",
        "masked_attention",
        "cross_attention",
        "decoder_feed_forward",
        "projection",
        "softmax",
        "loss",
        "choose",
    ),
}

PART_NAMES = {part.id: part.name for part in MAP_PARTS}
# In a sentence the place is missing, so the two feed-forwards and the two self-attentions need theirs.
NAMES_IN_A_SENTENCE = PART_NAMES | {
    "encoder_attention": "encoder self-attention",
    "encoder_feed_forward": "encoder feed-forward",
    "decoder_feed_forward": "decoder feed-forward",
}
