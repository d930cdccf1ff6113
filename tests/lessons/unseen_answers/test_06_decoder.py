"""Unseen answers to the exercises of notebook 06_decoder."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.positions import embed_with_positions
from tests.lessons.unseen_answers.shared_parts import log_p_below_one_maximum, surprise
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("causal_mask", says="Your diagonal is False in all rows but the first", never="shifted")
def first_row_mended(T):
    mask = torch.arange(T)[:, None] > torch.arange(T)
    mask[0, 0] = True
    return mask


@wrong("masked_weights", says="the exponential of every open score is 0 beside it", never="after the softmax")
def largest_of_all_keys(scores, mask):
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp() * mask
    return exponentials / exponentials.sum(-1, keepdim=True)


@wrong("masked_weights", says="no longer add up to 1", never="after the softmax")
def logarithm_of_a_sum_over_all(scores, mask):
    return (scores - scores.logsumexp(-1, keepdim=True)).exp() * mask


@wrong("masked_weights", says="Your masked scores become 0, or nearly 0", never="Your code fills")
def scores_times_mask(scores, mask):
    return (scores * mask).softmax(-1)


@wrong("masked_weights", says="beside the largest open score of the whole tensor", never="subtracts the largest")
def softmax_of_the_whole_tensor(scores, mask):
    weights = scores.masked_fill(~mask, -torch.inf).flatten().softmax(0).view_as(scores)
    return weights / weights.sum(-1, keepdim=True)


@wrong("masked_weights", says="lowered by a number such as 10000", never="fills")
def minus_100_added(scores, mask):
    return (scores + torch.where(mask, 0.0, -100.0)).softmax(-1)


@wrong("masked_weights", says="beside the largest open score of the whole tensor")
def largest_open_score(scores, mask):
    s = scores.masked_fill(~mask, -math.inf)
    e = torch.exp(s - s.max())
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", says="the largest score of the whole tensor, hidden ones included")
def softmax_of_everything(scores, mask):
    e = torch.softmax(scores.flatten(), 0).view_as(scores) * mask
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", says="computes exp of the scores as they are")
def exponentials(scores, mask):
    e = scores.exp().masked_fill(~mask, 0)
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", says="Where a hidden score is far above the open ones of its row")
def hidden_after_the_softmax(scores, mask):
    weights = scores.softmax(-1).masked_fill(~mask, 0)
    return weights / weights.sum(-1, keepdim=True)


@wrong("masked_weights", says="such as −10000")
def minus_ten_thousand(scores, mask):
    return scores.masked_fill(~mask, -1e4).softmax(dim=-1)


@wrong("inputs_and_labels", says="The last of your labels is the first token", never="Your code rolls")
def round_the_end(ids):
    return ids, torch.cat((ids[:, 1:], ids[:, :1]), dim=1)


@wrong("inputs_and_labels", says="After the last input comes the last token", never="should be")
def labels_from_the_inputs(ids):
    inputs = ids[:, :-1]
    return inputs, torch.cat((inputs[:, 1:], inputs[:, :1]), dim=1)


@wrong("cross_entropy", says="Your loss is the mean of 1 − p", never="Your code averages")
def one_minus_the_mean(logits, labels):
    counts = labels != -100
    return 1 - logits[counts].softmax(-1).gather(-1, labels[counts][:, None]).mean()


@wrong("cross_entropy", says="adds 1e-09 to the probabilities, or makes it their minimum")
def cut_off_at_1e_9(logits, labels):
    return surprise(logits.softmax(-1).clamp(min=1e-9), labels)


@wrong("cross_entropy", says="Your code adds 1e-12 to the probabilities", never="should be")
def with_1e_12(logits, labels):
    return surprise(logits.softmax(-1) + 1e-12, labels)


@wrong("cross_entropy", says="a loss for each position, in one row", never="divides by all positions")
def not_reduced(logits, labels):
    return F.nll_loss(logits.log_softmax(-1).flatten(0, 1), labels.flatten(), reduction="none")


@wrong("cross_entropy", says="mixes the logits of different tokens")
def mixed_tokens(logits, labels):
    return F.cross_entropy(logits.transpose(1, 2).reshape(-1, logits.size(-1)), labels.reshape(-1))


@wrong("cross_entropy", says="the largest logit of several rows")
def one_maximum(logits, labels):
    log_p, labels = log_p_below_one_maximum(logits)[labels != -100], labels[labels != -100]
    return -log_p[torch.arange(len(labels)), labels].mean()


@wrong("LanguageModel", says="your logits come from the embeddings", never="each layer reads")
class LayersNeverCalled(find("LanguageModel").reference):
    def forward(self, ids):
        return self.dropout(embed_with_positions(ids, self.table)) @ self.table.T


@wrong("LanguageModel", says="First: Your model ends in a softmax", never="should be -")
class LookedUpAndSoftmax(find("LanguageModel").reference):
    def forward(self, ids):
        x = self.dropout(self.table[ids])
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)))
        return torch.softmax(x @ self.table.T, dim=-1)


@wrong("LanguageModel", says="reads itself and the tokens after it")
class ReadsTheFuture(find("LanguageModel").reference):
    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table))
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)).T)
        return x @ self.table.T


@wrong("continue_greedily", says="from the newest one alone", never="passes only")
def one_text_for_each_token(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor(text)[:, None])[-1, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", says="do not depend on the newest token", never="takes the prediction before")
def without_the_newest(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor([text[:-1] or text]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", says="For `length` 0, your code returns the text", never="returns the last")
def nothing_to_do(model, ids, length):
    return find("continue_greedily").reference(model, ids, length) if length else ids


@wrong(
    "continue_greedily",
    says="the same prediction at every step: the one after the last token of `ids`",
    never=("append", "Either"),
)
def position_of_the_prompt(model, ids, length):
    text, last = list(ids), len(ids) - 1
    for _ in range(length):
        text.append(model(torch.tensor([text]))[0, last].argmax().item())
    return text[last + 1 :]


@wrong("continue_greedily", says=("only one new token", "does each round begin again with `ids`"))
def begins_again_in_each_round(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text = list(ids)
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", says="from the first token alone")
def reads_the_first_token(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor([text[:1]]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("masked_weights", says="the weights should have 0", never="counts as 1")
def lowered_by_ten(scores, mask):
    return torch.softmax(scores - 10.0 * (~mask).to(scores.dtype), dim=-1)


@wrong("masked_weights", says="over the last two axes together", never=("whole tensor", "explains"))
def softmax_of_each_head(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).flatten(-2).softmax(-1).reshape(scores.shape)


@wrong("masked_weights", says="the sum of the last two axes together", never="whole tensor")
def one_sum_for_a_head(scores, mask):
    exponentials = torch.exp(scores) * mask
    return exponentials / exponentials.sum(dim=(-2, -1), keepdim=True)


@wrong("masked_weights", says="one softmax over the whole tensor", never="explains")
def one_softmax(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).reshape(-1).softmax(0).reshape(scores.shape)


@wrong("cross_entropy", says="the logarithm of the logits, as if they were probabilities")
def logits_for_probabilities(logits, labels):
    keep = labels != -100
    return -logits[keep].gather(-1, labels[keep][:, None]).log().mean()


@wrong("cross_entropy", says="square root or the logarithm of a negative", never="what is 0 or infinite")
def two_logarithms(logits, labels):
    return surprise(logits.log_softmax(-1), labels)


@wrong("cross_entropy", says="or makes it their minimum", never="their limit")
def with_1e_9(logits, labels):
    return surprise(logits.softmax(-1) + 1e-9, labels)


@wrong("LanguageModel", says="the 2 with the id 0 before other ids", never="with other sizes")
class HidesTheId0(find("LanguageModel").reference):
    def forward(self, ids):
        T = ids.size(1)
        x = self.dropout(embed_with_positions(ids, self.table))
        mask = causal_mask(T) & ((ids != 0)[:, None, None, :] | torch.eye(T, dtype=torch.bool))
        for layer in self.layers:
            x = layer(x, mask)
        return x @ self.table.T


@wrong("LanguageModel", says="makes `self.output`, but `forward` never uses it. Use it, or leave it out.")
class AnotherTableForTheLogits(find("LanguageModel").reference):
    def __init__(self, vocabulary, d_model, *sizes):
        super().__init__(vocabulary, d_model, *sizes)
        self.output = torch.nn.Parameter(torch.randn(d_model, d_model))


@wrong(
    "LanguageModel", says="gives a different result from the course's class for inputs of shape (2, 12)", never="norm"
)
class ReadsTheLatestTokensOnly(find("LanguageModel").reference):
    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table))
        mask = causal_mask(ids.size(1)).triu(-7)
        for layer in self.layers:
            x = layer(x, mask)
        return x @ self.table.T


@wrong("masked_weights", says="Each of your columns is divided by the sum of a row", never="some of its numbers")
def sums_without_their_axis(scores, mask):
    weights = torch.exp(scores - scores.max()) * mask
    return weights / weights.sum(dim=-1)


@wrong("masked_weights", says="nearly 0 (for instance −1e-9 where −1e9 was meant)")
def minus_1e_minus_9(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -1e-9), dim=-1)


@wrong("inputs_and_labels", says="Your labels are the previous tokens, as after `roll` by 1", never="should be `[[")
def labels_rolled_by_1(ids):
    labels = torch.roll(ids, 1, dims=1)
    return ids[:, :-1], labels[:, :-1]


@wrong("inputs_and_labels", says="Your labels are the previous tokens", never="should be `[[")
def everything_rolled_by_1(ids):
    return ids, torch.roll(ids, shifts=1, dims=1)


@wrong("continue_greedily", says="drops the first token from the text whenever it adds one", never="newest one alone")
def sliding_window(model, ids, length):
    window, added = list(ids), []
    for _ in range(length):
        best = model(torch.tensor([window]))[0, -1].argmax().item()
        added.append(best)
        window = [*window[1:], best]
    return added


@wrong("masked_weights", says="`e.sum(-1)` and `s.amax(-1)` lose their axis", never=("it adds up", "row 0 adds"))
def neither_axis_kept(scores, mask):
    s = scores.masked_fill(~mask, -math.inf)
    e = (s - s.amax(-1)).exp()
    return e / e.sum(-1)


@wrong("masked_weights", says="`w.sum(-1)` loses its axis, so torch lines up its numbers with the columns")
def renormalised_by_the_sums_of_rows(scores, mask):
    w = scores.softmax(-1) * mask
    return w / w.sum(-1)


@wrong("LanguageModel", says="begins with depend on the size of the vocabulary", never="Right in all")
class TableScaledByTheVocabulary(find("LanguageModel").reference):
    def __init__(self, vocabulary, d_model, *sizes):
        super().__init__(vocabulary, d_model, *sizes)
        self.table = torch.nn.Parameter(torch.randn(vocabulary, d_model) * vocabulary**-0.5)


@wrong("LanguageModel", says="Made with d_model = 256, your `self.table` begins with", never="size of the vocabulary")
class TableScaledByTheFeedForward(find("LanguageModel").reference):
    def __init__(self, vocabulary, d_model, heads, d_ff, *sizes):
        super().__init__(vocabulary, d_model, heads, d_ff, *sizes)
        self.table = torch.nn.Parameter(torch.randn(vocabulary, d_model) * d_ff**-0.5)


@wrong("inputs_and_labels", says="The last of your labels is −100, but the last input has an answer too")
def last_label_ignored(ids):
    labels = torch.full_like(ids[:, :-1], -100)
    labels[:, :-1] = ids[:, 1:-1]
    return ids[:, :-1], labels


@wrong("cross_entropy", says="far below those of another, your loss is minus infinity", never="is infinite")
def largest_logit_of_all_positions(logits, labels):
    shifted = logits - logits.max()
    log_p = shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    return -log_p[labels != -100].gather(1, labels[labels != -100].unsqueeze(1)).mean()


@wrong("continue_greedily", says="at the last positions of the text that came in", never="That may not be all")
def last_predictions_of_one_pass(model, ids, length):
    return model(torch.tensor([ids]))[0, -length:].argmax(dim=-1).tolist()


@wrong("continue_greedily", says="returns an empty list", never=("both names", "returns nothing"))
def appended_to_ids(model, ids, length):
    for _ in range(length):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(ids) :]


@wrong("masked_weights", says="your hidden ones are only 1 lower than before", never="Your code adds the mask")
def one_subtracted_where_hidden(scores, mask):
    return (scores - (~mask).to(scores.dtype)).softmax(-1)


@wrong("masked_weights", says="as with `dim=1`", never="You normalised")
def columns_of_each_head(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).softmax(1)


@wrong("LanguageModel", says="Your layers have no effect", never="compute is lost")
class LayersLeftOut(find("LanguageModel").reference):
    def forward(self, ids):
        return self.embed(ids, self.table) @ self.table.T


@wrong("LanguageModel", says="In evaluation mode, your results are right.", never="Without dropout")
class RateNotHandedOn(find("LanguageModel").reference):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(vocabulary, d_model, heads, d_ff, layers, 0.1)
        self.dropout = torch.nn.Dropout(dropout)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
