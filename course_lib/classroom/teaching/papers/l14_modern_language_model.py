"""Lesson 14 on paper: a norm without a mean, shared keys, and numbers in four bits."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.pretrained.quantization import unpack_q4_1
from course_lib.transformer.attention import repeat_heads
from course_lib.transformer.layers import LayerNorm, RMSNorm

NUMBERS = (1.0, 7.0)
HEADS, KV_HEADS = 9, 3
SCALE, MINIMUM, STORED = 0.5, -1.0, (0, 3, 15)


def paper() -> Paper:
    """Make the exercise and its answers."""
    x = torch.tensor(NUMBERS)
    with torch.no_grad():
        by_rms, by_layer_norm = RMSNorm(len(x))(x).tolist(), LayerNorm(len(x))(x).tolist()
    divided = NUMBERS[0] / by_rms[0]
    key_heads = torch.arange(KV_HEADS, dtype=torch.float32)[None, :, None, None]
    reads = repeat_heads(key_heads, HEADS // KV_HEADS).flatten().int().tolist()
    head = torch.tensor([SCALE, MINIMUM], dtype=torch.float16).view(torch.uint8)
    packed = torch.zeros(16, dtype=torch.uint8)
    packed[: len(STORED)] = torch.tensor(STORED, dtype=torch.uint8)
    block = torch.cat((head, packed))[None]
    unpacked = unpack_q4_1(block)
    names = tuple(f"query head {h}" for h in range(HEADS))
    return Paper(
        formula=Formula(
            (
                r"\mathrm{RMSNorm}(x)=\mathrm{gain}\cdot\frac{x}{\sqrt{\mathrm{mean}(x^2)+\epsilon}}",
                r"\mathrm{SwiGLU}(x)=(\mathrm{SiLU}(xW_{gate})\cdot xW_1)\,W_2",
            ),
            "Zhang and Sennrich 2019, arXiv:1910.07467, equation 4; Shazeer 2020, arXiv:2002.05202, equation 6",
        ),
        task="Two of the four changes from 2017 to Llama, and how a file stores its weights.",
        questions=(
            Question(
                f"A token has the two features {listed(NUMBERS)}. By what does RMSNorm divide, and what comes out? "
                "What "
                "comes out of LayerNorm? (Gain 1, bias 0, no ε.)",
                f"It divides by {short(divided)}: {listed(by_rms)}. LayerNorm gives {listed(by_layer_norm)}.",
                room=3,
            ),
            Question(
                f"{HEADS} query heads share {KV_HEADS} heads of keys, in groups of neighbours. Which key head does "
                "each one "
                "read?",
                Table(tuple(name.removeprefix("query head ") for name in names), (tuple(str(i) for i in reads),)),
                Table(tuple(name.removeprefix("query head ") for name in names), (("",) * HEADS,)),
                room=0,
            ),
            Question(
                f"How much of the cache is left, compared with {HEADS} heads of keys?",
                f"{KV_HEADS} of {HEADS} parts: one in {HEADS // KV_HEADS}.",
                room=1,
            ),
            Question(
                f"A block stores {unpacked.size(1)} numbers in {block.size(1)} bytes. How many bits is that for each?",
                f"{short(8 * block.size(1) / unpacked.size(1))}: four for the number, and one for its share of the "
                "scale "
                "and the minimum.",
                room=2,
            ),
            Question(
                f"The scale is {short(SCALE)}, the minimum {short(MINIMUM)}. Which numbers are stored as "
                f"{listed(STORED)}?",
                f"{listed(unpacked[0, : len(STORED)].tolist())}: scale · q + minimum.",
                room=2,
            ),
        ),
    )
