"""Faults to plant in course_lib/transformer/models.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # The encoder.
    (
        "d_model) * d_model**-0.5)\n        self.layers",
        "d_model))\n        self.layers",
        "an encoder's table starts too large",
    ),
    (
        (
            "d_model**-0.5)\n"
            "        self.layers = nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))"
        ),
        "d_model**-0.5)\n        self.layers = nn.ModuleList([layer(d_model, heads, d_ff, dropout)] * layers)",
        "all layers of an encoder are one",
    ),
    (
        "d_model**-0.5)\n        self.layers = nn.ModuleList(layer(d_model, heads, d_ff, dropout) for",
        "d_model**-0.5)\n        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for",
        "an encoder of the course's layers only",
    ),
    (
        "final_norm or nn.Identity()\n        self.pad",
        "final_norm or LayerNorm(d_model)\n        self.pad",
        "a norm after the encoder where none is asked for",
    ),
    (
        "if mask is None:\n            mask =",
        "if True:\n            mask =",
        "encoder forgets the mask that it is given",
    ),
    ("mask = _hide_padding(ids, self.pad, self.padding)", "pass", "encoder reads padding"),
    (
        "mask = _hide_padding(ids, self.pad, self.padding)",
        "mask = _hide_padding(ids, 0, self.padding)",
        "an encoder's pad is always 0",
    ),
    (
        "self.dropout(self.embed(ids, self.table))",
        "self.embed(ids, self.table)",
        "no dropout on an encoder's embeddings",
    ),
    ("hidden: Tensor = self.final_norm(x)", "hidden: Tensor = x", "no norm after the encoder"),
    # The language model.
    (
        "d_model) * d_model**-0.5)\n        self.output",
        "d_model))\n        self.output",
        "a language model's table starts too large",
    ),
    (
        (
            "nn.Parameter(self.table.detach().clone())\n"
            "        self.layers = nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))"
        ),
        (
            "nn.Parameter(self.table.detach().clone())\n"
            "        self.layers = nn.ModuleList([layer(d_model, heads, d_ff, dropout)] * layers)"
        ),
        "all layers of a language model are one",
    ),
    (
        "self.output_table = None if tied else nn.Parameter(self.table.detach().clone())",
        "self.output_table = nn.Parameter(self.table.detach().clone())",
        "a language model's tables alike at the start only",
    ),
    (
        "self.output_table = None if tied else nn.Parameter(self.table.detach().clone())",
        "self.output_table = None",
        "a language model always tied",
    ),
    ("nn.Parameter(self.table.detach().clone())", "nn.Parameter(self.table.detach())", "two tables in one memory"),
    (
        "self.embed(ids, self.table), self.mask(T).to(ids.device)",
        "self.embed(ids, self.table), None",
        "language model reads the future",
    ),
    (
        "self.embed(ids, self.table), self.mask(T).to(ids.device)",
        "self.embed(ids, self.table), self.mask(T).mT.to(ids.device)",
        "language model reads backwards",
    ),
    (
        "self.embed(ids, self.table), self.mask(T).to(ids.device)",
        "self.embed(ids, self.table), causal_mask(T)",
        "another causal mask ignored",
    ),
    ("T = ids.size(1)", "T = ids.size(0)", "causal mask as long as the batch"),
    (
        "self.embed(ids, self.table, past.positions(T)), past.mask(T)",
        "self.embed(ids, self.table), past.mask(T)",
        "tokens after a past counted from 0",
    ),
    (
        "self.embed(ids, self.table, past.positions(T)), past.mask(T)",
        "self.embed(ids, self.table, past.positions(T)), None",
        "the mask of a past ignored",
    ),
    ("hidden = self.dropout(hidden)", "pass", "no dropout on a language model's embeddings"),
    (
        "        if past is not None:\n            hidden = hidden[:, -1:]",
        "        if False:\n            hidden = hidden[:, -1:]",
        "with a past, the logits of all positions computed",
    ),
    ("hidden = hidden[:, -1:]", "hidden = hidden[:, :1]", "with a past, the logits of the first position"),
    ("hidden = layer(hidden, mask)", "hidden = layer(hidden)", "a language model's layers told of no mask"),
    ("self.final_norm(hidden) @ output_table.T", "hidden @ output_table.T", "no norm after a language model"),
    (
        "output_table = self.table if self.output_table is None else self.output_table",
        "output_table = self.table",
        "a table for the logits made, never used",
    ),
    # BERT's head.
    (
        "F.gelu(self.transform(hidden))",
        "self.transform(hidden)",
        "BERT's head without its activation",
    ),
    (
        "self.norm(F.gelu(self.transform(hidden)))",
        "F.gelu(self.norm(self.transform(hidden)))",
        "BERT's head norms before the activation",
    ),
    (
        "self.norm(F.gelu(self.transform(hidden)))",
        "self.norm(F.gelu(hidden))",
        "BERT's head without its map",
    ),
    (
        "self.norm(F.gelu(self.transform(hidden)))",
        "F.gelu(self.transform(hidden))",
        "BERT's head without its norm",
    ),
    ("transformed @ table.T + self.output_bias", "transformed @ table.T", "BERT's head without its bias"),
    ("self.norm = norm(d_model)", "self.norm = LayerNorm(d_model)", "another norm of BERT's head ignored"),
    (
        "output_table = self.encoder.table if self.output_table is None else self.output_table",
        "output_table = self.encoder.table",
        "BERT's table for the logits made, never used",
    ),
    (
        "None if tied else nn.Parameter(encoder.table",
        "None if True else nn.Parameter(encoder.table",
        "BERT always tied",
    ),
    # The encoder-decoder.
    (
        "torch.randn(source_vocabulary, d_model) * d_model**-0.5",
        "torch.randn(source_vocabulary, d_model)",
        "the source's table starts too large",
    ),
    (
        "torch.randn(target_vocabulary, d_model) * d_model**-0.5",
        "torch.randn(target_vocabulary, d_model)",
        "the target's table starts too large",
    ),
    (
        "torch.randn(target_vocabulary, d_model)",
        "torch.randn(source_vocabulary, d_model)",
        "target table of the source's size",
    ),
    ("        if one_table:", "        if False:", "two languages never share a table"),
    ("one_table: bool = False", "one_table: bool = True", "two languages share a table by default"),
    (
        "self.source_table = self.target_table\n",
        "self.source_table.data.copy_(self.target_table)\n",
        "shared tables alike at the start only",
    ),
    (
        "None if tied else nn.Parameter(self.target_table",
        "None if True else nn.Parameter(self.target_table",
        "a translator always tied",
    ),
    (
        "nn.ModuleList(encoder_layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
        "nn.ModuleList([encoder_layer(d_model, heads, d_ff, dropout)] * layers)",
        "all encoder layers are one",
    ),
    (
        "nn.ModuleList(decoder_layer(d_model, heads, d_ff, dropout) for _ in range(layers))",
        "nn.ModuleList([decoder_layer(d_model, heads, d_ff, dropout)] * layers)",
        "all decoder layers are one",
    ),
    (
        "nn.ModuleList(decoder_layer(d_model, heads, d_ff, dropout)",
        "nn.ModuleList(decoder_layer(d_model, heads, d_ff)",
        "dropout never reaches the decoder",
    ),
    (
        "self.encoder_norm, self.decoder_norm = final",
        "self.decoder_norm, self.encoder_norm = final",
        "final norms exchanged",
    ),
    (
        "self.dropout(self.embed(source_ids, self.source_table))",
        "self.embed(source_ids, self.source_table)",
        "no dropout on source embeddings",
    ),
    (
        "self.embed(source_ids, self.source_table)",
        "self.embed(source_ids, self.target_table)",
        "the source looked up in the target's table",
    ),
    (
        "            x = layer(x, mask)\n        memory",
        "            x = layer(x)\n        memory",
        "a translator's encoder reads padding",
    ),
    ("memory: Tensor = self.encoder_norm(x)", "memory: Tensor = x", "no norm after a translator's encoder"),
    (
        "self.embed(target_ids, self.target_table), self",
        "self.embed(target_ids, self.source_table), self",
        "the target looked up in the source's table",
    ),
    ("self.mask(T).to(target_ids.device)", "None", "decoder reads the future"),
    ("T = target_ids.size(1)", "T = target_ids.size(1) - 1", "causal mask one token short"),
    (
        "self.embed(target_ids, self.target_table, past.positions(T)), past.mask(T)",
        "self.embed(target_ids, self.target_table), past.mask(T)",
        "a translation continued at position 0",
    ),
    (
        "self.embed(target_ids, self.target_table, past.positions(T)), past.mask(T)",
        "self.embed(target_ids, self.target_table, past.positions(T)), None",
        "a translation continued without its mask",
    ),
    ("x = self.dropout(x)  # (B, T, d_model)", "pass", "no dropout on target embeddings"),
    (
        "        if past is not None:\n            x = x[:, -1:]",
        "        if False:\n            x = x[:, -1:]",
        "a translation's logits of all positions computed with a past",
    ),
    ("x = x[:, -1:]", "x = x[:, :1]", "a translation's logits of the first position with a past"),
    ("x = layer(x, memory, mask, memory_mask)", "x = layer(x, memory, mask)", "decoder reads the source's padding"),
    (
        "x = layer(x, memory, mask, memory_mask)",
        "x = layer(x, memory, memory_mask, mask)",
        "the decoder's masks exchanged",
    ),
    (
        "x = layer(x, memory, mask, memory_mask)",
        "memory = x = layer(x, memory, mask, memory_mask)",
        "each decoder layer reads the last one",
    ),
    (
        "memory_mask = _hide_padding(source_ids",
        "memory_mask = _hide_padding(target_ids",
        "the target's padding hidden in the memory",
    ),
    ("logits: Tensor = self.decoder_norm(x) @", "logits: Tensor = x @", "no norm after the decoder"),
    (
        "output_table = self.target_table if self.output_table is None else self.output_table",
        "output_table = self.target_table",
        "a translator's table for the logits never used",
    ),
    (
        "output_table = self.target_table if self",
        "output_table = self.source_table if self",
        "logits over the source's tokens",
    ),
    (
        "self.decode(target_ids, self.encode(source_ids), source_ids)",
        "self.decode(target_ids, self.encode(target_ids), source_ids)",
        "the target encoded",
    ),
    ("(ids == pad).any()", "(ids == pad).all()", "padding hidden where there is nothing else only"),
    ("if pad is None or not", "if not", "padding sought where there is none"),
    ("    return padding(ids, pad)", "    return padding_mask(ids, pad)", "another padding mask ignored"),
    ("    return padding(ids, pad)", "    return ~padding(ids, pad)", "all but the padding hidden"),
]
