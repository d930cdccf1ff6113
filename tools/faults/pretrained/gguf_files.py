"""Faults to plant in course_lib/pretrained/gguf_files.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("in reversed(self._tensors[name].shape)", "in self._tensors[name].shape", "columns named before rows"),
    ("return self.unpack(self.blocks(name))", "return unpack_q4_1(self.blocks(name))", "an own way to unpack ignored"),
    ("self._tensors[name].n_bytes", "self._tensors[name].n_elements", "numbers counted for bytes"),
    ('np.require(numbers, requirements="W")', "numbers", "weights of 32 bits that are the file itself"),
    ('if self.kind(name) != "Q4_1":', "if False:", "blocks of a weight that has none"),
    ("name: field.contents() for", "name: field.parts[-1] for", "settings left as bytes"),
    ("(ValueError, IndexError, KeyError,", "(KeyError,", "a damaged file not named"),
]
