"""A small tokenizer of word pieces for the tests, made here."""

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from course_lib.text.pretrained import PretrainedTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def small_tokenizer(*, specials: bool = True) -> PretrainedTokenizer:
    """Pieces of one letter, a few longer ones, and punctuation."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), "new", "grimm", "##s", "the", "-", ".", ","]
    library = Tokenizer(WordPiece({piece: i for i, piece in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]"))
    library.normalizer = BertNormalizer()
    library.pre_tokenizer = BertPreTokenizer()
    library.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PretrainedTokenizer(library, pad=0, unk=1, bos=2, eos=3) if specials else PretrainedTokenizer(library, pad=0)
