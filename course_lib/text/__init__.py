"""From text to ids and back: characters, words, byte pairs, and what a pretrained model brings along."""
