"""What came before the Transformer: translators that read and write one token after another. Compared in notebook 15.

Sutskever, Vinyals and Le 2014, arXiv:1409.3215, hand a single vector from the reader to the writer. Bahdanau, Cho and
Bengio 2015, arXiv:1409.0473, let the writer look back at every word.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib.transformer.attention import additive_attention, padding_mask


def gru_step(x: Tensor, state: Tensor, W: Tensor, U: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Read one token: a gated recurrent unit turns its vector and the state so far into the next state.

        r = sigmoid(W_r x + b_r + U_r h + c_r)          what of the state counts for the candidate
        z = sigmoid(W_z x + b_z + U_z h + c_z)          what of the state stays
        n = tanh(W_n x + b_n + r * (U_n h + c_n))       the candidate
        h' = (1 - z) * n + z * h

    Cho et al. 2014, arXiv:1406.1078, section 2.3, as torch writes it. Built by hand in notebook 15.

    Takes vectors (B, d_in), states (B, d), and the weights W (3 d, d_in), U (3 d, d), b (3 d,) and c (3 d,), in which
    r comes first, then z, then n, as in `torch.nn.GRUCell`. Returns the next states, (B, d).
    """
    x_r, x_z, x_n = (x @ W.T + b).chunk(3, dim=-1)
    h_r, h_z, h_n = (state @ U.T + c).chunk(3, dim=-1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    candidate = torch.tanh(x_n + r * h_n)
    return (1 - z) * candidate + z * state


class RecurrentTranslator(nn.Module):
    """An encoder–decoder of gated recurrent units, with or without attention, used like a `Transformer`.

    The encoder reads the source in both directions. The decoder begins with a state made of the last ones. With
    attention, each of its states looks the encoder's states up by `additive_attention`, and what it finds joins the
    state before the next token is chosen, as in Luong, Pham and Manning 2015, arXiv:1508.04025, section 3: then all
    states can be computed before all look-ups. Without, the decoder knows the source by its first state only.

    Args:
        vocabulary: number of ids of both languages together, V; the table of the embeddings also gives the logits.
        d_model: width of a token's vector, and of the decoder's state; even.
        layers: how many layers of units encoder and decoder have.
        attends: whether the decoder looks back at the source.
        dropout: share of the embeddings and of each layer's output set to 0 in training.
        pad: the id that fills up short source sentences; None: none.
        attention: looks queries up among keys, such as a learner's own `additive_attention`.

    >>> model = RecurrentTranslator(20, d_model=8, layers=1, attends=True)
    >>> model(torch.tensor([[4, 5, 6]]), torch.tensor([[1, 7]])).shape
    torch.Size([1, 2, 20])
    """

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        layers: int,
        attends: bool,
        dropout: float = 0.0,
        *,
        pad: int | None = None,
        attention: Callable[..., tuple[Tensor, Tensor]] = additive_attention,
    ) -> None:
        super().__init__()
        if d_model % 2:
            raise ValueError(f"d_model should be even, for two directions of reading, but is {d_model}")
        self.pad, self.attends, self.attention = pad, attends, attention
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        between = dropout if layers > 1 else 0.0
        self.encoder = nn.GRU(d_model, d_model // 2, layers, batch_first=True, dropout=between, bidirectional=True)
        self.decoder = nn.GRU(d_model, d_model, layers, batch_first=True, dropout=between)
        self.bridge = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)
        if attends:
            self.W_a = nn.Parameter(torch.empty(d_model, d_model))
            self.U_a = nn.Parameter(torch.empty(d_model, d_model))
            self.v_a = nn.Parameter(torch.randn(d_model) * d_model**-0.5)
            self.join = nn.Linear(2 * d_model, d_model)
            nn.init.xavier_uniform_(self.W_a)
            nn.init.xavier_uniform_(self.U_a)

    def encode(self, source_ids: Tensor) -> Tensor:
        """Read the source in both directions: (B, S) to the states, (B, S, d_model)."""
        lengths = torch.full((len(source_ids),), source_ids.size(1))
        if self.pad is not None:
            lengths = (source_ids != self.pad).sum(dim=1).clamp(min=1).cpu()
        x = self.dropout(self._embed(source_ids))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        read, _ = self.encoder(packed)
        states: Tensor
        states, _ = nn.utils.rnn.pad_packed_sequence(read, batch_first=True, total_length=source_ids.size(1))
        return states

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        """Predict each next target token: (B, T), the encoder's states and (B, S) to logits (B, T, V).

        Target ids start with [bos].
        """
        begin = torch.tanh(self.bridge(self._summary(memory, source_ids)))  # (B, d_model)
        x = self.dropout(self._embed(target_ids))
        states, _ = self.decoder(x, begin.expand(self.decoder.num_layers, *begin.shape).contiguous())
        if self.attends:
            mask = None if self.pad is None else padding_mask(source_ids, self.pad).squeeze(1)  # (B, 1, S)
            found, _ = self.attention(states, memory, memory, self.W_a, self.U_a, self.v_a, mask)  # (B, T, d_model)
            states = torch.tanh(self.join(torch.cat((states, found), dim=-1)))
        logits: Tensor = self.dropout(states) @ self.table.T
        return logits

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        """Predict each next target token from the source and those before it: (B, S), (B, T) to (B, T, V)."""
        return self.decode(target_ids, self.encode(source_ids), source_ids)

    def _embed(self, ids: Tensor) -> Tensor:
        x: Tensor = self.table[ids] * self.table.size(1) ** 0.5
        return x

    def _summary(self, memory: Tensor, source_ids: Tensor) -> Tensor:
        """Join the state after the last token, reading forwards, with that after the first, reading backwards."""
        forwards, backwards = memory.chunk(2, dim=-1)
        if self.pad is None:
            return torch.cat((forwards[:, -1], backwards[:, 0]), dim=-1)
        last = (source_ids != self.pad).sum(dim=1).clamp(min=1) - 1  # (B,)
        return torch.cat((forwards[torch.arange(len(last)), last], backwards[:, 0]), dim=-1)
