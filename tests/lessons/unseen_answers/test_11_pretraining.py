"""Unseen answers to the exercises of notebook 11_pretraining."""

import math
import unicodedata

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.layers import LayerNorm
from tests.lessons.unseen_answers.shared_parts import log_p_below_one_maximum
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("pack_texts", says=("lacks that row", "If it has one, your code makes one row too few"), never="Either")
def last_row_lost(texts, end, length):
    stream = [i for text in texts for i in [*text, end]]
    rows = [stream[i : i + length] for i in range(0, len(stream) - length, length)]
    return torch.tensor(rows, dtype=torch.long).view(-1, length)


@wrong("pack_texts", says=("two mistakes", "fills up the last row", "into the caller's texts"))
def filled_up_in_the_callers_texts(texts, end, length):
    stream = []
    for text in texts:
        text.append(end)
        stream += text
    while len(stream) % length:
        stream.append(end)
    return torch.tensor(stream).view(-1, length)


@wrong("masked_lm_loss", says=("two mistakes", "one before the loss", "divides by all positions"))
def softmax_and_all_positions(hidden, labels, head):
    keep = labels != -100
    return F.cross_entropy(head(hidden[keep]).softmax(dim=-1), labels[keep], reduction="sum") / labels.numel()


@wrong("masked_lm_loss", says="every exponential is 0 there")
def one_maximum_of_the_hidden(hidden, labels, head):
    return F.nll_loss(log_p_below_one_maximum(head(hidden[labels != -100])), labels[labels != -100])


@wrong("masked_lm_loss", says="Your loss is NaN", never="Your code picks")
def labels_above_1000(hidden, labels, head):
    return F.cross_entropy(head(hidden[labels > 1000]), labels[labels > 1000])


@wrong("masked_lm_loss", says="sends 4 vectors through the head", never="pick these out")
def head_called_twice(hidden, labels, head):
    guessed = labels != -100
    losses = [F.cross_entropy(head(hidden[guessed]), labels[guessed]) for _ in range(2)]
    return (losses[0] + losses[1]) / 2


@wrong("MaskedLanguageModelHead", says="keeps something from one call to the next")
class KeepsTheFirstTable(nn.Module):
    def __init__(self, vocabulary, d_model):
        super().__init__()
        self.linear = nn.Linear(d_model, d_model)
        self.norm = LayerNorm(d_model)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.table = None

    def forward(self, hidden, table):
        if self.table is None:
            self.table = table
        return self.norm(F.gelu(self.linear(hidden))) @ self.table.T + self.bias


@wrong("MaskedLanguageModelHead", says="With biases that are not 0", never="cases")
class BiasSubtracted(find("MaskedLanguageModelHead").reference):
    def forward(self, hidden, table):
        return super().forward(hidden, table) - 2 * self.output_bias


@wrong("MaskedLanguageModelHead", says="right after its own step", never="cases")
class BiasAfterTheActivation(find("MaskedLanguageModelHead").reference):
    def forward(self, hidden, table):
        mapped = hidden @ self.transform.weight.T
        return self.norm(F.gelu(mapped) + self.transform.bias) @ table.T + self.output_bias


@wrong("perplexity", says="Your result is the product of all 1/p", never="Your code adds up")
def product_of_reciprocals(log_p):
    return float(torch.prod(1 / torch.as_tensor(log_p).exp()))


@wrong("perplexity", says="your result is infinite", never="multiplies")
def root_of_an_infinite_number(log_probabilities):
    return torch.exp(-log_probabilities.sum()) ** (1 / len(log_probabilities))


@wrong("bits_per_character", says="counts é as two characters, as a count of", never="divides by the number of bytes")
def of_decomposed_letters(log_probabilities, text):
    return -log_probabilities.sum().item() / math.log(2) / len(unicodedata.normalize("NFD", text))


@wrong("packed_labels", says="begins with the end token", never="with a batch")
def end_looked_for_from_the_second_on(ids, end):
    labels = ids[:, 1:].clone()
    labels[:, 1:][ids[:, 1:-1] == end] = -100
    return ids[:, :-1], labels


@wrong("hide_tokens", says="your inputs have the substitutes in place of [mask]", never="should be")
def below_nine_tenths(ids, special, mask, chances, substitutes, share=0.15):
    chosen, inputs = (chances[0] < share) & ~torch.isin(ids, special), ids.clone()
    inputs[chosen & (chances[1] < 0.8)] = mask
    replaced = chosen & (chances[1] < 0.9)
    inputs[replaced] = substitutes[replaced]
    return inputs, ids.masked_fill(~chosen, -100)


@wrong("packed_labels", says="second token of each following text", never="of each text")
def one_position_too_late(ids, end):
    labels = ids[:, 1:].clone()
    labels[:, 1:][ids[:, :-2] == end] = -100
    return ids[:, :-1], labels


@wrong("hide_tokens", says="The second numbers have no effect in your code", never="wrong cases")
def by_first_numbers(ids, special, mask, chances, substitutes, share=0.15):
    first, ordinary = chances[0], ~torch.isin(ids, special)
    inputs = torch.where((first < 0.8 * share) & ordinary, mask, ids)
    inputs = torch.where((first >= 0.8 * share) & (first < 0.9 * share) & ordinary, substitutes, inputs)
    return inputs, torch.where((first < share) & ordinary, ids, -100)


@wrong("hide_tokens", says="In 6 of the 8 wrong cases, your result is that of this mistake", never="That explains")
def masked_ones_replaced_at_a_fixed_share(ids, special, mask, chances, substitutes, share=0.15):
    chosen = (chances[0] < 0.15) & ~torch.isin(ids, special)
    return torch.where(chosen & (chances[1] < 0.9), substitutes, ids), ids.masked_fill(~chosen, -100)


@wrong("document_mask", says="tokens after the last end token of a row see nothing")
def only_texts_that_end(ids, end):
    mask = torch.zeros(len(ids), 1, ids.size(1), ids.size(1), dtype=torch.bool)
    for b, row in enumerate(ids.tolist()):
        begin = 0
        for t, token in enumerate(row):
            if token == end:
                mask[b, 0, begin : t + 1, begin : t + 1] = True
                begin = t + 1
    return mask


@wrong("perplexity", says="as if they were padding")
def mean_of_what_is_not_0(log_probabilities):
    counts = log_probabilities < 0
    return math.exp(-log_probabilities[counts].sum().item() / max(1, int(counts.sum())))


@wrong("pack_texts", says="Your rows lack the tokens of id 0.")
def filtered(texts, end, length):
    ids = [i for text in texts for i in filter(None, [*text, end])]
    return torch.tensor(ids[: len(ids) // length * length]).view(-1, length)


@wrong("hide_tokens", says="Your labels leave out chosen tokens of id 0")
def label_0_for_not_chosen(ids, special, mask, chances, substitutes, share=0.15):
    chosen = (chances[0] < share) & ~torch.isin(ids, special)
    labels = torch.where(chosen, ids, 0)
    inputs = torch.where(chosen & (chances[1] < 0.8), mask, ids)
    inputs = torch.where(chosen & (chances[1] >= 0.8) & (chances[1] < 0.9), substitutes, inputs)
    return inputs, labels.masked_fill(labels == 0, -100)


@wrong("hide_tokens", says="Your code never chooses tokens of id 0.")
def id_0_as_padding(ids, special, mask, chances, substitutes, share=0.15):
    chosen = (chances[0] < share) & ~torch.isin(ids, special) & (ids != 0)
    inputs = torch.where(chosen & (chances[1] < 0.8), mask, ids)
    inputs = torch.where(chosen & (chances[1] >= 0.8) & (chances[1] < 0.9), substitutes, inputs)
    return inputs, ids.masked_fill(~chosen, -100)


@wrong("document_mask", says="Your mask hides tokens of id 0, as if they were padding.")
def padding_hidden_too(ids, end):
    text = (ids == end).cumsum(-1) - (ids == end).long()
    return ((text[:, :, None] == text[:, None]) & (ids != 0)[:, None])[:, None]


@wrong("packed_labels", says="Your labels leave out tokens of id 0, as if they were padding.")
def only_labels_above_0(ids, end):
    inputs, labels = ids[:, :-1], ids[:, 1:]
    return inputs, torch.where((inputs != end) & (labels > 0), labels, -100)


@wrong("pack_texts", says="your code makes one row too few", never=("loop", "stream"))
def one_id_fewer_divided_by_the_length(texts, end, length):
    ids = torch.tensor([i for text in texts for i in [*text, end]])
    rows = (len(ids) - 1) // length
    return ids[: rows * length].reshape(rows, length)


@wrong("document_mask", says="brings the last number round to the front")
def rolled_round(ids, end):
    text = (ids == end).cumsum(dim=1).roll(1, dims=1)
    return (text[:, :, None] == text[:, None, :])[:, None]


@wrong("packed_labels", says=("also writes −100 into the inputs", "do not write into them"), never="underscore")
def written_into_a_view(ids, end):
    inputs, labels = ids[:, :-1], ids[:, 1:]
    labels[inputs == end] = -100
    return inputs, labels


@wrong("hide_tokens", says="Special tokens have no label in your code, but in your inputs", never="calls tried")
def specials_hidden_all_the_same(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chances[0] < share
    labels = ids.masked_fill(~chosen | torch.isin(ids, special), -100)
    inputs = ids.clone()
    inputs[chosen & (chances[1] < 0.8)] = mask
    swap = chosen & (chances[1] >= 0.8) & (chances[1] < 0.9)
    inputs[swap] = substitutes[swap]
    return inputs, labels


@wrong("hide_tokens", says="takes the labels from what the model reads", never="inputs = ids")
def labels_after_the_change(ids, special, mask, chances, substitutes, share=0.15):
    chosen = (chances[0] < share) & ~torch.isin(ids, special)
    ids[chosen & (chances[1] < 0.8)] = mask
    swap = chosen & (chances[1] >= 0.8) & (chances[1] < 0.9)
    ids[swap] = substitutes[swap]
    return ids, torch.where(chosen, ids, -100)


@wrong("perplexity", says="weights each −ln p by its p", never="should give")
def to_the_power_of_the_entropy(log_probabilities):
    p = log_probabilities.exp()
    entropy = -(p * log_probabilities).sum()
    return entropy.exp().item()


@wrong("MaskedLanguageModelHead", says="leave its eps as it is (BERT has 1e-12)")
class EpsOfBert(nn.Module):
    def __init__(self, vocabulary, d_model):
        super().__init__()
        self.linear, self.norm = nn.Linear(d_model, d_model), nn.LayerNorm(d_model, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden, table):
        return self.norm(F.gelu(self.linear(hidden))) @ table.T + self.bias


@wrong("pack_texts", says="Where nothing is left over, keep all ids.")
def cut_off_by_a_negative_index(texts, end, length):
    ids = torch.tensor([i for text in texts for i in [*text, end]])
    return ids[: -(len(ids) % length)].view(-1, length)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_a_class_that_makes_its_weights_when_it_is_called_is_not_said_to_keep_anything():
    class Lazy(nn.Module):
        def __init__(self, vocabulary, d_model):
            super().__init__()
            self.linear, self.norm = nn.LazyLinear(d_model), LayerNorm(d_model)
            self.bias = nn.Parameter(torch.zeros(vocabulary))

        def forward(self, hidden, table):
            return self.norm(F.gelu(self.linear(hidden))) @ table.T + self.bias

    assert find("MaskedLanguageModelHead").check(Lazy).passed
