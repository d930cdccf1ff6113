"""Unseen answers to the exercises of notebook 12_fine_tuning."""

import torch
from torch import nn

from course_lib.exercises.catalogue import find
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("ClassifierHead", says=("yours grow by 2.5", "not added exactly once"), never="twice")
class MapsThePadding(find("ClassifierHead").reference):
    def forward(self, hidden, real):
        return self.output(hidden * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True)


@wrong("ClassifierHead", says="yours grow by 0.5", never="twice")
class DividesTheBias(find("ClassifierHead").reference):
    def forward(self, hidden, real):
        return self.output((hidden * real[..., None]).sum(dim=1)) / real.sum(dim=1, keepdim=True)


@wrong("parameter_groups", says="An optimizer takes its groups in a list", never="keys")
def groups_in_a_dictionary(head, body, head_rate, body_rate):
    return {"head": {"params": [*head.parameters()], "lr": head_rate}, "body": {"params": [], "lr": body_rate}}


@wrong("parameter_groups", says="Your groups are empty", never=("same rate", "rate above 0"))
def without_what_has_no_gradient_yet(head, body, head_rate, body_rate):
    with_gradient = [[each for each in part.parameters() if each.grad is not None] for part in (head, body)]
    return [{"params": with_gradient[0], "lr": head_rate}, {"params": with_gradient[1], "lr": body_rate}]


@wrong("parameter_groups", says="no parameter of the body has a rate above 0", never="leaves the body out")
def body_at_rate_0(head, body, head_rate, body_rate):
    learning = [[each for each in part.parameters() if each.requires_grad] for part in (head, body)]
    return [{"params": learning[0], "lr": head_rate}, {"params": learning[1], "lr": 0.0}]


@wrong("parameter_groups", says="a parameter that is in two groups", never="same rate")
def head_in_two_groups(head, body, head_rate, body_rate):
    of_head, of_body = ([each for each in part.parameters() if each.requires_grad] for part in (head, body))
    return [{"params": of_head + of_body, "lr": body_rate}, {"params": of_head, "lr": head_rate}]


@wrong("should_stop", says="looks at the last loss only", never="counts")
def last_loss_only(losses, patience):
    return len(losses) > patience and losses[-1] >= min(losses[:-patience])


@wrong("LowRankAdapter", says="Your `self.A` is a plain tensor", never="rank")
class PlainTensors(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.A, self.B, self.scale = torch.randn(rank, d_in), torch.zeros(d_out, rank), alpha / rank

    def forward(self, x):
        return self.scale * (x @ self.A.T @ self.B.T)


@wrong("LowRankAdapter", says="all rows of A begin as the same numbers", never="cases")
class RowsAlike(find("LowRankAdapter").reference):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__(d_in, d_out, rank, alpha)
        self.A = nn.Parameter(torch.ones(rank, d_in))


@wrong("parameter_groups", says="all rates are 0", never="empty")
def rate_0_for_all(head, body, head_rate, body_rate):
    return [{"params": [*part.parameters()], "lr": 0} for part in (head, body)]


@wrong("mean_of_tokens", says="in the longest text of the batch", never=("all S positions", "explains"))
def divided_by_the_longest(hidden, real):
    return (hidden * real[..., None]).sum(1) / real.sum(1).max()


@wrong("LowRankAdapter", says="Your class learns a bias, `self.B.bias`", never="numbers")
class BiasAtRandom(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.A, self.B, self.scale = nn.Linear(d_in, rank, bias=False), nn.Linear(rank, d_out), alpha / rank
        nn.init.zeros_(self.B.weight)

    def forward(self, x):
        return self.scale * self.B(self.A(x))


@wrong("freeze", says="is something there that does not belong", never="left out")
def part_anywhere_in_the_name(model, learn):
    count = 0
    for name, parameter in model.named_parameters():
        if any(part in name for part in learn):
            count += parameter.numel()
        else:
            parameter.requires_grad = False
    return count


@wrong("merge_adapter", says="whole change is rounded down")
def product_rounded_down(weight, A, B, alpha):
    return weight + (B @ A) * alpha // len(A)


@wrong("should_stop", says="whatever `patience` is", never="is right in")
def at_the_first_loss_without_progress(losses, patience):
    return len(losses) > 1 and losses[-1] >= min(losses[:-1])


@wrong("should_stop", says="Your code forgets a lowest loss of 0.")
def lowest_of_0_counts_as_none(losses, patience):
    best, bad = None, 0
    for loss in losses:
        if not best or loss < best:
            best, bad = loss, 0
        else:
            bad += 1
    return bad >= patience


@wrong("leave_one_out", says="in all but the one with a score of 0")
def score_0_counts_as_none(score, words):
    whole = score(words)
    return torch.tensor([whole - (score(words[:i] + words[i + 1 :]) or whole) for i in range(len(words))])


@wrong("mean_of_tokens", says=("count of numbers that are not 0", "you divide 0 by 0"), never="calls tried")
def by_the_numbers_that_are_not_0(hidden, real):
    kept = hidden * real[..., None]
    return kept.sum(dim=1) / (kept != 0).sum(dim=1)


@wrong("mean_of_tokens", says="averages the first n vectors", never="calls tried")
def of_the_first_vectors(hidden, real):
    lengths = real.sum(dim=1).tolist()
    return torch.stack([states[:n].mean(dim=0) for states, n in zip(hidden, lengths, strict=True)])


@wrong("mean_of_tokens", says="in all but the one in which real tokens have features that are 0.")
def zeros_for_ones(hidden, real):
    return find("mean_of_tokens").reference(torch.where(hidden == 0, 1, hidden), real)


def learning(part):
    return [each for each in part.parameters() if each.requires_grad]


@wrong("parameter_groups", says="puts what is frozen into a group at rate 0", never="rates")
def frozen_in_a_third_group(head, body, head_rate, body_rate):
    both = [*head.parameters(), *body.parameters()]
    return [
        {"params": learning(head), "lr": head_rate},
        {"params": learning(body), "lr": body_rate},
        {"params": [each for each in both if not each.requires_grad], "lr": 0.0},
    ]


@wrong("parameter_groups", says="of the body is in a group, at the rate 0, but it is frozen.", never="should learn")
def frozen_of_the_body_in_a_third_group(head, body, head_rate, body_rate):
    frozen = [each for each in body.parameters() if not each.requires_grad]
    groups = [{"params": learning(head), "lr": head_rate}, {"params": learning(body), "lr": body_rate}]
    return [*groups, {"params": frozen, "lr": 0.0}]


@wrong("parameter_groups", says=("The biases, and the gains of the norms,", "are in no group"), never="index")
def only_what_is_a_matrix(head, body, head_rate, body_rate):
    of_head, of_body = ([each for each in learning(part) if each.dim() > 1] for part in (head, body))
    return [{"params": of_head, "lr": head_rate}, {"params": of_body, "lr": body_rate}]


@wrong(
    "parameter_groups",
    says="the parameter `0.bias` of the head should learn at rate 0.5, but is in no group.",
    never=("index", "matrices"),
)
def bias_of_the_head_left_out(head, body, head_rate, body_rate):
    of_head = [each for each in learning(head) if each is not head[0].bias]
    return [{"params": of_head, "lr": head_rate}, {"params": learning(body), "lr": body_rate}]


@wrong("freeze", says="the one in which `learn` names a parameter itself, not a module.", never="a single parameter")
def modules_only(model, learn):
    model.requires_grad_(False)
    for name, module in model.named_modules():
        if name in learn:
            module.requires_grad_(True)
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


@wrong("LowRankAdapter", says="Your class learns two biases, `self.A.bias` and `self.B.bias`.", never="1 more")
class TwoBiases(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.A, self.B, self.scale = nn.Linear(d_in, rank), nn.Linear(rank, d_out), alpha / rank
        nn.init.zeros_(self.B.weight)

    def forward(self, x):
        return self.scale * self.B(self.A(x))


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
