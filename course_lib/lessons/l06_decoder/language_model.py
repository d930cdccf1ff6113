"""The exercise `LanguageModel` of notebook 06."""

import torch
from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.dropout import dropout_of_model
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, count_tables, with_count
from course_lib.exercises.weights.initialisation import copied_layers, start_of_model
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import models
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import EncoderLayer
from course_lib.transformer.positions import embed_with_positions

SIZES = (5, 4, 2, 7, 1)
DEEP = (5, 4, 2, 7, 2)

LEARNED = ClassWithWeights(
    reference=models.LanguageModel,
    inputs=lambda vocabulary, *_: (1 + torch.arange(24).reshape(2, 12) * 5 % (vocabulary - 1),),
    sizes=(7, 8, 4, 5, 2),
    wide=(50, 64, 4, 96, 2),
    block=2,
    d_model=1,
    vocabularies=(0,),
    dropout=5,
)

language_model = Exercise(
    reference=models.LanguageModel,
    notebook=6,
    order=50,
    minutes=20,
    difficulty=2,
    on_map="projection",
    adapt=with_count(LEARNED, lambda fixed, sizes: count_tables(fixed, LEARNED.vocabulary_sizes(sizes))),
    further_check=judge_class(LEARNED, copied_layers(4), start_of_model, dropout_of_model(0)),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("logits", "B, T, V"),
        Result("the gradients of the layers' matrices"),
        Result("the count of your tables"),
    ),
    example=case(*SIZES, torch.tensor([[1, 4, 3]])),
    another=case(*SIZES, torch.tensor([[2, 2, 4]])),
    cases=(
        case(*DEEP, torch.tensor([[1, 4, 3]]), having=("two layers",)),
        case(
            *SIZES,
            torch.tensor([[1, 4, 2, 2], [3, 0, 1, 4], [2, 1, 4, 3]]),
            having=("a batch", "the id 0 before other ids"),
        ),
        case(*DEEP, torch.tensor([[1, 4, 3], [3, 3, 0], [2, 1, 1]]), having=("two layers", "a batch")),
        case(*SIZES, torch.tensor([[1]]), having=("a single token",)),
        case(
            *(9, 6, 3, 5, 1),
            torch.tensor([[1, 8, 3], [2, 0, 4]]),
            having=("other sizes", "a batch", "the id 0 before other ids"),
        ),
    ),
    hints=(
        (
            "You have written all the parts. Follow one text of ids through the model: which shape does it have after "
            "the table, after the layers, and at the end?"
        ),
        (
            "`__init__` makes a table (V, d_model), one `nn.Dropout` and an `nn.ModuleList` of `EncoderLayer`s. "
            "`forward` embeds with positions, applies dropout, and passes the result through all layers, each under "
            "the same causal mask."
        ),
        (
            "After the layers, `hidden` has the shape (B, T, d_model). Compare it with the vector of every token: a "
            "product with the transposed table, `.T`, gives (B, T, V)."
        ),
    ),
)


# Softmax and log-softmax come first: beside any other mistake, they are the likeliest second one.

language_model.patch(
    "Your model ends in a softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)

language_model.patch(
    "Your model ends in a log-softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.log_softmax(-1)",
)

language_model.patch(
    "Nothing hides the future in your model, so each position reads the token that it should predict. The loss will "
    "look wonderful, and the text will be garbage: pass `causal_mask(T)` to each layer.",
    replace="layer(hidden, mask)",
    by="layer(hidden)",
)


language_model.patch(
    "Your mask is off by one: each position also reads the next token, which it should predict. The mask should be "
    "True on the diagonal and below it, nowhere else.",
    replace="self.mask(T)",
    by="self.mask(T + 1)[1:, :T]",
)


language_model.patch(
    "Your mask is the wrong way round: each position reads itself and the tokens after it, and none before it. The "
    "mask should be True on the diagonal and below it, nowhere else: pass `causal_mask(T)` as it is.",
    replace="self.mask(T)",
    by="self.mask(T).mT",
)


language_model.patch(
    "Your mask has the size of the batch, B, which is the number of texts, `len(ids)`. Its size is their length T, "
    "`ids.size(1)`.",
    replace="self.mask(T)",
    by="self.mask(len(ids))",
)


language_model.patch(
    "Your model scales the embeddings by √d_model a second time. `embed_with_positions` scales the vectors of the "
    "tokens already.",
    replace="self.embed(ids, self.table), ",
    by="self.embed(ids, self.table) * self.table.size(1) ** 0.5, ",
)


language_model.patch(
    "Your token vectors are scaled by √d_model twice. `embed_with_positions` scales them already: pass it the table "
    "as it is.",
    replace="self.embed(ids, self.table), ",
    by="self.embed(ids, self.table * self.table.size(1) ** 0.5), ",
)


language_model.patch(
    "Only your first layer gets the mask, and the future leaks in through the others. Pass the mask to each layer.",
    replace="hidden = layer(hidden, mask)",
    by="hidden, mask = layer(hidden, mask), None",
)


language_model.patch(
    "There are no positions in your embeddings. Use `embed_with_positions`, which looks up the tokens, scales their "
    "vectors and adds the positions.",
    replace="self.embed(ids, self.table), ",
    by="self.table[ids] * self.table.size(1) ** 0.5, ",
)


language_model.patch(
    "Your model returns the prediction at the last position only. Return those of all T positions, which are all "
    "trained at once.",
    replace="return logits",
    by="return logits[:, -1]",
)

language_model.patch(
    "All your layers are one and the same, as in `[layer] * N`, which holds one layer N times. Make a new layer for "
    "each place in the list.",
    replace="nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
    by="nn.ModuleList([layer(d_model, heads, d_ff, dropout)] * layers)",
    seen="https://github.com/IDEA-Research/DAB-DETR/issues/17",
)

language_model.patch(
    "Torch does not find your layers, as in a plain Python list, so they are never trained. Use `nn.ModuleList`.",
    replace="nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
    by="[layer(d_model, heads, d_ff, dropout) for _ in range(layers)]",
    seen="https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7",
)


language_model.patch(
    "Your model looks up the token vectors without scaling them. `embed_with_positions` multiplies them by √d_model "
    "before it adds the positions.",
    replace="self.embed(ids, self.table), ",
    by="self.embed(ids, self.table / self.table.size(1) ** 0.5), ",
)


language_model.patch(
    "Your model uses the token vectors as they are, without scale and without positions. Use `embed_with_positions`, "
    "which does both.",
    replace="self.embed(ids, self.table), ",
    by="self.table[ids], ",
)


language_model.patch(
    "Your model adds the positions twice. `embed_with_positions` adds them already.",
    replace="self.embed(ids, self.table), ",
    by="self.embed(ids, self.table) + self.embed(ids, 0 * self.table), ",
)


language_model.patch(
    "Your layers have no effect: your logits come from the embeddings. Pass the result of one layer to the next, `x = "
    "layer(x, mask)`, and use the last one.",
    replace="hidden = layer(hidden, mask)",
    by="layer(hidden, mask)",
)

language_model.patch(
    "Only one of your layers has an effect. The embeddings go through all of them, one after another: `x = layer(x, "
    "mask)`.",
    replace="for layer in self.layers:",
    by="for layer in self.layers[-1:]:",
)

language_model.patch(
    "Your model adds what goes into a layer to what comes out. The residual connections are inside the layer already.",
    replace="hidden = layer(hidden, mask)",
    by="hidden = hidden + layer(hidden, mask)",
)

language_model.patch(
    "Your model returns the vectors of the last layer, (B, T, d_model). One more product, with the transposed table, "
    "gives the logits (B, T, V).",
    replace="return logits",
    by="return hidden",
)

language_model.patch(
    "Your model returns the likeliest token at each position. Return the logits of all V tokens: the loss and the "
    "sampler both need them.",
    replace="return logits",
    by="return logits.argmax(-1) + 0 * logits[..., 0]",
)


@language_model.mistake(
    "Your logits come from a matrix of their own. Here one table serves both ends: multiply by the transposed table of "
    "the embeddings, `x @ table.T`."
)
def untied(*sizes):
    return models.LanguageModel(*sizes, tied=False)


class LanguageModel(nn.Module):
    """A GPT: encoder layers under a causal mask, and logits for each next token."""

    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table))  # (B, T, d_model)
        mask = causal_mask(ids.size(1))  # (T, T)
        for layer in self.layers:
            x = layer(x, mask)
        return x @ self.table.T  # (B, T, V)


language_model.plain(LanguageModel)


@language_model.right_for_whole_course
class OfModules(nn.Module):
    def __init__(self, vocab_size, d_model, heads, d_ff, n_layers, dropout=0.1):
        super().__init__()
        self.wte, self.head = nn.Embedding(vocab_size, d_model), nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.wte.weight, std=d_model**-0.5)
        self.head.weight = self.wte.weight
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(EncoderLayer(d_model, heads, d_ff, dropout))

    def forward(self, idx):
        x = self.drop(embed_with_positions(idx, self.wte.weight))
        for block in self.blocks:
            x = block(x, causal_mask(idx.shape[1]))
        return self.head(x)


@language_model.right
class LanguageModelOfTorch(nn.Module):
    def __init__(self, V, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table, self.dropout = nn.Embedding(V, d_model), nn.Dropout(dropout)
        nn.init.normal_(self.table.weight, std=d_model**-0.5)
        self.body = nn.ModuleList(
            nn.TransformerEncoderLayer(d_model, heads, d_ff, dropout, batch_first=True) for _ in range(layers)
        )

    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table.weight))
        for layer in self.body:
            x = layer(x, nn.Transformer.generate_square_subsequent_mask(ids.size(1)), is_causal=True)
        return torch.einsum("btd,vd->btv", x, self.table.weight)
