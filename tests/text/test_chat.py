"""The text of a conversation. `tests/pretrained/test_decoder.py` holds it equal to the model's own template."""

from course_lib.text.chat import chat_prompt


def test_every_turn_has_its_marks_and_the_answer_begins() -> None:
    turns = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}]
    assert chat_prompt(turns, "Be kind.") == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi.<|im_end|>\n"
        "<|im_start|>assistant\nYes?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_message_of_the_system_is_not_said_twice_and_the_messages_stay_as_they_are() -> None:
    told = [{"role": "system", "content": "Be brief."}]
    assert chat_prompt(told, "Be kind.") == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>assistant\n"
    assert told == [{"role": "system", "content": "Be brief."}]
    assert chat_prompt([], "Be kind.") == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>assistant\n"
