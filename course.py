"""The one door of the course. It needs nothing but Python; without a command it lists what it can do.

A command is a function below that is marked `@command`: it takes the rest of the command line and returns an exit
status, and its docstring is its help. Everything is installed into the folder `.venv` beside this file, nowhere else.

The file parses on Pythons down to 3.6 and imports nothing that they lack, so that an old one can be told what to do.
"""

import concurrent.futures
import contextlib
import errno
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
# Python 2 stops at the next line, the first that it cannot read, and shows it.
NEEDS_PYTHON = f"The course needs Python 3.{OLDEST[1]} to 3.{NEWEST[1]}"  # So: python3 course.py

ROOT = Path(__file__).resolve().parent
# An environment that somebody made ready for the course, such as conda's or a class's. It is taken as it is.
BORROWED = os.environ.get("COURSE_VENV")
VENV = Path(BORROWED).absolute() if BORROWED else ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What was installed. It is empty until all is; a `.venv` without one was not made here, and is left as it is.
MARK = VENV / "made-by-course.json"
# To be raised when pip alone cannot bring an older `.venv` up to date.
FORMAT = 1
# JupyterLab would otherwise ask each newcomer whether to fetch news, and look for a newer JupyterLab.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}

# PyTorch's own index. On Linux the usual one has the CUDA build, some 3 GB that are of no use without an NVIDIA GPU.
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
# The course and its tests take 1.7 GB with PyTorch's CPU build, and pip keeps a copy of what it downloads.
ROOM = 2.5e9

PIP_TROUBLES = {
    "full disk": r"No space left on device|Errno 28\b|Disk quota exceeded|not enough space on the disk",
    "certificate": r"CERTIFICATE_VERIFY_FAILED",
    "no network": r"(?i)connection broken|connection aborted|read timed out|not enough bytes",
    "no torch": r"No matching distribution found for torch\b",
}

COMMANDS = {}

say = functools.partial(print, flush=True)


class Stop(Exception):
    """A reason to go no further: one sentence that says what came and what to do."""


def command(function):
    """Make a function a command of this door, under its own name."""
    COMMANDS[function.__name__] = function
    return function


def in_venv(function):
    """Let a command run in the Python of `.venv`, which has the course's packages."""

    @functools.wraps(function)
    def run(arguments):
        if inside():
            return function(arguments)
        prepare()
        return become(PYTHON, __file__, function.__name__, *arguments)

    return run


@command
def lab(arguments):
    """Open the notebooks in JupyterLab. It is handed what follows: lab --no-browser."""
    prepare()
    place = [f"--ServerApp.root_dir={ROOT / 'notebooks'}", "--LabApp.default_url=/lab/tree/00_start_here.ipynb"]
    return become(PYTHON, "-m", "jupyterlab", *place, *arguments)


@command
def test(arguments):
    """Run every check. With more words only pytest runs, and is handed them: test -k attention."""
    prepare("test")
    checks = {"tests": ["pytest", *arguments]}
    if not arguments:
        # A file's tests stay in one process, since they share what is slow to make, and start in their order.
        together = ["--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder"]
        style = {"style": ["ruff", "check"], "layout": ["ruff", "format", "--check"], "types": ["mypy"]}
        checks = {**style, "tests": ["pytest", *together]}
    failed = []
    for name, words in checks.items():
        say(f"Checking the {name} ...")
        if subprocess.run([str(PYTHON), "-m", *words], cwd=str(ROOT)).returncode:
            failed.append(name)
    if failed:
        say(f"✗ Not all is well: look above at the {' and the '.join(failed)}.")
    elif arguments:
        say("✓ The tests that you chose pass. Without more words, every check runs.")
    else:
        say("✓ Every check passes.")
    return 1 if failed else 0


@command
def doctor(arguments):
    """Say whether the course will run on this computer, and what to do where it will not."""
    if not inside():
        reason = why_unusable()
        if reason:
            advice = "correct it, or unset it" if BORROWED else f"run `{call('lab')}`"
            raise Stop(f"The course is not installed, since {reason}: {advice}.")
        return become(PYTHON, __file__, "doctor", *arguments)
    from course_lib.cli.doctor import examine

    healthy = True
    for finding in examine(ROOT):
        say(f"{'✓' if finding.fine else '✗'} {finding.sentence}")
        healthy = healthy and (finding.fine or not finding.needed)
    say("The course will run on this computer." if healthy else "The course will not run yet: mend what has a ✗.")
    return 0 if healthy else 1


@command
@in_venv
def data(arguments):
    """Fetch all data sets, or those that you name: data tales. To see what there is: data --list."""
    from course_lib import data

    if arguments == ["--list"]:
        for name, about in data.SETS.items():
            state = "here" if data.present(name) else "not here yet"
            say(f"{name}: {about.description}\n  {size_in_words(about.size_bytes)}, {state}")
            say(f"  licence: {about.licence}\n  source: {about.source}")
        return 0
    names = arguments or list(data.SETS)
    unknown = [name for name in names if name not in data.SETS]
    if unknown:
        raise Stop(f"There is no data set `{unknown[0]}`: choose among {', '.join(data.SETS)}.")
    failed = 0
    for name in names:
        try:
            say(f"✓ {name} is in {data.fetch(name)}")
        except data.DataError as error:
            say(f"✗ {error}")
            failed += 1
    return 1 if failed else 0


@command
@in_venv
def progress(arguments):
    """Show which parts of the Transformer you have built, and which the course lends you."""
    from course_lib import yours

    say(repr(yours.report()))
    return 0


@command
@in_venv
def reset(arguments):
    """Begin anew with the parts that you name, or with all: what you wrote is moved aside, never deleted."""
    from course_lib import yours

    try:
        say(repr(yours.reset(*arguments)))
    except ValueError as error:
        raise Stop(str(error)) from error
    return 0


def prepare(*extras):
    """Make `.venv` hold the course with these extras. Where it does already, pip is not called.

    Raises:
        Stop: it cannot be done here.
    """
    try:
        if is_ready(extras):
            return
        if BORROWED:
            raise Stop(f"The course cannot start, since {why_unusable()}: correct it, or unset it.")
        with alone():
            reason = why_unusable()
            if reason:
                say(f"Making the folder .venv, since {reason}.")
                make_venv()
            install(extras)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Stop(full_disk(ROOM)) from error
        raise Stop(
            f"The course cannot change its own folder ({error}): close what runs from it, or move it to "
            "a folder that is yours, then run the same command again."
        ) from error


def is_ready(extras):
    """Say whether `.venv` holds the course with these extras, as pyproject.toml has it now."""
    if why_unusable():
        return False
    if BORROWED:
        return True
    mark = read_mark()
    return (
        mark["project"] == fingerprint()
        and set(extras) <= set(mark["extras"])
        and not ask_python(packages(mark["extras"]))["missing"]
    )


def why_unusable():
    """Give the reason why `.venv` has to be made anew, as the end of a sentence, or None."""
    if BORROWED:
        return None if ask_python([]) else f"no Python starts in {VENV}, which COURSE_VENV names"
    if not os.path.lexists(str(VENV)):
        return "there is none yet"
    mark = read_mark()
    if mark is None:
        return "the one there was not made by the course"
    if not mark:
        return "the one there was left half-made"
    if mark.get("format") != FORMAT:
        return "the one there was made by another version of the course"
    if mark["folder"] != str(VENV):
        return "the course was moved from another folder"
    answer = ask_python(["pip"])
    if answer is None:
        return "the Python in it does not start"
    if answer["python"] != mark["python"] or not OLDEST <= tuple(answer["python"]) <= NEWEST:
        return "the Python in it has become another one"
    return "the pip in it is gone" if answer["missing"] else None


def read_mark():
    """Read what was noted when `.venv` was made: {} if that was left half-made, None if it was not made here."""
    try:
        return json.loads(MARK.read_text(encoding="utf-8") or "{}")
    except (FileNotFoundError, NotADirectoryError):
        return {} if VENV.is_dir() and not any(VENV.iterdir()) else None
    except ValueError:
        return {}


def ask_python(names):
    """Ask the Python in `.venv` for its version and which of these packages it lacks; None if it gives no answer."""
    question = """if True:
        import importlib.metadata as metadata, json, sys
        present = {name for name in sys.argv[1:] if list(metadata.distributions(name=name))}
        print(json.dumps({"python": sys.version_info[:2], "missing": sorted({*sys.argv[1:]} - present)}))
    """
    try:
        answer = subprocess.run(
            [str(PYTHON), "-I", "-c", question, *names], stdout=subprocess.PIPE, check=True, timeout=60
        )
        return json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def project():
    """Read pyproject.toml."""
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def fingerprint():
    """Give a hash of what pip reads in pyproject.toml: settings of other tools may change without an installation."""
    table = project()
    parts = [table["project"], table["build-system"], table["tool"]["setuptools"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def packages(extras):
    """Name the packages that the course needs with these extras, and its own."""
    table = project()["project"]
    needs = table["dependencies"] + [need for extra in extras for need in table["optional-dependencies"].get(extra, [])]
    return [table["name"], *(re.match(r"[\w.-]+", need).group() for need in needs)]


def make_venv():
    """Make an empty `.venv`. What stands in its place is deleted only if the course made it, and else kept aside."""
    if inside():
        raise Stop("This Python is the one in .venv, which has to be made anew: run `deactivate`, then try again.")
    if shutil.disk_usage(str(ROOT)).free < ROOM:
        raise Stop(full_disk(ROOM))
    if os.path.lexists(str(VENV)) and read_mark() is None:
        aside = Path(tempfile.mkdtemp(prefix=".venv.set-aside-", dir=str(ROOT))) / VENV.name
        VENV.rename(aside)
        say(f"What was there is kept as {aside.relative_to(ROOT)}.")
    VENV.mkdir(exist_ok=True)
    MARK.write_text("")
    for old in VENV.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(str(old))
        elif old != MARK:
            old.unlink()
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    if made.returncode:
        if re.search("ensurepip|No module named venv", made.stdout):
            raise Stop(
                "This Python cannot make virtual environments: on Debian or Ubuntu run `sudo apt install "
                f"python3.{sys.version_info[1]}-venv`, elsewhere install Python from python.org, then try again."
            )
        raise Stop(explain(made.stdout))


def install(extras):
    """Install the course and these extras, and those that it had before, into `.venv`."""
    extras = sorted({*extras, *read_mark().get("extras", [])})
    words = choose_torch()
    log = VENV / "pip.log"
    log.write_text("")
    before = MARK.read_text(encoding="utf-8")
    MARK.write_text("")
    say("Installing the course into .venv: the first time takes some minutes.")
    words += ["--log", str(log), "--editable", f".[{','.join(extras)}]" if extras else "."]
    if subprocess.run(pip_install(words), cwd=str(ROOT)).returncode:
        MARK.write_text(before, encoding="utf-8")  # A pip that gives up, unlike one that is killed, changes nothing.
        raise Stop(explain(log.read_text(encoding="utf-8", errors="replace")))
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(LAB_SETTINGS, indent=2), encoding="utf-8")
    mark = {
        "format": FORMAT,
        "folder": str(VENV),
        "python": ask_python([])["python"],
        "project": fingerprint(),
        "extras": extras,
    }
    MARK.write_text(json.dumps(mark, indent=2), encoding="utf-8")


def pip_install(words):
    """Give the command that lets the pip in `.venv` install."""
    return [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *words]


def choose_torch():
    """Say which PyTorch pip will take, and how large it is.

    Returns:
        The words that point pip to the index to look in.

    Raises:
        Stop: pip finds none, or the disk has no room for it.
    """
    index = []
    wants_cpu_build = (platform.system(), platform.machine()) == ("Linux", "x86_64") and not has_nvidia()
    if wants_cpu_build and answers(CPU_BUILDS, seconds=3):
        index = ["--extra-index-url", CPU_BUILDS]
    say("Asking pip which PyTorch it finds for this computer ...")
    torch = next(need for need in project()["project"]["dependencies"] if re.match(r"torch\b", need))
    look = subprocess.run(
        pip_install(["--dry-run", "--quiet", "--retries", "2", "--report", "-", *index, torch]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    if look.returncode:
        raise Stop(explain(look.stderr))
    found = {item["metadata"]["name"].lower(): item for item in json.loads(look.stdout)["install"]}
    if "torch" in found:
        urls = [item["download_info"]["url"] for name, item in found.items() if is_part_of_torch(name)]
        size = download_size(urls)
        build = "the CUDA build" if len(urls) > 1 else "the build without CUDA"
        version = found["torch"]["metadata"]["version"]
        say(f"It takes PyTorch {version}, {build}, {size_in_words(size) if size else 'of unknown size'}.")
        if wants_cpu_build and len(urls) > 1:
            say("(PyTorch's own index, which has a smaller build, did not answer within three seconds.)")
        room = ROOM + 3 * size
        if shutil.disk_usage(str(VENV)).free < room:
            raise Stop(full_disk(room))
    return index


def is_part_of_torch(name):
    """Say whether a package is PyTorch or one of the parts that come with its CUDA build."""
    return re.match(r"torch$|triton$|nvidia-|cuda-", name) is not None


def has_nvidia():
    """Say whether this Linux has a driver for an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def answers(url, seconds):
    """Say whether a page answers in time. The thread is left behind if not: looking up a name knows no time-out."""
    answered = threading.Event()

    def ask():
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=seconds).close()
            answered.set()

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(seconds)


def download_size(urls):
    """Add up the sizes in bytes of what these addresses give; those that do not say count nothing."""

    def size(url):
        with contextlib.suppress(OSError):
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.headers["Content-Length"] or 0)
        return 0

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sum(pool.map(size, urls))


def explain(output):
    """Turn what pip or venv wrote into the sentence that says what to do."""
    trouble = next((name for name, pattern in PIP_TROUBLES.items() if re.search(pattern, output)), None)
    if trouble == "full disk":
        return full_disk(ROOM)
    if trouble == "certificate":
        return (
            "Python does not trust the certificate that this network shows: set the computer's clock if it is wrong, "
            "or try another network, then run the same command again."
        )
    if trouble == "no network":
        return "There is no network, or it broke off: connect this computer, then run the same command again."
    if trouble == "no torch":
        computer = f"{platform.system()} on {platform.machine()} with Python {platform.python_version()}"
        return f"PyTorch has no build for this computer ({computer}): try Python 3.12, or another computer."
    lines = [line for line in output.splitlines() if re.search("error", line, re.IGNORECASE)]
    last = (lines or output.splitlines() or ["nothing"])[-1].strip().rstrip(".")
    return f"The installation failed, and the last that was heard is: {last}."


def full_disk(room):
    """Say that there is too little room, in bytes."""
    return (
        f"The disk is too full: the course needs {size_in_words(room)} free in {ROOT} and some in "
        f"{tempfile.gettempdir()}; make room, then run the same command again."
    )


def size_in_words(size):
    """Give a number of bytes in words."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


@contextlib.contextmanager
def alone():
    """Hold the right to change `.venv`: two installations at once would spoil each other."""
    with (ROOT / ".venv.lock").open("w") as file:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise Stop("Another course.py is installing: wait until it is done, then try again.") from error
        yield


def inside():
    """Say whether the Python that runs this is the one in `.venv`."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def become(*words):
    """Let another program take this one's place, so that keys and signals reach it."""
    words = [str(word) for word in words]
    os.chdir(str(ROOT))
    if os.name != "nt":
        os.execv(words[0], words)
    process = subprocess.Popen(words)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return process.wait()


def call(name):
    """Give the words with which a command of this door is called."""
    return f"{'py' if os.name == 'nt' else 'python3'} course.py {name}"


def why_not_here(version, is_64_bit, system, machine):
    """Say why the course cannot run on this Python or computer, and what to do; None where it can."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        other = other_python()
        advice = f"use `{other}`, which is here too" if other else "install Python 3.13 from python.org and use that"
        return f"{NEEDS_PYTHON}, and this is Python {'.'.join(map(str, version[:3]))}: {advice}."
    if not is_64_bit:
        return "PyTorch has no build for a 32-bit Python, which this is: install the 64-bit one from python.org."
    if (system, machine) == ("Darwin", "x86_64"):
        return (
            "PyTorch has no build for Intel Macs any more: use another computer or an online notebook service; "
            "or, if this Mac has an Apple chip, install the Python for it from python.org."
        )
    return None


def other_python():
    """Find a Python on this computer that the course can use, and give the words that start it, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        words = ["py", f"-3.{minor}"] if os.name == "nt" else [f"python3.{minor}"]
        with contextlib.suppress(OSError):
            # Some are only stand-ins that say how to install the real one.
            status = subprocess.call([*words, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if status == 0:
                return " ".join(words)
    return None


def main(arguments):
    """Run the command that the arguments name, and return the exit status."""
    if sys.version_info >= (3, 7):
        sys.stdout.reconfigure(errors="replace")  # A Windows pipe may have no ✓.
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name not in COMMANDS:
        width = max(len(call(each)) for each in COMMANDS) + 2
        for each, function in COMMANDS.items():
            say(f"{call(each):{width}}{function.__doc__}")
        return 0 if name in ("help", "-h", "--help") else 2
    try:
        reason = why_not_here(sys.version_info, sys.maxsize > 2**32, platform.system(), platform.machine())
        if reason:
            raise Stop(reason)
        return COMMANDS[name](rest)
    except Stop as stop:
        print(f"✗ {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
