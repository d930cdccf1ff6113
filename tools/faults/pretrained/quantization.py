"""Faults to plant in course_lib/pretrained/quantization.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("scale, minimum = blocks", "minimum, scale = blocks", "the minimum read as the scale"),
    ("(packed & 0x0F, packed >> 4)", "(packed >> 4, packed & 0x0F)", "upper halves of the bytes first"),
    (
        "torch.cat((packed & 0x0F, packed >> 4), dim=1)",
        "torch.stack((packed & 0x0F, packed >> 4), dim=2).flatten(1)",
        "both halves of a byte as neighbours",
    ),
    ("scale * q + minimum", "scale * q - minimum", "the minimum subtracted"),
    ("scale * q + minimum", "scale * (q.float() - 8)", "the minimum left out, as in Q4_0"),
    (".view(torch.float16).float()", ".view(torch.bfloat16).float()", "the scale read as another type of 16 bits"),
    (".view(torch.float16).float()", ".view(torch.float16)", "numbers left in 16 bits"),
    (" or blocks.size(1) != BYTES_OF_BLOCK:", ":", "blocks of another size taken"),
    ("blocks.dtype != torch.uint8 or ", "", "blocks that are no bytes taken"),
]
