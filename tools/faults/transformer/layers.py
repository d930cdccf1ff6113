"""Faults to plant in course_lib/transformer/layers.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # Activations and the feed-forward.
    (
        "return x * (1 + torch.erf(x / math.sqrt(2))) / 2",
        'return F.gelu(x, approximate="tanh")',
        "GELU in its tanh form",
    ),
    ("return x * (1 + torch.erf(x / math.sqrt(2))) / 2", "return x * torch.sigmoid(1.702 * x)", "GELU by a sigmoid"),
    ("torch.erf(x / math.sqrt(2))", "torch.erf(x)", "GELU of another width"),
    ("(x / math.sqrt(2))) / 2", "(x / math.sqrt(2)))", "GELU twice as large"),
    ("return x * (1 + torch.erf", "return (1 + torch.erf", "GELU without its input"),
    (
        "activation: Callable[[Tensor], Tensor] = torch.relu, *, bias",
        "activation: Callable[[Tensor], Tensor] = F.gelu, *, bias",
        "plain feed-forward with GELU",
    ),
    (
        "= torch.relu, *, bias: bool = True\n",
        "= torch.relu, *, bias: bool = False\n",
        "plain feed-forward without biases",
    ),
    (
        "self.W_1 = nn.Linear(d_model, d_ff, bias)\n        self.W_2 = nn.Linear(d_ff, d_model, bias)\n        self.a",
        "self.W_1 = nn.Linear(d_model, d_ff)\n        self.W_2 = nn.Linear(d_ff, d_model, bias)\n        self.a",
        "W_1 has a bias all the same",
    ),
    (
        "self.W_2 = nn.Linear(d_ff, d_model, bias)\n        self.act",
        "self.W_2 = nn.Linear(d_ff, d_model)\n        self.act",
        "W_2 has a bias all the same",
    ),
    ("hidden = self.activation(self.W_1(x))", "hidden = self.W_1(x)", "two maps with nothing between"),
    (
        "hidden = self.activation(self.W_1(x))  # (..., d_ff)\n        output: Tensor = self.W_2(hidden)",
        "hidden = self.W_1(x)  # (..., d_ff)\n        output: Tensor = self.activation(self.W_2(hidden))",
        "activation after the second map",
    ),
    (
        "hidden = self.activation(self.W_1(x))  # (..., d_ff)\n        output: Tensor = self.W_2(hidden)",
        "hidden = self.activation(self.W_1(x))  # (..., d_ff)\n        output: Tensor = x + self.W_2(hidden)",
        "a residual inside the feed-forward",
    ),
    # SwiGLU.
    ("F.silu(gate) * hidden", "F.silu(hidden) * gate", "the joined maps of a gate exchanged"),
    ("        if self.joined is None:", "        if True:", "the joined maps of a gate never used"),
    ("F.linear(x, *self.joined)", "F.linear(x, self.joined[0])", "the joined maps of a gate without their biases"),
    ("F.silu(gate) * hidden", "gate * hidden", "the joined maps of a gate without an activation"),
    ("*, bias: bool = False) -> None", "*, bias: bool = True) -> None", "plain SwiGLU with biases"),
    ("self.W_gate = nn.Linear(d_model, d_ff, bias)", "self.W_gate = nn.Linear(d_model, d_ff)", "the gate has a bias"),
    ("F.silu(self.W_gate(x)) * self.W_1(x)", "F.silu(self.W_1(x))", "SwiGLU without its gate"),
    ("F.silu(self.W_gate(x)) * self.W_1(x)", "F.silu(self.W_1(x)) * self.W_gate(x)", "gate and map exchanged"),
    ("F.silu(self.W_gate(x)) * self.W_1(x)", "self.W_gate(x) * self.W_1(x)", "a gate without an activation"),
    ("F.silu(self.W_gate(x))", "F.gelu(self.W_gate(x))", "GEGLU in place of SwiGLU"),
    # A layer of a Llama.
    (
        "keys = self.rotate(split_heads(self.W_k(x), self.kv_heads))",
        "keys = split_heads(self.W_k(x), self.kv_heads)",
        "a Llama's keys not rotated",
    ),
    (
        "values = split_heads(self.W_v(x), self.kv_heads)",
        "values = self.rotate(split_heads(self.W_v(x), self.kv_heads))",
        "a Llama's values rotated",
    ),
    (
        "x = x + self.self_attention(self.norm_1(x), mask)",
        "x = x + self.self_attention(self.norm_1(x))",
        "a Llama that reads the future",
    ),
    (
        "x = x + self.feed_forward(self.norm_2(x))",
        "x = x + self.feed_forward(x)",
        "a Llama's feed-forward without its norm",
    ),
    # LayerNorm.
    (
        "eps: float = 1e-5, *, bias: bool = True)",
        "eps: float = 1e-6, *, bias: bool = True)",
        "plain LayerNorm with another eps",
    ),
    (
        "eps: float = 1e-5, *, bias: bool = True)",
        "eps: float = 1e-5, *, bias: bool = False)",
        "plain LayerNorm without a bias",
    ),
    ("torch.ones(d_model))\n        self.bias", "torch.zeros(d_model))\n        self.bias", "gains start at 0"),
    ("torch.zeros(d_model)) if bias else None", "torch.zeros(d_model))", "LayerNorm has a bias all the same"),
    ("centred = x - x.mean(-1, keepdim=True)", "centred = x", "LayerNorm does not centre"),
    (
        "centred = x - x.mean(-1, keepdim=True)",
        "centred = x - x.mean(-2, keepdim=True)",
        "mean over the tokens",
    ),
    (
        "centred = x - x.mean(-1, keepdim=True)",
        "centred = x - x.mean(0, keepdim=True)",
        "mean over the batch",
    ),
    ("centred = x - x.mean(-1, keepdim=True)", "centred = x - x.mean()", "one mean for everything"),
    ("centred.square().mean(-1, keepdim=True)", "centred.var(-1, keepdim=True)", "variance divided by n - 1"),
    ("centred.square().mean(-1, keepdim=True)", "centred.square().mean(-2, keepdim=True)", "variance over the tokens"),
    (
        "centred.square().mean(-1, keepdim=True)",
        "x.square().mean(-1, keepdim=True)",
        "variance of what is not centred",
    ),
    ("torch.sqrt(variance + self.eps)", "(torch.sqrt(variance) + self.eps)", "LayerNorm's eps outside the root"),
    ("torch.sqrt(variance + self.eps)", "(variance + self.eps)", "divided by the variance"),
    ("torch.sqrt(variance + self.eps)", "torch.sqrt(variance + 1e-5)", "LayerNorm's eps ignored"),
    ("self.gain * centred / torch", "centred / torch", "LayerNorm without its gain"),
    ("else normalised + self.bias", "else normalised", "LayerNorm without its bias"),
    ("self.gain, self.bias, self.eps)", "self.gain, self.bias)", "fused LayerNorm's eps ignored"),
    ("self.gain, self.bias, self.eps)", "self.gain, None, self.eps)", "fused LayerNorm without its bias"),
    ("self.gain, self.bias, self.eps)", "None, self.bias, self.eps)", "fused LayerNorm without its gain"),
    # RMSNorm.
    ("gain.shape, gain, self.eps)", "gain.shape, gain)", "fused RMSNorm's eps ignored"),
    (
        "gain.shape, gain, self.eps)",
        "gain.shape, gain, 1e-5)",
        "fused RMSNorm always with the eps that it has by default",
    ),
    ("gain.shape, gain, self.eps)", "gain.shape, None, self.eps)", "fused RMSNorm without its gain"),
    ("        if x.dtype != gain.dtype:", "        if False:", "fused RMSNorm returns the type of x"),
    (
        "            return super().forward(x)\n        return F.rms_norm(x,",
        "            pass\n        return F.rms_norm(x.to(gain.dtype),",
        "fused RMSNorm rounds what it reads to the type of its gain",
    ),
    (
        "too large for half precision\n        mean_square",
        "too large for half precision\n        wide = x\n        mean_square",
        "RMSNorm squares in half precision",
    ),
    ("return normalised.to(self.gain.dtype)", "return normalised", "RMSNorm leaves half precision for good"),
    ("eps: float = 1e-5) -> None", "eps: float = 1e-8) -> None", "plain RMSNorm with another eps"),
    ("wide * torch.rsqrt(mean_square + self.eps)", "wide / (mean_square.sqrt() + self.eps)", "eps outside the root"),
    (
        "wide * torch.rsqrt(mean_square + self.eps)",
        "wide / torch.rsqrt(mean_square + self.eps)",
        "divided by the reciprocal root",
    ),
    ("wide.pow(2).mean(-1, keepdim=True)", "wide.pow(2).mean(-2, keepdim=True)", "RMSNorm over the tokens"),
    ("wide.pow(2).mean(-1, keepdim=True)", "wide.pow(2).sum(-1, keepdim=True)", "RMSNorm by the sum of squares"),
    ("wide.pow(2).mean(", "(wide - wide.mean(-1, keepdim=True)).pow(2).mean(", "RMSNorm with the variance"),
    (
        "torch.rsqrt(mean_square + self.eps) * self.gain",
        "torch.rsqrt(mean_square + self.eps)",
        "RMSNorm without its gain",
    ),
    # Residuals.
    ("return norm(x + sublayer(x))", "return norm(sublayer(x))", "post-norm without the residual"),
    ("return norm(x + sublayer(x))", "return x + norm(sublayer(x))", "post-norm before the residual"),
    ("return norm(x + sublayer(x))", "return norm(x) + sublayer(x)", "post-norm of what was read only"),
    ("return norm(x + sublayer(x))", "return x + sublayer(x)", "post-norm without the norm"),
    ("return norm(x + sublayer(x))", "return norm(x + x + sublayer(x))", "the residual added twice"),
    ("return x + sublayer(norm(x))", "return sublayer(norm(x))", "pre-norm without the residual"),
    ("return x + sublayer(norm(x))", "return norm(x) + sublayer(norm(x))", "residual carries the norm's output"),
    ("return x + sublayer(norm(x))", "return x + norm(sublayer(x))", "pre-norm after the sublayer"),
    ("return x + sublayer(norm(x))", "return norm(x + sublayer(norm(x)))", "pre-norm also after"),
    ("return x + sublayer(norm(x))", "return x + sublayer(x)", "pre-norm left out"),
    # Cross-attention.
    (
        "return attention(x, memory, memory, memory_mask)",
        "return attention(memory, x, x, memory_mask)",
        "cross-attention asks from the memory's side",
    ),
    (
        "return attention(x, memory, memory, memory_mask)",
        "return attention(x, x, x, None)",
        "cross-attention never reads the memory",
    ),
    (
        "return attention(x, memory, memory, memory_mask)",
        "return attention(x, memory, memory, None)",
        "cross-attention reads padding",
    ),
    (
        "return attention(x, memory, memory, memory_mask)",
        "return attention(x, memory, x, memory_mask)",
        "cross-attention mixes the target's values",
    ),
    # The encoder layer.
    (
        (
            "self.feed_forward = feed_forward(d_model, d_ff, activation)\n        self.norm_1 = norm(d_model)\n"
            "        self.norm_2 = norm(d_model)\n        self.dropout"
        ),
        (
            "self.feed_forward = feed_forward(d_model, d_ff)\n        self.norm_1 = norm(d_model)\n"
            "        self.norm_2 = norm(d_model)\n        self.dropout"
        ),
        "encoder layer's activation lost on its way",
    ),
    (
        "self.norm_2 = norm(d_model)\n        self.dropout",
        "self.norm_2 = self.norm_1\n        self.dropout",
        "an encoder layer with one norm for both",
    ),
    (
        (
            "self.self_attention(y, y, y, mask)), self.norm_1)\n"
            "        x = self.residual(x, lambda y: self.dropout(self.feed"
        ),
        "self.self_attention(y, y, y)), self.norm_1)\n        x = self.residual(x, lambda y: self.dropout(self.feed",
        "encoder layer reads padding",
    ),
    (
        (
            "self.self_attention(y, y, y, mask)), self.norm_1)\n"
            "        x = self.residual(x, lambda y: self.dropout(self.feed"
        ),
        (
            "self.self_attention(y, x, x, mask)), self.norm_1)\n"
            "        x = self.residual(x, lambda y: self.dropout(self.feed"
        ),
        "pre-norm for the queries only",
    ),
    (
        (
            "lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)\n"
            "        x = self.residual(x, lambda y: self.dropout(self.feed"
        ),
        (
            "lambda y: self.self_attention(y, y, y, mask), self.norm_1)\n"
            "        x = self.residual(x, lambda y: self.dropout(self.feed"
        ),
        "no dropout on encoder attention",
    ),
    (
        "self.dropout(self.feed_forward(y)), self.norm_2)",
        "self.feed_forward(y), self.norm_2)",
        "no dropout on the feed-forward",
    ),
    (
        "self.dropout(self.feed_forward(y)), self.norm_2)",
        "F.dropout(self.feed_forward(y), self.dropout.p), self.norm_2)",
        "dropout outside training",
    ),
    (
        "self.dropout(self.feed_forward(y)), self.norm_2)",
        "self.dropout(self.feed_forward(y)), self.norm_1)",
        "the first norm used twice",
    ),
    (
        "x = self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
        "x = self.norm_2(x + self.dropout(self.feed_forward(x)))",
        "the feed-forward always post-norm",
    ),
    # The decoder layer.
    (
        (
            "self.cross_attention = cross_attention(d_model, heads)\n"
            "        self.feed_forward = feed_forward(d_model, d_ff, activation)"
        ),
        (
            "self.cross_attention = cross_attention(d_model, heads)\n"
            "        self.feed_forward = feed_forward(d_model, d_ff)"
        ),
        "decoder layer's activation lost on its way",
    ),
    (
        "self.cross_attention = cross_attention(d_model",
        "self.cross_attention = self_attention(d_model",
        "cross-attention of the class of self-attention",
    ),
    (
        "self.cross_attention = cross_attention(d_model, heads)",
        "self.cross_attention = self.self_attention",
        "both attentions of a decoder layer are one",
    ),
    ("self.norm_3 = norm(d_model)", "self.norm_3 = self.norm_2", "a decoder layer with two norms for three"),
    (
        "return self.cross(self.cross_attention, y",
        "return cross_attend(self.cross_attention, y",
        "another way of reading across ignored",
    ),
    (
        "return self.cross(self.cross_attention, y",
        "return self.cross(self.self_attention, y",
        "the memory read by self-attention",
    ),
    ("y, memory, memory_mask)\n\n        x", "y, memory, mask)\n\n        x", "the target's mask laid over the memory"),
    (
        "y, memory, memory_mask)\n\n        x",
        "y, self.norm_2(memory), memory_mask)\n\n        x",
        "memory's keys normed again",
    ),
    (
        "self.self_attention(y, y, y, mask)), self.norm_1)\n        x = self.residual(x, lambda y: self.dropout(read",
        "self.self_attention(y, y, y)), self.norm_1)\n        x = self.residual(x, lambda y: self.dropout(read",
        "decoder layer reads the future",
    ),
    ("self.dropout(read_memory(y)), self.norm_2)", "read_memory(y), self.norm_2)", "no dropout on cross-attention"),
    (
        "        x = self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)\n",
        "",
        "a decoder layer without cross-attention",
    ),
    (
        "        x = self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)\n",
        "",
        "a decoder layer without its feed-forward",
    ),
    # Counting.
    (
        "attention = 4 * (d_model * d_model + d_model)",
        "attention = 3 * (d_model * d_model + d_model)",
        "the count forgets W_o",
    ),
    (
        "attention = 4 * (d_model * d_model + d_model)",
        "attention = 4 * d_model * d_model",
        "the count forgets attention's biases",
    ),
    (
        "(d_model * d_ff + d_ff) + (d_ff * d_model + d_model)",
        "2 * d_model * d_ff",
        "the count forgets the feed-forward's biases",
    ),
    ("norms = 2 * (d_model + d_model)", "norms = d_model + d_model", "the count forgets a norm"),
    ("return layers * attention, layers", "return attention, layers", "attention of one layer counted"),
    ("if x.shape[-1:] != self.gain.shape:", "if False:", "vectors of width 1 stretched by a norm"),
]
