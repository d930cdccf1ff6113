"""The exercise `chat_prompt` of notebook 14."""

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import chat

ASKED = [{"role": "user", "content": "Who are you?"}]
TALK = [
    {"role": "user", "content": "Hello!"},
    {"role": "assistant", "content": "Hi.\nWho are you?"},
    {"role": "user", "content": "A king."},
]
TOLD = [{"role": "system", "content": "Answer in verse."}, *ASKED]
GREETED = [{"role": "assistant", "content": "How can I help?"}, *ASKED]
LATE = [*ASKED, {"role": "system", "content": "Now be brief."}]

chat_prompt = Exercise(
    reference=chat.chat_prompt,
    notebook=14,
    order=80,
    minutes=6,
    difficulty=1,
    returns=(Result("the text"),),
    example=case(ASKED, "Be kind."),
    another=case([{"role": "user", "content": "Who is he?"}], "Be kind."),
    cases=(
        case(TALK, "Be kind.", having=("several turns",)),
        case(TOLD, "Be kind.", having=("a system message",)),
        case(LATE, "Be kind.", having=("a system message at the end",)),
        case([*TOLD, *TALK], "", having=("a system message", "several turns")),
        case(TALK[:2], "Be kind.", having=("several turns", "a conversation that the assistant ends")),
        case(ASKED, "", having=("an empty system text",)),
        case(GREETED, "Be kind.", having=("a conversation that the assistant begins",)),
        case([{"role": "user", "content": "  two spaces  "}], "Be kind.", having=("spaces around the content",)),
    ),
    hints=(
        "Write the text for one message on paper, with its new lines. Then the text for two.",
        "If the first message is not a system message, put one with the given text before it.",
        'Each turn is `f"<|im_start|>{role}\\n{content}<|im_end|>\\n"`. What comes after the last one?',
    ),
)

chat_prompt.patch(
    "Your text does not begin the answer. The model may then write another turn of the user: end with "
    "<|im_start|>assistant and a new line.",
    replace='"".join(turns) + f"{START}assistant\\n"',
    by='"".join(turns)',
)

chat_prompt.patch(
    "The new line after <|im_end|> is missing. The model has always seen one there.",
    replace="{END}\\n",
    by="{END}",
)

chat_prompt.patch(
    "The new line after the role is missing, so that role and content run together.",
    replace="{message['role']}\\n",
    by="{message['role']}",
)

chat_prompt.patch(
    "A space stands where the new line after the role belongs.",
    replace="{message['role']}\\n",
    by="{message['role']} ",
)

chat_prompt.patch(
    "Your text lacks the new line at its end, so the model would have to write it first.",
    replace="assistant\\n",
    by="assistant",
)

chat_prompt.patch(
    "The answer is closed before it begins: after <|im_start|>assistant and the new line, nothing follows.",
    replace='f"{START}assistant\\n"',
    by='f"{START}assistant\\n{END}\\n"',
)


@chat_prompt.mistake(
    "Your code never adds the given system text. Put a system message with it first, unless the conversation "
    "begins with one."
)
def never_told(messages, system):
    turns = [f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


@chat_prompt.mistake(
    "Your code puts the text `system` first even if the conversation begins with a system message. Leave it out there."
)
def told_twice(messages, system):
    return chat.chat_prompt([{"role": "system", "content": system}, *messages], system)


@chat_prompt.mistake(
    "Your code leaves out the text `system` if any message of the conversation is a system message. Only the role "
    "of the first message matters."
)
def anywhere(messages, system):
    if any(message["role"] == "system" for message in messages):
        return never_told(messages, system)
    return chat.chat_prompt(messages, system)


@chat_prompt.mistake(
    "Your text has no system message where the given text is empty. Only the role of the first message matters."
)
def empty_left_out(messages, system):
    return chat.chat_prompt(messages, system) if system else never_told(messages, system)


@chat_prompt.mistake(
    "Your text has the given system message only where the user speaks first. It belongs there whenever the first "
    "message is not a system message."
)
def before_the_user_only(messages, system):
    begins_with_user = messages[0]["role"] == "user"
    return chat.chat_prompt(messages, system) if begins_with_user else never_told(messages, system)


@chat_prompt.mistake(
    "Your text begins the answer only if the last message is the user's. Whoever spoke last, the assistant's turn "
    "comes next."
)
def answers_the_user_only(messages, system):
    text = chat.chat_prompt(messages, system)
    return text if messages[-1]["role"] == "user" else text.removesuffix("<|im_start|>assistant\n")


@chat_prompt.mistake("Your text lacks the spaces around a content. Write the contents as they are.")
def stripped(messages, system):
    messages = [{"role": message["role"], "content": message["content"].strip()} for message in messages]
    return chat.chat_prompt(messages, system)


@chat_prompt.right_for_whole_course
def with_a_loop(messages, system):
    text = ""
    if messages[0]["role"] != "system":
        text = "<|im_start|>system\n" + system + "<|im_end|>\n"
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n" + message["content"] + "<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


@chat_prompt.right
def with_a_function(messages, system):
    def turn(role, content):
        return f"<|im_start|>{role}\n{content}<|im_end|>\n"

    turns = [turn(**message) for message in messages]
    if messages[0].get("role") != "system":
        turns.insert(0, turn("system", system))
    return "".join([*turns, "<|im_start|>assistant\n"])
