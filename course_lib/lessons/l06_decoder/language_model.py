"""The exercise `LanguageModel` of notebook 06."""

import torch
from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import with_fixed_weights
from course_lib.transformer import models
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import EncoderLayer
from course_lib.transformer.positions import embed_with_positions

SIZES = (5, 4, 2, 7, 1)
DEEP = (5, 4, 2, 7, 2)

language_model = Exercise(
    reference=models.LanguageModel,
    notebook=6,
    order=50,
    minutes=20,
    difficulty=2,
    on_map="projection",
    adapt=with_fixed_weights(constructor_arguments=5, block=2, uncounted_sizes=(5,)),
    returns=(
        Result("logits", "B, T, V"),
        Result("the count of numbers in the layers' weight matrices"),
    ),
    example=case(*SIZES, torch.tensor([[1, 4, 3]])),
    another=case(*SIZES, torch.tensor([[2, 2, 4]])),
    cases=(
        case(*DEEP, torch.tensor([[1, 4, 3]]), having=("two layers",)),
        case(*SIZES, torch.tensor([[1, 4, 2, 2], [3, 3, 1, 4], [2, 1, 4, 3]]), having=("a batch",)),
        case(*DEEP, torch.tensor([[1, 4, 3], [3, 3, 0], [2, 1, 1]]), having=("two layers", "a batch")),
        case(*SIZES, torch.tensor([[1]]), having=("a single token",)),
    ),
    hints=(
        (
            "An encoder under a causal mask, with a table of vectors in front and the logits behind. All its parts are "
            "yours already."
        ),
        (
            "In `__init__`: a table (V, d_model), and an `nn.ModuleList` of `EncoderLayer`s. In `forward`: embed with "
            "positions, go through all layers, each under `causal_mask(T)`."
        ),
        (
            "From (B, T, d_model) to (B, T, V) is one more linear map. The transposed table will do, `.T`: a token is "
            "likely where the vector found looks like its own."
        ),
    ),
)


language_model.patch(
    "Nothing hides the future in your model: each position reads the token that it is to predict. The loss will look "
    "wonderful, and the text will be garbage. Hand `causal_mask(T)` to each layer.",
    replace="layer(hidden, mask)",
    by="layer(hidden)",
)


@language_model.mistake(
    "Your mask is off by one: each position reads the next token too, which is the very one that it is to predict. The "
    "diagonal is open, and nothing to the right of it."
)
def reads_the_next(*sizes):
    return models.LanguageModel(*sizes, mask=lambda T: torch.ones(T, T, dtype=torch.bool).tril(1))


language_model.patch(
    "Only your first layer gets the mask. The future leaks in through the others: hand it to each layer.",
    replace="hidden = layer(hidden, mask)",
    by="hidden, mask = layer(hidden, mask), None",
)


@language_model.mistake(
    "There are no positions in your embeddings: `embed_with_positions` looks tokens up, scales them, and adds where "
    "they stand."
)
def no_positions(*sizes):
    return models.LanguageModel(*sizes, embed=lambda ids, table: table[ids] * table.size(1) ** 0.5)


language_model.patch(
    "Your model ends in a softmax. It returns logits: the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)

language_model.patch(
    "You return the prediction at the last position only. All T positions predict, and all are trained on at once.",
    replace="return logits",
    by="return logits[:, -1]",
)

language_model.patch(
    "All your layers are the same one: `[layer] * N` holds one layer N times. Make a new one for each.",
    replace="nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
    by="nn.ModuleList([layer(d_model, heads, d_ff, dropout)] * layers)",
    seen="https://github.com/IDEA-Research/DAB-DETR/issues/17",
)

language_model.patch(
    "torch does not know of your layers: in a plain Python list they are never trained. Use `nn.ModuleList`.",
    replace="nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
    by="[layer(d_model, heads, d_ff, dropout) for _ in range(layers)]",
    seen="https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7",
)


@language_model.right_for_whole_course
class OfModules(nn.Module):
    def __init__(self, vocab_size, d_model, heads, d_ff, n_layers, dropout=0.1):
        super().__init__()
        self.wte, self.head = nn.Embedding(vocab_size, d_model), nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.wte.weight, std=d_model**-0.5)
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(EncoderLayer(d_model, heads, d_ff, dropout))

    def forward(self, idx):
        x = embed_with_positions(idx, self.wte.weight)
        for block in self.blocks:
            x = block(x, causal_mask(idx.shape[1]))
        return self.head(x)


@language_model.right
class LanguageModelOfTorch(nn.Module):
    def __init__(self, V, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table = nn.Embedding(V, d_model)
        self.body = nn.ModuleList(
            nn.TransformerEncoderLayer(d_model, heads, d_ff, dropout, batch_first=True) for _ in range(layers)
        )

    def forward(self, ids):
        x = embed_with_positions(ids, self.table.weight)
        for layer in self.body:
            x = layer(x, nn.Transformer.generate_square_subsequent_mask(ids.size(1)), is_causal=True)
        return torch.einsum("btd,vd->btv", x, self.table.weight)
