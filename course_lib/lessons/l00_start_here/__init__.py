"""The warm-up of notebook 00: softmax."""
