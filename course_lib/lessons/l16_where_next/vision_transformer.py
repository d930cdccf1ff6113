"""The exercise `VisionTransformer` of notebook 16."""

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.transformer import images
from course_lib.transformer.images import patches
from course_lib.transformer.layers import EncoderLayer

# Patches of 2, of which a picture has 6; 3 classes; d_model, heads, d_ff, layers. No width is 6 or 7, as the table of
# positions is told by these; in each case the heads are as wide as `block`, so that one matrix may hold Q, K and V.
SIZES = (2, 6, 3, 4, 2, 5, 1)

LEARNED = ClassWithWeights(
    reference=images.VisionTransformer,
    inputs=lambda size, count, *_: (fixed_tensor(2, size, size * count),),
    sizes=(2, 6, 5, 8, 2, 10, 2),
    wide=(2, 6, 10, 64, 4, 96, 2),
    block=2,
    d_model=3,
    positions=1,
    logits=2,
)

vision_transformer = Exercise(
    reference=images.VisionTransformer,
    notebook=16,
    order=70,
    minutes=12,
    difficulty=2,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED),
    explain=explain_class(LEARNED),
    returns=(Result("logits", "B, C"), Result("the gradients of your matrices")),
    example=case(*SIZES, fixed_tensor(1, 4, 6)),
    another=case(*SIZES, fixed_tensor(1, 4, 6, seed=3)),
    cases=(
        case(*SIZES, fixed_tensor(3, 4, 6, seed=5), having=("a batch",)),
        case(2, 6, 5, 8, 4, 10, 2, fixed_tensor(2, 4, 6, seed=7), having=("two layers", "other sizes", "a batch")),
        case(3, 4, 2, 8, 4, 6, 1, fixed_tensor(2, 6, 6, seed=9), having=("larger patches", "other sizes", "a batch")),
    ),
    hints=(
        "You have all the parts. Which shape does a picture have after `patches`, and after the first linear map?",
        (
            "`__init__` makes a linear map for patches, a vector for the class token, a table of positions for it and "
            "all patches, the layers, and a linear map to the classes."
        ),
        (
            "`torch.cat((class_token.expand(B, 1, -1), x), dim=1) + positions`, then the layers. The class is read off "
            "position 0: `output(x[:, 0])`."
        ),
    ),
)

vision_transformer.patch(
    "No positions are added in your model, so it does not know where a patch belongs: if two are exchanged, "
    "nothing changes.",
    replace="torch.cat((first, x), dim=1) + self.positions",
    by="torch.cat((first, x), dim=1)",
)
vision_transformer.patch(
    "Your model reads the class off the last patch. The class token is at position 0.",
    replace="x[:, 0]",
    by="x[:, -1]",
)
vision_transformer.patch(
    "Your model averages all tokens. That works too, but here the class token collects what matters: read position 0.",
    replace="x[:, 0]",
    by="x.mean(dim=1)",
)
vision_transformer.patch(
    "Your model averages the patches, without the class token. Here the class token collects what matters: read "
    "position 0.",
    replace="x[:, 0]",
    by="x[:, 1:].mean(dim=1)",
)

vision_transformer.patch(
    "Your model gives logits for every token. Read the class token only: position 0.",
    replace="self.output(x[:, 0])",
    by="self.output(x)",
)
vision_transformer.patch(
    "Your model ends in a softmax. Return logits, because the cross-entropy takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(dim=-1)",
)
vision_transformer.patch(
    "Your class token comes last, but the class is read off position 0. Put the token in front of the patches.",
    replace="torch.cat((first, x), dim=1)",
    by="torch.cat((x, first), dim=1)",
)


@vision_transformer.mistake(
    "Your class token comes last, and you read it there. That works too, but here it is in front of the patches, at "
    "position 0."
)
class ClassTokenLast(images.VisionTransformer):
    def forward(self, images):
        x = self.embed(patches(images, self.patch_size))
        x = torch.cat((x, self.class_token.expand(len(x), 1, -1)), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, -1])


vision_transformer.patch(
    "What your layers compute is not used: the class token never sees the patches. Let each layer read what the one "
    "before returned.",
    replace="x = layer(x)",
    by="layer(x)",
)


vision_transformer.patch(
    "Your output is that of a single layer, however many `layers` there should be. Does each layer read what the one "
    "before returned, and is `return` below the loop?",
    replace="for layer in self.layers:",
    by="for layer in self.layers[:1]:",
)
vision_transformer.patch(
    "All your layers are one and the same, with the same weights. Make a new `EncoderLayer` for each: `[layer] * N` "
    "holds one layer N times.",
    replace="nn.ModuleList(encoder_layer(d_model, heads, d_ff, 0.0) for _ in range(layers))",
    by="nn.ModuleList([encoder_layer(d_model, heads, d_ff, 0.0)] * layers)",
)


@vision_transformer.mistake(
    "Your model has no class token: it reads the class off the first patch. Put a vector that is learned in front of "
    "the patches, and add N + 1 positions."
)
class NoClassToken(images.VisionTransformer):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        del self.class_token
        self.positions = nn.Parameter(torch.randn(count, d_model) * 0.2)

    def forward(self, images):
        x = self.embed(patches(images, self.patch_size)) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, 0])


@vision_transformer.mistake(
    "Your positions are added before the class token is put in front, so it has none. Put it in front first, then add "
    "a table of N + 1 positions."
)
class PositionsOfPatchesOnly(images.VisionTransformer):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        self.positions = nn.Parameter(torch.randn(count, d_model) * 0.2)

    def forward(self, images):
        x = self.embed(patches(images, self.patch_size)) + self.positions
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1)
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, 0])


vision_transformer.patch(
    "Your class token has no position: your positions are added to the patches only, and the first of them is unused. "
    "Put the token in front first, then add all N + 1 positions.",
    replace="x = torch.cat((first, x), dim=1) + self.positions",
    by="x = torch.cat((first, x + self.positions[1:]), dim=1)",
)
vision_transformer.patch(
    "Your class token has no position: your positions are added to the patches only, and the last of them is unused. "
    "Put the token in front first, then add all N + 1 positions.",
    replace="x = torch.cat((first, x), dim=1) + self.positions",
    by="x = torch.cat((first, x + self.positions[:-1]), dim=1)",
)


@vision_transformer.right_for_whole_course
class PictureReader(nn.Module):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__()
        self.size = patch_size
        self.into = nn.Linear(patch_size**2, d_model)
        self.start = nn.Parameter(torch.randn(1, 1, d_model) * 0.2)
        self.places = nn.Parameter(torch.randn(1, count + 1, d_model) * 0.2)
        self.blocks = nn.ModuleList([EncoderLayer(d_model, heads, d_ff, 0.0) for _ in range(layers)])
        self.out = nn.Linear(d_model, classes)

    def forward(self, images):
        x = self.into(patches(images, self.size))
        x = torch.cat([self.start.repeat(x.size(0), 1, 1), x], dim=1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.out(x[:, 0])


@vision_transformer.right
class ClassTokenByPadding(nn.Module):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__()
        self.size = patch_size
        self.embed = nn.Linear(patch_size * patch_size, d_model)
        self.token = nn.Parameter(torch.randn(d_model) * 0.2)
        self.places = nn.Parameter(torch.randn(count + 1, d_model) * 0.2)
        self.layers = nn.Sequential(*(EncoderLayer(d_model, heads, d_ff, 0.0) for _ in range(layers)))
        self.head = nn.Linear(d_model, classes)

    def forward(self, images):
        x = self.embed(patches(images, self.size))
        x = torch.nn.functional.pad(x, (0, 0, 1, 0))
        first = torch.zeros_like(x)
        first[:, 0] = 1
        return self.head(self.layers(x + first * self.token + self.places)[:, 0])


@vision_transformer.right
class OfEmbeddings(nn.Module):
    """The class token and the positions are embeddings, and a convolution maps the patches."""

    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__()
        self.cut = nn.Conv2d(1, d_model, patch_size, stride=patch_size)
        self.first = nn.Embedding(1, d_model)
        self.where = nn.Embedding(count + 1, d_model)
        nn.init.normal_(self.first.weight, std=0.2)
        nn.init.normal_(self.where.weight, std=0.2)
        self.blocks = nn.Sequential(*(EncoderLayer(d_model, heads, d_ff, 0.0) for _ in range(layers)))
        self.out = nn.Linear(d_model, classes)

    def forward(self, images):
        x = self.cut(images.unsqueeze(1)).flatten(2).mT
        x = torch.cat((self.first.weight.expand(len(x), 1, -1), x), dim=1) + self.where(torch.arange(x.size(1) + 1))
        return self.out(self.blocks(x)[:, 0])


@vision_transformer.right
class OfPlainParameters(nn.Module):
    """The maps at both ends are matrices and vectors, and the classes are equally likely at first."""

    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__()
        self.size = patch_size
        self.map, self.shift = (
            nn.Parameter(torch.randn(patch_size**2, d_model) / patch_size),
            nn.Parameter(torch.zeros(d_model)),
        )
        self.first = nn.Parameter(torch.randn(1, 1, d_model) * 0.2)
        self.places = nn.Parameter(torch.randn(1, count + 1, d_model) * 0.2)
        self.blocks = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, 0.0) for _ in range(layers))
        self.out, self.bias = nn.Parameter(torch.zeros(d_model, classes)), nn.Parameter(torch.zeros(classes))

    def forward(self, images):
        x = patches(images, self.size) @ self.map + self.shift
        x = torch.cat((self.first.expand(len(x), 1, -1), x), dim=1) + self.places
        for block in self.blocks:
            x = block(x)
        return x[:, 0] @ self.out + self.bias
