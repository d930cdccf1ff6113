"""Faults to plant in course_lib/pretrained/decoder.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # What the file's names and settings mean.
    (
        '"feed_forward.W_gate.weight",\n    "ffn_up.weight": "feed_forward.W_1.weight"',
        '"feed_forward.W_1.weight",\n    "ffn_up.weight": "feed_forward.W_gate.weight"',
        "a gate that is not one",
    ),
    ('rotary_base=float(about["llama.rope.freq_base"])', "rotary_base=10_000.0", "clocks of another base"),
    ('float(about["llama.attention.layer_norm_rms_epsilon"])', "1e-5", "the eps of another Llama"),
    ('max_length=int(about["llama.context_length"])', "max_length=2048", "another number of positions"),
    ('!= "llama"', "is None", "a model of another kind taken for a Llama"),
    # The order of the features.
    ("pairs.transpose(1, 2).reshape", "pairs.reshape", "neighbours rotated as halves"),
    ("weight.reshape(heads, -1, 2,", "weight.reshape(heads, 2, -1,", "halves made neighbours"),
    ("weight.reshape(heads, -1, 2,", "weight.reshape(1, -1, 2,", "features reordered across heads"),
    ('"W_k": config.kv_heads or config.heads}', '"W_k": config.heads}', "keys reordered as for 9 heads"),
    ('"W_k": config.kv_heads or config.heads}', '"W_k": 3, "W_v": 3}', "values reordered too"),
    # Writing, and what was written.
    ("(self.tokenizer.eos, end)", "(self.tokenizer.eos,)", "the end of a text not noticed"),
    ("return -F.cross_entropy(", "return F.cross_entropy(", "ln p with the wrong sign"),
    ("self.logits(ids)[:-1]", "self.logits(ids)[1:]", "ln p of each token from its own logits"),
    (" or self.stop[-1:]", "", "nothing written after an empty text"),
    ("stop=self.stop, use_cache", "stop=(), use_cache", "a text that goes on after its end"),
    ("use_cache=use_cache)", "use_cache=True)", "a cache where none was wanted"),
    ("chat_prompt(messages, self.system)", 'chat_prompt(messages, "")', "nothing told to the model first"),
    # Building the model.
    ("    if cached:\n", "    if False:\n", "layers that know no cache"),
    ("    if cached:\n", "    if True:\n", "a learner's layer never used"),
    ("ModelFile(path, unpack)", "ModelFile(path)", "a learner's unpacking never used"),
    ("except (ValueError, KeyError) as error:", "except ValueError as error:", "a setting that is missing not named"),
    ("if wrong := _misfits(file, model):", "if wrong := []:", "weights that are missing left as they were"),
    ("in_file.get(name) != weight.shape", "name not in in_file", "weights of another shape taken"),
    ("by_columns(weight) if weight.dim() == 2 else weight", "weight", "no matrix of a file stored by columns"),
    ("store_side_by_side((part.W_q, part.W_k, part.W_v))", "pass", "queries, keys and values copied for writing"),
    ("store_side_by_side((part.W_gate, part.W_1))", "pass", "the maps of a gate copied for writing"),
    (
        "weight.dim() == 2 else",
        "weight.dim() == 2 and weight.size(0) >= weight.size(1) else",
        "only matrices of a file with more rows than columns stored by columns",
    ),
    # The tokenizer.
    ("control = 3", "control = 4", "special tokens cut into pieces"),
    ('eos=int(about["tokenizer.ggml.eos_token_id"])', "eos=0", "a turn that ends with another token"),
    ("return told[1] if told else", 'return "" if told else', "the model's first words not found"),
]
