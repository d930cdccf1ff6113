"""How a conversation becomes one text that a language model continues. Built by hand in notebook 14."""

from collections.abc import Mapping, Sequence

START, END = "<|im_start|>", "<|im_end|>"


def chat_prompt(messages: Sequence[Mapping[str, str]], system: str) -> str:
    """Write messages as one text, and begin the assistant's answer.

    Each message is <|im_start|>, its role, a new line, its content, <|im_end|>, and a new line. The answer begins like
    a message of the assistant. This is the template in the file of SmolLM2-135M-Instruct; other models have others.
    Built by hand in notebook 14.

    Args:
        messages: in their order, each with a "role" ("system", "user" or "assistant") and a "content".
        system: what to say first where the first message is not one of the system.

    >>> print(chat_prompt([{"role": "user", "content": "Hello!"}], "Be brief."))
    <|im_start|>system
    Be brief.<|im_end|>
    <|im_start|>user
    Hello!<|im_end|>
    <|im_start|>assistant
    <BLANKLINE>
    """
    if not messages or messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    turns = [f"{START}{message['role']}\n{message['content']}{END}\n" for message in messages]
    return "".join(turns) + f"{START}assistant\n"
