"""Faults to plant in course_lib/transformer/build.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # The encoder-decoder.
    ('"pad": config.pad,', '"pad": 0,', "the configuration's pad ignored"),
    (
        '"encoder_layer": _encoder_layer(config, parts)',
        '"encoder_layer": _encoder_layer(config, COURSE)',
        "a learner's encoder layers ignored",
    ),
    (
        '"decoder_layer": _decoder_layer(config, parts)',
        '"decoder_layer": _decoder_layer(config, COURSE)',
        "a learner's decoder layers ignored",
    ),
    (
        '"embed": _embedding(config, parts),\n        "mask": parts.causal_mask,\n        "padding"',
        '"mask": parts.causal_mask,\n        "padding"',
        "a translator's embedding always that of 2017",
    ),
    ('"mask": parts.causal_mask,\n        "padding"', '"padding"', "a learner's causal mask ignored in a translator"),
    ('"padding": parts.padding_mask,', "", "a learner's padding mask ignored in a translator"),
    (
        "(norm(config.d_model), norm(config.d_model)) if",
        "(norm(config.d_model),) * 2 if",
        "one final norm for encoder and decoder",
    ),
    (
        "norm(config.d_model)) if config.ends_in_norm else None",
        "norm(config.d_model)) if False else None",
        "a translator never ends in a norm",
    ),
    (
        "config.tied_embeddings and config.target_vocabulary is None",
        "config.tied_embeddings",
        "two vocabularies in one table",
    ),
    (
        "config.tied_embeddings and config.target_vocabulary is None",
        "config.target_vocabulary is None",
        "one table though none are tied",
    ),
    ("config.tied_embeddings and config.target_vocabulary is None", "False", "one vocabulary in two tables"),
    (
        '"tied": config.tied_embeddings,\n    }\n    plain = _is_plain(config) and',
        '"tied": True,\n    }\n    plain = _is_plain(config) and',
        "translators tied in spite of the configuration",
    ),
    ("_is_plain(config) and config.pad == 0 and", "_is_plain(config) and", "a learner's translator with another pad"),
    (" and config.target_vocabulary is not None\n", "\n", "a learner's translator with one table asked for"),
    ("plain = _is_plain(config) and config.pad", "plain = config.pad", "a learner's translator in every style"),
    (
        "config.target_vocabulary or config.vocabulary, *_sizes",
        "config.vocabulary, *_sizes",
        "logits over the source's vocabulary",
    ),
    # The language model.
    (
        '"layer": _encoder_layer(config, parts),\n        "embed"',
        '"layer": _encoder_layer(config, COURSE),\n        "embed"',
        "a learner's layers ignored in a language model",
    ),
    (
        '"embed": _embedding(config, parts),\n        "mask": parts.causal_mask,\n        "final_norm"',
        '"mask": parts.causal_mask,\n        "final_norm"',
        "a language model's embedding always that of 2017",
    ),
    (
        '"mask": parts.causal_mask,\n        "final_norm"',
        '"final_norm"',
        "a learner's causal mask ignored in a language model",
    ),
    (
        '"final_norm": _norm(config, parts)(config.d_model) if config',
        '"final_norm": None if config',
        "a language model never ends in a norm",
    ),
    (
        '"tied": config.tied_embeddings,\n    }\n    make',
        '"tied": True,\n    }\n    make',
        "language models tied in spite of the configuration",
    ),
    (
        "models.LanguageModel, handed, _is_plain(config))",
        "models.LanguageModel, handed, True)",
        "a learner's language model in every style",
    ),
    # Encoders.
    ("        pad=config.pad,\n", "", "an encoder's pad lost on its way"),
    ("        padding=parts.padding_mask,\n", "", "a learner's padding mask ignored in an encoder"),
    ("        layer=_encoder_layer(config, parts),\n", "", "an encoder's layers always those of 2017"),
    ("        embed=_embedding(config, parts),\n", "", "an encoder's embedding always that of 2017"),
    (
        (
            "        final_norm=_norm(config, parts)(config.d_model) if config.ends_in_norm else None,\n    )\n"
            "    return _ready(encoder"
        ),
        "    )\n    return _ready(encoder",
        "an encoder never ends in a norm",
    ),
    ('handed = {"norm": _norm(config, parts)}', "handed = {}", "the norm of BERT's head always that of 2017"),
    ("head=head, tied=config.tied_embeddings", "head=head", "BERT tied in spite of the configuration"),
    (
        "    model.config = config\n    return model\n\n\ndef _sizes",
        "    return model\n\n\ndef _sizes",
        "BERT without its configuration",
    ),
    ("config.layers, config.dropout", "config.layers, 0.1", "the configuration's dropout ignored"),
    # Whose part is used.
    (
        '"layers", "max_length", "dropout", "pad")',
        '"layers", "dropout", "pad")',
        "a model is plain with one length only",
    ),
    (
        "    if _takes(part, handed):\n        return partial(part, **handed)\n",
        "",
        "parts that can do more told of nothing",
    ),
    (
        "return part if plain else partial(course, **handed)",
        "return partial(course, **handed)",
        "a learner's plain parts never used",
    ),
    ("return part if plain else partial(course, **handed)", "return part", "a learner's plain parts used everywhere"),
    (
        "return part if plain else partial(course, **handed)",
        "return part if plain else course",
        "the course's part told of nothing",
    ),
    (
        "handed.keys() <= parameters.keys()",
        "bool(handed.keys() & parameters.keys())",
        "a part that takes some of the choices handed all",
    ),
    ("return takes_any or handed", "return handed", "parts that take any choice told of nothing"),
    ('made = layer(*sizes, handed["activation"])', "made = layer(*sizes)", "a learner's layer always with ReLU"),
    (
        "return made if _set_eps(made, config.norm_eps) else",
        "return made if True else",
        "a learner's layer with its own eps",
    ),
    (
        "return made if _set_eps(made, config.norm_eps) else",
        "return made if False else",
        "a learner's layer made, then left out",
    ),
    (
        'rotates=False), "cross": parts',
        'rotates=config.positions == "rotary"), "cross": parts',
        "cross-attention turned by positions",
    ),
    ('"cross": parts.cross_attend', '"cross": layers.cross_attend', "a learner's way of reading across ignored"),
    (
        'config.activation == "relu" and config.norm_eps',
        "config.norm_eps",
        "a learner's decoder layer with another activation",
    ),
    (" and config.norm_eps == TransformerConfig.norm_eps\n", "\n", "a learner's decoder layer with another eps"),
    # The parts of a layer.
    ('"relu": F.relu', '"relu": parts.gelu', "GELU in place of ReLU"),
    ('"gelu": parts.gelu', '"gelu": partial(F.gelu, approximate="tanh")', "BERT's GELU approximate"),
    ('"gelu": parts.gelu', '"gelu": F.gelu', "a learner's GELU ignored"),
    ('partial(F.gelu, approximate="tanh")', "F.gelu", "the tanh form of GELU exact"),
    (
        '"self_attention": _attention(config, parts, rotates=config.positions == "rotary")',
        '"self_attention": _attention(config, parts, rotates=False)',
        "rotary positions never reach the layers",
    ),
    (
        '"self_attention": _attention(config, parts, rotates=config.positions == "rotary")',
        '"self_attention": _attention(config, parts, rotates=True)',
        "every style turned by rotary positions",
    ),
    (
        '"feed_forward": _feed_forward(config, parts)',
        '"feed_forward": _feed_forward(config, COURSE)',
        "a learner's feed-forward ignored",
    ),
    (
        '"norm": _norm(config, parts),\n        "residual"',
        '"norm": _norm(config, COURSE),\n        "residual"',
        "a learner's norm ignored in layers",
    ),
    (
        'parts.pre_norm if config.norm_place == "pre" else parts.post_norm',
        'parts.post_norm if config.norm_place == "pre" else parts.pre_norm',
        "pre-norm and post-norm exchanged",
    ),
    (
        'parts.pre_norm if config.norm_place == "pre" else parts.post_norm',
        'layers.pre_norm if config.norm_place == "pre" else parts.post_norm',
        "a learner's pre-norm ignored",
    ),
    (
        'config.kv_heads is not None or config.positions == "rotary"',
        'config.positions == "rotary"',
        "a learner's layer without shared keys",
    ),
    (
        'config.kv_heads is not None or config.positions == "rotary"',
        "config.kv_heads is not None",
        "a learner's layer without rotary positions",
    ),
    ('has_own_attention or config.activation == "swiglu"', "has_own_attention", "a learner's layer without a gate"),
    (
        '(config.norm, config.norm_place, config.bias) == ("layer", "post", True)',
        '(config.norm_place, config.bias) == ("post", True)',
        "a learner's layer with LayerNorm for RMSNorm",
    ),
    (
        '(config.norm, config.norm_place, config.bias) == ("layer", "post", True)',
        '(config.norm, config.bias) == ("layer", True)',
        "a learner's post-norm layer for pre-norm",
    ),
    (
        '(config.norm, config.norm_place, config.bias) == ("layer", "post", True)',
        '(config.norm, config.norm_place) == ("layer", "post")',
        "a learner's layer with biases for none",
    ),
    (
        "    if eps == TransformerConfig.norm_eps:\n        return True\n",
        "",
        "a learner's layer refused at the usual eps",
    ),
    ("if not norms or not all(", "if not all(", "a layer without norms given an eps"),
    (
        'if not norms or not all(hasattr(norm, "eps") for norm in norms):',
        "if not norms:",
        "an eps given to norms that have none",
    ),
    ("if part is not layer and ", "if ", "a layer taken for a norm for its name"),
    ("        norm.eps = eps  # type", "        eps = norm.eps  # type", "the eps of a learner's norms left as it was"),
    # Attention, feed-forward, norms.
    ('"kv_heads": config.kv_heads,', '"kv_heads": None,', "shared key heads lost on their way"),
    (
        '"bias": config.bias,\n        "rotate"',
        '"bias": True,\n        "rotate"',
        "attention with biases in every style",
    ),
    (
        "_rotation(config, parts) if rotates else None",
        "_rotation(config, parts)",
        "cross-attention rotated with the rest",
    ),
    (
        '"attention": parts.scaled_dot_product_attention',
        '"attention": attention.scaled_dot_product_attention',
        "a learner's attention ignored",
    ),
    ('"split": parts.split_heads', '"split": attention.split_heads', "a learner's splitting ignored"),
    ('"merge": parts.merge_heads', '"merge": attention.merge_heads', "a learner's merging ignored"),
    (
        "plain = config.kv_heads is None and config.bias and",
        "plain = config.bias and",
        "a learner's heads for shared ones",
    ),
    (
        "plain = config.kv_heads is None and config.bias and",
        "plain = config.kv_heads is None and",
        "a learner's projections with biases for none",
    ),
    ("config.bias and not rotates", "config.bias", "a learner's attention without positions for rotary"),
    (
        'layers.FeedForward, {"bias": config.bias}, config.bias)',
        'layers.FeedForward, {"bias": True}, config.bias)',
        "feed-forward with biases in every style",
    ),
    (
        'layers.FeedForward, {"bias": config.bias}, config.bias)',
        'layers.FeedForward, {"bias": config.bias}, True)',
        "a learner's feed-forward with biases for none",
    ),
    ('if config.activation != "swiglu":', "if True:", "no gate in any style"),
    (
        'layers.FusedSwiGLU, {"bias": config.bias}',
        'layers.FusedSwiGLU, {"bias": False}',
        "a gate without biases in every style",
    ),
    ("not config.bias)\n    return lambda", "True)\n    return lambda", "a learner's gate without biases for one with"),
    ('if config.norm == "rms":', "if False:", "LayerNorm for RMSNorm"),
    (
        'layers.FusedRMSNorm, {"eps": config.norm_eps}, plain)',
        'layers.FusedRMSNorm, {"eps": 1e-5}, plain)',
        "RMSNorm's eps not the configuration's",
    ),
    ("and config.dropout == 0", "", "a learner's layer without dropout where there should be some"),
    ("is_llama and not config.bias", "is_llama", "a learner's layer without biases where there should be some"),
    ("kv_heads = config.kv_heads or config.heads", "kv_heads = config.heads", "a learner's layer with keys of its own"),
    (
        '{"eps": config.norm_eps, "bias": config.bias}',
        '{"eps": 1e-5, "bias": config.bias}',
        "LayerNorm's eps not the configuration's",
    ),
    (
        '{"eps": config.norm_eps, "bias": config.bias}',
        '{"eps": config.norm_eps, "bias": True}',
        "LayerNorm with a bias in every style",
    ),
    ("lambda d_model: norm(d_model, config.norm_eps)", "norm", "a learner's norm with its own eps"),
    (
        "layers.FusedLayerNorm, handed, config.bias)",
        "layers.FusedLayerNorm, handed, True)",
        "a learner's norm with a bias for none",
    ),
    # Rotary positions and embeddings.
    (
        '{"base": config.rotary_base}, config.rotary_base == 10_000)',
        '{"base": 10_000.0}, config.rotary_base == 10_000)',
        "rotary base lost on its way",
    ),
    ("config.rotary_base == 10_000)", "True)", "a learner's rotation with every base"),
    ("config.rotary_base == 10_000)", "False)", "a learner's rotation never used"),
    ("x.new_zeros(*x.shape[:-2], start,", "x.new_zeros(*x.shape[:-2], 1,", "a learner's rotation from 1 always"),
    ("[..., start:, :]", "[..., : x.size(-2), :]", "a learner's rotation gives the tokens before"),
    ('if _takes(rotate, {"start": 0}):', "if True:", "a learner's rotation told of a start that it does not know"),
    (
        "config.scaled_embeddings and not (config.embedding_norm or config.segments):",
        "config.scaled_embeddings:",
        "a norm of embeddings lost beside sinusoids",
    ),
    (
        '"sinusoidal" and config.scaled_embeddings and not',
        '"sinusoidal" and not',
        "sinusoids always on scaled embeddings",
    ),
    (
        '{"look_up": parts.embed, "positions": parts.sinusoidal}',
        '{"look_up": positions.embed, "positions": parts.sinusoidal}',
        "a learner's look-up ignored",
    ),
    (
        '{"look_up": parts.embed, "positions": parts.sinusoidal}',
        '{"look_up": parts.embed, "positions": positions.sinusoidal}',
        "a learner's sinusoids ignored",
    ),
    (
        "return _choose(parts.embed_with_positions,",
        "return _choose(positions.embed_with_positions,",
        "a learner's embedding ignored",
    ),
    (
        "partial(positions.add_positions, positions=parts.sinusoidal)",
        "positions.add_positions",
        "a learner's sinusoids ignored beside a norm",
    ),
    ("parts.LearnedPositions(config", "positions.LearnedPositions(config", "a learner's learned positions ignored"),
    (
        "LearnedPositions(config.max_length, config.d_model) if",
        "LearnedPositions(512, config.d_model) if",
        "learned positions for another length",
    ),
    (
        "        parts.embed,\n        scale",
        "        positions.embed,\n        scale",
        "a learner's look-up ignored in later styles",
    ),
    (
        "scale=config.d_model**0.5 if config.scaled_embeddings else 1.0",
        "scale=1.0",
        "embeddings of later styles never scaled",
    ),
    (
        "scale=config.d_model**0.5 if config.scaled_embeddings else 1.0",
        "scale=config.d_model**0.5",
        "embeddings of later styles always scaled",
    ),
    ("positions=positions_of.get(config.positions)", "positions=None", "no positions in later styles"),
    (
        "torch.randn(config.segments, config.d_model) * 0.02",
        "torch.randn(config.segments, config.d_model)",
        "segments start large",
    ),
    (
        "(config.d_model) if config.embedding_norm else None",
        "(config.d_model) if False else None",
        "embeddings never normed",
    ),
    # How a model starts.
    ("    model.config = config\n    for", "    for", "a model without its configuration"),
    ("nn.init.xavier_uniform_(part.weight)", "nn.init.xavier_normal_(part.weight)", "normal start in place of uniform"),
    ("nn.init.xavier_uniform_(part.weight)", "pass", "linear maps start as torch has them"),
    ("nn.init.zeros_(part.bias)", "pass", "biases start anyhow"),
    ("if not config.scaled_embeddings:", "if False:", "unscaled tables start large"),
    ("nn.init.normal_(table, std=0.02)", "nn.init.normal_(table)", "unscaled tables start with a spread of 1"),
    ('if name.endswith("table"):', 'if name == "table":', "only a language model's table starts small"),
]
