"""Where the parameters of three well-known models are, counted from their sizes."""

from collections.abc import Callable

Count = Callable[[int, int, int], tuple[int, int, int]]
"""From d_model, d_ff and layers to the parameters in attention, in feed-forwards and in norms."""


def parameters_of_known_models(count: Count) -> dict[str, dict[str, int]]:
    """Count the parameters of the Transformer of 2017 and of BERT, by part. Norms, under 0.1 %, are left out.

    The Transformer has 6 layers on either side, of which the decoder's have two attentions each, and 37,000 tokens
    (Vaswani et al. 2017, arXiv:1706.03762, section 5.1). BERT base has 12 layers, BERT large 24; both have 30,522
    tokens, 512 positions and 2 segments (Devlin et al. 2019, arXiv:1810.04805, section 3).

    Takes a function that counts an encoder's parameters, such as `encoder_parameter_count`. Returns for each model its
    parameters by part: "feed-forward", "attention" and "embeddings".
    """
    attention, feed_forward, _ = count(512, 2048, 6)
    models = {
        "2017, base": {"feed-forward": 2 * feed_forward, "attention": 3 * attention, "embeddings": 37_000 * 512},
    }
    for name, d_model, layers in (("BERT, base", 768, 12), ("BERT, large", 1024, 24)):
        attention, feed_forward, _ = count(d_model, 4 * d_model, layers)
        embeddings = (30_522 + 512 + 2) * d_model
        models[name] = {"feed-forward": feed_forward, "attention": attention, "embeddings": embeddings}
    return models
