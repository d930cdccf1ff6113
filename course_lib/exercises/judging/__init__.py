"""Judge an answer: run it on every case, compare, recognise known mistakes, and say what is wrong and where."""
