"""The trained encoder whose parameters notebook 05 loads into the learner's layers, and sentences for it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.data import DataMissing
from course_lib.pretrained import load_encoder
from course_lib.transformer.build import build_encoder
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Encoder


def encoder_and_ids(sentences: Sequence[str]) -> tuple[Encoder, Tensor, str]:
    """Load the pretrained encoder, and turn sentences into its ids.

    Where its parameters are missing, a small encoder with random ones takes its place, and ids are random too.

    Returns the encoder, the ids (B, S), filled up with 0 on the right, and a sentence that says what they are.
    """
    try:
        pretrained = load_encoder("cpu")
    except DataMissing as missing:
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(1, 50, (len(sentences), 8), generator=generator)  # (B, S)
        lengths = torch.tensor([len(sentence.split()) for sentence in sentences])  # (B,)
        ids[torch.arange(8) >= lengths.clamp(max=8).unsqueeze(1)] = 0
        small = TransformerConfig.bert(vocabulary=50, d_model=24, heads=2, d_ff=48, layers=2, dropout=0.0)
        about = f"{missing} Until then, a small encoder with random parameters takes its place."
        return build_encoder(small).eval(), ids, about
    return pretrained.encoder, pretrained.ids(sentences), "all-MiniLM-L6-v2, with its trained parameters."
