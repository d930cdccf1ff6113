"""The exercises of notebook 14: the parts of a Llama, its weights of four bits, its tokens, its conversations."""
