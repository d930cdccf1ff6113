"""Faults to plant in course_lib/writing/choose.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("if temperature < torch.finfo(", "if temperature < 0 * torch.finfo(", "temperature 0 divides by 0"),
    ("logits - logits.amax(dim=-1, keepdim=True)", "logits", "tiny temperatures overflow"),
    ("    check_logits(logits)\n    logits = warm", "    logits = warm", "tokens drawn from NaN"),
    (
        "    check_logits(logits)\n    return logits.argmax",
        "    return logits.argmax",
        "the likeliest of NaN is token 0",
    ),
    ("return logits / temperature", "return logits * temperature", "temperature multiplies"),
    ("logits < smallest", "logits <= smallest", "top-k leaves the k-th out"),
    ("min(int(k), logits.size(-1))", "int(k)", "k above V breaks"),
    ("if not 0 <= p <= 1:", "if p < 0 or p > 1:", "p that is not a number taken"),
    ("ordered.cumsum(dim=-1) - ordered >= p", "ordered.cumsum(dim=-1) >= p", "the token that crosses p left out"),
    ("reached_before[..., 0] = False", "pass", "p of 0 leaves nothing"),
    ("reached_before.scatter(-1, order, reached_before)", "reached_before", "top-p counts in another order"),
    (
        "    logits = warm(logits, temperature)\n",
        "    logits = warm(logits if p is None else keep_p(logits, p), temperature)\n",
        "top-p before the temperature",
    ),
    ("keep_k(logits, k)", "keep_k(logits if p is None else keep_p(logits, p), k)", "top-p before top-k"),
    ("1, generator=generator)", "1)", "generator ignored"),
    (
        "        if step is None:\n            return\n        _, (token,) = step\n        yield token",
        "            if step:\n                yield step[1][0]\n        if step is None:\n            return",
        "dropout stays off between two tokens",
    ),
    ("[rows[i] for i in going], [tokens", "going, [tokens", "tokens given to other rows"),
    ("chosen = chosen[selected]", "chosen = chosen[: len(going)]", "rows read other rows' tokens"),
    ("if step + 1 < asked.length:", "if True:", "one step too many"),
    ("with evaluating(asked.model):", "with torch.no_grad():", "dropout stays on while writing"),
]
