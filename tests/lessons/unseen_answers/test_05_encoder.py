"""Unseen answers to the exercises of notebook 05_encoder."""

import math

import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.layers import EncoderLayer, LayerNorm, post_norm
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("gelu", says="Your Φ(x) is (1 + erf(x)) / 2", never="missing in your code")
def narrower_normal_distribution(x):
    return x * torch.distributions.Normal(0.0, 2**-0.5).cdf(x)


@wrong("FeedForward", says="The activation has no effect", never="never calls")
class ActivationThrownAway(find("FeedForward").reference):
    def forward(self, x):
        hidden = self.W_1(x)
        self.activation(hidden)
        return self.W_2(hidden)


@wrong("FeedForward", says="Your maps have no trainable biases.", never="Your maps have no biases:")
class PlainBiases(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)
        self.b_1, self.b_2, self.activation = torch.zeros(d_ff), torch.zeros(d_model), activation

    def forward(self, x):
        return self.down(self.activation(self.up(x) + self.b_1)) + self.b_2


@wrong("post_norm", says="Your sum is twice sublayer(x)", never="should give")
def x_overwritten(x, sublayer, norm):
    x = sublayer(x)
    return norm(x + x)


@wrong("post_norm", says="is not normalised", never="Call `norm`")
def norm_thrown_away(x, sublayer, norm):
    x = x + sublayer(x)
    norm(x)
    return x


@wrong("pre_norm", says="is missing from your result, which is x + norm(x)", never="never calls")
def sublayer_thrown_away(x, sublayer, norm):
    x, read = x.clone(), norm(x)
    sublayer(read)
    return x + read


@wrong("EncoderLayer", says="Your feed-forward has no effect", never="ends after")
class FeedForwardThrownAway(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)
        return x


@wrong("EncoderLayer", says="normalises neither of its two sums", never="has no norms")
class NormsThrownAway(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        x = x + self.dropout(self.self_attention(x, x, x, mask))
        self.norm_1(x)
        x = x + self.dropout(self.feed_forward(x))
        self.norm_2(x)
        return x


@wrong("EncoderLayer", says="The mask has no effect", never="never reaches")
class EverythingOpen(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else torch.ones_like(mask))


@wrong("post_norm", says="the mean of x and sublayer(x)", never="cases")
def mean_in_place_of_the_sum(x, sublayer, norm):
    return norm(torch.stack([x, sublayer(x)]).mean(0))


@wrong("encoder_parameter_count", says="the three counts of one layer N times over", never="`tuple`")
def tuple_times_layers(d_model, d_ff, layers):
    attention, feed_forward, norms = find("encoder_parameter_count").reference(d_model, d_ff, 1)
    return (attention, feed_forward, norms) * layers


@wrong("LayerNorm", says="Your bias is multiplied by the gain too", never="before")
class BiasTimesTheGain(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.bias, self.eps = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x):
        variance = x.var(-1, keepdim=True, correction=0)
        normalised = (x - x.mean(-1, keepdim=True)) / torch.sqrt(variance + self.eps)
        return self.gain * normalised + self.gain * self.bias


@wrong("LayerNorm", says=("changes the caller's `x`", "a large eps"), never="The result of this call")
class InPlaceWithAFixedEps(find("LayerNorm").reference):
    def forward(self, x):
        variance = x.var(-1, correction=0, keepdim=True)
        x -= x.mean(-1, keepdim=True)
        return self.gain * x / torch.sqrt(variance + 1e-5) + self.bias


@wrong("post_norm", says="gradient", never="Right in all")
def residual_without_a_gradient(x, sublayer, norm):
    return norm(x.detach() + sublayer(x))


@wrong("LayerNorm", says="takes eps in place of a variance that is smaller", never="should be")
class VarianceAtLeastEps(find("LayerNorm").reference):
    def forward(self, x):
        variance, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
        return self.gain * (x - mean) / variance.clamp(min=self.eps).sqrt() + self.bias


@wrong("gelu", says="square root or the logarithm of a negative", never="what is 0 or infinite")
def root_of_negative_numbers(x):
    return 0.5 * x * (1 + torch.erf(torch.sqrt(x / 2)))


@wrong("gelu", says="Your result is what the right one becomes after a ReLU.", never=("is too much", "one step"))
def relu_times_the_share(x):
    return torch.relu(x) * (1 + torch.erf(x / 2**0.5)) / 2


@wrong("FeedForward", says="Call the function that is the third argument", never="brings")
class AlwaysReLU(find("FeedForward").reference):
    def forward(self, x):
        return self.W_2(torch.relu(self.W_1(x)))


@wrong(
    "FeedForward",
    says="square root or the logarithm of a negative",
    never=("keeps something", "never depends"),
)
class LogarithmBetweenTheMaps(find("FeedForward").reference):
    def forward(self, x):
        return self.W_2(self.activation(torch.log(-1 - self.W_1(x).square())))


@wrong(
    "LayerNorm",
    says="not `[[[nan, nan, nan, nan]",
    never=("keeps something", "learns 0 gains", "never depends"),
)
class VarianceBelowZero(find("LayerNorm").reference):
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = mean**2 - (x**2).mean(-1, keepdim=True)
        return self.gain * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong("LayerNorm", says="one variance over the whole tensor", never="one mean")
class OneVarianceForAll(find("LayerNorm").reference):
    def forward(self, x):
        x = x - x.mean(-1, keepdim=True)
        return self.gain * x / torch.sqrt(x.var(unbiased=False) + self.eps) + self.bias


@wrong("LayerNorm", says="which is 0 but for rounding")
class ForgetsTheSquare(find("LayerNorm").reference):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.gain * centred / torch.sqrt(centred.mean(-1, keepdim=True) + self.eps) + self.bias


@wrong("EncoderLayer", says="reads the raw output of the self-attention", never="reads the input of the layer")
class FeedForwardReadsWhatAttentionWrote(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        read = self.dropout(self.self_attention(x, x, x, mask))
        return self.norm_2(self.norm_1(x + read) + self.dropout(self.feed_forward(read)))


@wrong("EncoderLayer", says="Use what they return.", never="Use them in `forward`")
class AttentionThrownAway(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)


@wrong("gelu", says="0.44715 in place of 0.044715")
def tanh_with_another_constant(x):
    return 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * (x + 0.44715 * x.pow(3))))


@wrong("gelu", says="2 / π in place of its root")
def tanh_without_the_root(x):
    return 0.5 * x * (1 + torch.tanh(2 / math.pi * (x + 0.044715 * x.pow(3))))


@wrong("gelu", says="and not the term with x³")
def tanh_without_brackets(x):
    return 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * x + 0.044715 * x.pow(3)))


@wrong("LayerNorm", says="`x.mean(-1)` and `x.var(-1, correction=0)` lose their axis", never="is one transposed")
class StatisticsWithoutTheirAxis(LayerNorm):
    def forward(self, x):
        mean, variance = x.mean(-1), x.var(-1, correction=0)
        return self.gain * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong("LayerNorm", says="`x.var(-1, correction=0)` loses its axis", never=("is one transposed", "x.mean(-1)"))
class VarianceWithoutItsAxis(LayerNorm):
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = x.var(-1, correction=0)
        return self.gain * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong("EncoderLayer", says="No gradient reaches `self.self_attention`, so it is never trained", never="itself")
class AttentionWithoutGradient(EncoderLayer):
    def forward(self, x, mask=None):
        with torch.no_grad():
            attended = self.self_attention(x, x, x, mask)
        x = self.norm_1(x + attended)
        return self.norm_2(x + self.feed_forward(x))


@wrong("EncoderLayer", says="Your code applies dropout to the sum, so it drops numbers of the residual as well")
class DropsTheSum(EncoderLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(self.dropout(x + self.self_attention(x, x, x, mask)))
        return self.norm_2(self.dropout(x + self.feed_forward(x)))


@wrong("FeedForward", says="Your second map has no trainable bias. The formula adds one, b_2")
class SecondMapWithoutBias(find("FeedForward").reference):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_2 = torch.nn.Linear(d_ff, d_model, bias=False)


@wrong("FeedForward", says="so something in it applies dropout. Use no dropout here.", never="any layer inside it")
class DropoutOnTheHiddenNumbers(find("FeedForward").reference):
    def forward(self, x):
        return self.W_2(torch.nn.functional.dropout(self.activation(self.W_1(x)), 0.1, self.training))


class LinearWithDropout(nn.Linear):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.1, self.training)


@wrong("FeedForward", says="Use no dropout here, in the class itself or in any layer inside it.")
class DropoutInsideALayer(find("FeedForward").reference):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_2 = LinearWithDropout(d_ff, d_model)


@wrong("LayerNorm", says="should be the argument of `__init__`.", never="Keep the argument")
class EpsWrittenIntoForward(find("LayerNorm").reference):
    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
        return self.gain * (x - mean) / torch.sqrt(variance + 1e-5) + self.bias


@wrong("EncoderLayer", says="makes `self.norm_2`, but `forward` never uses it.", never="what it returns")
class FirstNormTwice(EncoderLayer):
    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_1)


@wrong("EncoderLayer", says="but the output never depends on it. Use what it returns.", never="`forward` never uses")
class SecondNormThrownAway(EncoderLayer):
    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        self.norm_2(x)
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_1)


@wrong("encoder_parameter_count", says="You count the norms of one layer only. Multiply them by the number of layers")
def norms_of_one_layer(d_model, d_ff, layers):
    feed_forward = 2 * d_model * d_ff + d_ff + d_model
    return layers * 4 * (d_model**2 + d_model), layers * feed_forward, 4 * d_model


@wrong("LayerNorm", says="Your eps is always 1e-5, whatever is passed in.", never="`self.eps` should hold")
class EpsSetInInit(LayerNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model)
        self.eps = 1e-5


@wrong("LayerNorm", says="or divides by its inverse", never="Divide by it")
class DividedByThePowerOfMinusOneHalf(LayerNorm):
    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
        return self.gain * (x - mean) / (variance + self.eps) ** -0.5 + self.bias


@wrong("EncoderLayer", says="Your feed-forward always uses ReLU", never="Pass it on")
class OwnMapsWithRelu(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.attention = find("MultiHeadAttention").reference(d_model, heads)
        self.up, self.down, self.drop = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), nn.Dropout(dropout)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x, mask=None):
        x = self.norm_1(x + self.drop(self.attention(x, x, x, mask)))
        return self.norm_2(x + self.drop(self.down(torch.relu(self.up(x)))))


@wrong("encoder_parameter_count", says="Your attention has d_model biases in each layer.", never="in all")
def one_vector_of_biases(d_model, d_ff, layers):
    feed_forward = 2 * d_model * d_ff + d_ff + d_model
    return layers * (4 * d_model**2 + d_model), layers * feed_forward, layers * 4 * d_model


@wrong("gelu", says="Your Φ is taken at (x − mean) / std")
def of_standard_scores(x):
    return x * torch.special.ndtr((x - x.mean()) / x.std())


@wrong("FeedForward", says="Here both should be the same.", never="dropout")
class LessInTraining(find("FeedForward").reference):
    def forward(self, x):
        return super().forward(x) * (0.9 if self.training else 1.0)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
