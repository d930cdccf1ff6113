"""Right answers to the exercises of notebook 06, written as differently as learners write them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.transformer.layers import EncoderLayer
from course_lib.transformer.positions import embed_with_positions
from tests.lessons.right_answers import right

right("causal_mask")(lambda T: torch.tril(torch.ones(T, T)) == 1)
right("causal_mask")(lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1))
right("causal_mask")(lambda T: torch.arange(T)[:, None] >= torch.arange(T))


@right("causal_mask")
def mask_in_loops(T):
    return torch.tensor([[j <= i for j in range(T)] for i in range(T)])


right("masked_weights")(lambda s, m: F.softmax(torch.where(m, s, torch.tensor(-1e9, dtype=s.dtype)), -1))
right("masked_weights")(
    lambda scores, mask: (scores + torch.zeros_like(scores).masked_fill(~mask, -torch.inf)).softmax(-1)
)


@right("masked_weights")
def weights_of_the_open(scores, mask):
    e = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask
    top = scores.masked_fill(~mask, -1e30).amax(-1, keepdim=True)
    e = torch.exp((scores - top).clamp(max=0)) * mask
    return e / e.sum(-1, keepdim=True)


right("masked_weights")(lambda s, m: (s - s.masked_fill(~m, -torch.inf).logsumexp(-1, keepdim=True)).exp().where(m, 0))

right("inputs_and_labels")(lambda ids: (ids[..., :-1], ids[..., 1:]))
right("inputs_and_labels")(lambda ids: (ids.narrow(1, 0, ids.size(1) - 1), ids.narrow(1, 1, ids.size(1) - 1)))
right("inputs_and_labels")(lambda ids: [ids[:, : len(ids[0]) - 1], torch.stack([row[1:] for row in ids])])

right("cross_entropy")(lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()))
right("cross_entropy")(lambda logits, labels: nn.CrossEntropyLoss(ignore_index=-100)(logits.transpose(1, 2), labels))


right("cross_entropy")(lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()).view(1))


@right("cross_entropy")
def surprise_in_loops(logits, labels):
    found = [
        torch.logsumexp(row, 0) - row[y]
        for row, y in zip(logits.flatten(0, 1), labels.flatten(), strict=True)
        if y >= 0
    ]
    return sum(found) / len(found)


@right("LanguageModel")
class LanguageModelOfModules(nn.Module):
    def __init__(self, vocab_size, d_model, heads, d_ff, n_layers, dropout=0.1):
        super().__init__()
        self.wte, self.head = nn.Embedding(vocab_size, d_model), nn.Linear(d_model, vocab_size, bias=False)
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(EncoderLayer(d_model, heads, d_ff, dropout))

    def forward(self, idx):
        x, T = embed_with_positions(idx, self.wte.weight), idx.shape[1]
        for block in self.blocks:
            x = block(x, torch.arange(T) <= torch.arange(T)[:, None])
        return self.head(x)


@right("LanguageModel")
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


@right("continue_greedily")
def continue_by_concatenation(model, ids, length):
    text = torch.tensor(ids)[None]
    for _ in range(length):
        text = torch.cat((text, model(text)[:, -1:].softmax(-1).argmax(-1)), dim=1)
    return text[0, len(ids) :].tolist()


@right("continue_greedily")
def continue_by_recursion(model, ids, length):
    if length == 0:
        return []
    token = max(enumerate(model(torch.tensor([ids]))[0, -1].tolist()), key=lambda pair: pair[1])[0]
    return [token, *continue_by_recursion(model, [*ids, token], length - 1)]


@right("continue_greedily")
@torch.inference_mode()
def continue_on_the_models_device(model, ids, length):
    model.eval()
    device, new = next(model.parameters()).device, []
    while len(new) < length:
        new.append(model(torch.tensor([[*ids, *new]], device=device)).squeeze(0)[-1].argmax().item())
    return tuple(new)


@right("continue_greedily")
def continue_in_numpy(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text += [np.argmax(model(torch.tensor([text])).numpy()[0, -1])]
    return text[len(ids) :]
