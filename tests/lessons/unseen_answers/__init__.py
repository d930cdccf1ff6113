"""Answers by people who knew neither the mistakes nor the checks, kept so that what a check says stays true of them.

Each file has the answers to one notebook's exercises, most of them wrong. A wrong answer stands with words that the
check's message contains and, where another mistake is easily taken for it, with words that would not be true of it.
"""
