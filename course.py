"""Run a command of the course: `python3 course.py lab`. Without a command it lists them all.

This file needs nothing but Python. It installs the course into the folder `.venv` beside it, nowhere else, and lets the
Python in there run the command, which is a module of `course_lib/cli`.

It parses on Pythons down to 3.6 and imports nothing that they lack, so that an old one can say what to do.
"""

import sys


def say_stopped(kind, error, trace):
    """Say that Ctrl-C ended the program, and nothing of where; any other error gets its traceback."""
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("Stopped: run the same command again to continue.\n")
    else:
        sys.__excepthook__(kind, error, trace)


if __name__ == "__main__":
    sys.excepthook = say_stopped  # Ctrl-C may come while the next lines are executed.

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
# Python 2 stops at the next line, the first that it cannot parse, and shows it.
NEEDS_PYTHON = f"The course needs Python 3.{OLDEST[1]} to 3.{NEWEST[1]}"  # So: python3 course.py

ROOT = Path(__file__).resolve().parent
# An environment that somebody else prepared for the course, such as conda's or a class's. It is used as it is.
PREPARED_VENV = os.environ.get("COURSE_VENV")
VENV = Path(PREPARED_VENV).absolute() if PREPARED_VENV else ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What was installed. It is empty during an installation. A `.venv` without it was not made by the course.
MANIFEST = VENV / "made-by-course.json"
# Raise it when pip alone cannot bring an older `.venv` up to date.
MANIFEST_FORMAT = 1
# JupyterLab would otherwise ask each newcomer whether to fetch news, and look for a newer JupyterLab.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}

# In bytes: the course and its tests take 1.7 GB with PyTorch's CPU build, and pip caches what it downloads.
DISK_SPACE = 2.5e9


class SetupError(Exception):
    """The course cannot start. The message is one sentence that says why and what to do."""


def main(words):
    """Run the command that these words name, in a Python that has the course.

    Returns:
        The exit status.
    """
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # Not every terminal has the letter ✗.
    try:
        reason = why_unsupported(sys.version_info, sys.maxsize > 2**32, platform.system(), platform.machine())
        if reason:
            raise SetupError(reason)
        from course_lib import cli  # Only now: an old Python could not parse it.

        arguments = cli.parse(words)
        name, extras = arguments.command, arguments.extras
        python = PYTHON
        if not PREPARED_VENV and this_python_has_the_course():
            python = sys.executable
            print(f"This Python has the whole course, and runs it: {python}", file=sys.stderr)
            require_packages(python, extras, "this Python")
        elif name == "doctor":
            require_venv()  # The doctor examines what is there, and changes nothing.
        else:
            prepare_venv(*extras)
        return replace_process(str(python), "-m", "course_lib.cli", *words)
    except SetupError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped: run the same command again to continue.", file=sys.stderr)
        return 130


def why_unsupported(version, is_64_bit, system, machine):
    """Give the sentence that says why the course cannot run on this Python or computer, or None if it can."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        other = other_python()
        advice = f"use `{other}`, which is installed too" if other else "install Python 3.13 from python.org and use it"
        return f"{NEEDS_PYTHON}, but this is Python {'.'.join(map(str, version[:3]))}: {advice}."
    if not is_64_bit:
        return "PyTorch has no build for a 32-bit Python such as this one: install a 64-bit Python from python.org."
    if (system, machine) == ("Darwin", "x86_64"):
        return (
            "PyTorch no longer has builds for Intel Macs: use another computer or an online notebook service; "
            "or, if this Mac has an Apple chip, install the Python for it from python.org."
        )
    return None


def other_python():
    """Find another Python on this computer that can run the course, and give the words that start it, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        words = ["py", f"-3.{minor}"] if os.name == "nt" else [f"python3.{minor}"]
        with contextlib.suppress(OSError):
            # Some are only placeholders that say how to install the real one.
            status = subprocess.call([*words, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if status == 0:
                return " ".join(words)
    return None


def prepare_venv(*extras):
    """Make `.venv` hold the course with these extras of pyproject.toml. If it does already, pip is not called.

    Raises:
        SetupError: The environment cannot be made here.
    """
    if PREPARED_VENV:
        require_venv()
        require_packages(str(PYTHON), extras, f"the Python that COURSE_VENV names, {PYTHON},")
        return
    try:
        if is_ready(extras):
            return
        with exclusive_lock():
            reason = why_unusable()
            if reason:
                print(f"Making the Python environment .venv, because {reason}.", flush=True)
            index_options = choose_index(extras)
            if reason:
                create_venv()
            install(extras, index_options)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError(disk_full()) from error
        raise SetupError(
            f"The course cannot change its own folder ({error}): close the programs that run from it, or move it to "
            "a folder that you own, then run the same command again."
        ) from error


def require_venv():
    """Refuse to continue without a usable `.venv`.

    Raises:
        SetupError: There is none.
    """
    from course_lib.cli.common import shell_command

    reason = why_unusable()
    if reason:
        advice = "correct COURSE_VENV or unset it" if PREPARED_VENV else f"run `{shell_command('lab')}`"
        raise SetupError(f"The course is not installed, because {reason}: {advice}.")


def this_python_has_the_course():
    """Say whether the Python that runs this, such as conda's, has the course in this folder and all that it needs.

    The Python in the `.venv` that this file made does not count, since this file has to keep it up to date.
    """
    import importlib.metadata as metadata

    if running_in_venv() and read_manifest() is not None:
        return False
    if not any(metadata.distributions(name=read_pyproject()["project"]["name"])):
        return False  # This is found without starting another Python.
    answer = ask_python(sys.executable, required_packages(()))
    if not answer or answer["missing"] or not answer["course_lib"]:
        return False
    folder = Path(answer["course_lib"]).resolve().parents[1]
    # A copy of the course among the installed packages serves; what is installed from another folder is another course.
    return folder == ROOT or Path(sys.prefix).resolve() in folder.parents


def require_packages(python, extras, name):
    """Refuse to continue in a Python that somebody else prepared, if it lacks packages.

    Raises:
        SetupError: It does. The message says how to install them: a foreign Python is never changed.
    """
    answer = ask_python(python, required_packages(extras))
    if answer is None or not answer["missing"]:
        return
    lacks = [re.match(r"[\w.-]+", need).group() for need in answer["missing"]]
    some = ", ".join(lacks[:3]) + (f" and {len(lacks) - 3} more packages" if len(lacks) > 3 else "")
    extra = f"[{','.join(extras)}]" if extras else ""
    otherwise = ", or unset COURSE_VENV" if PREPARED_VENV else ""
    raise SetupError(
        f"The course does not run yet, because {name} lacks {some} in the versions that it needs: "
        f'run `"{python}" -m pip install --editable "{ROOT}{extra}"`{otherwise}.'
    )


def is_ready(extras):
    """Say whether `.venv` holds the course with these extras, as pyproject.toml asks for it now."""
    if why_unusable():
        return False
    manifest = read_manifest()
    return (
        manifest["project"] == fingerprint()
        and set(extras) <= set(manifest["extras"])
        and not ask_python(PYTHON, required_packages(manifest["extras"]))["missing"]
    )


def why_unusable():
    """Give the reason why `.venv` has to be made again, as a clause, or None if it can be used."""
    if PREPARED_VENV:
        return None if ask_python(PYTHON, []) else f"no Python starts in {VENV}, which COURSE_VENV names"
    if not os.path.lexists(str(VENV)):
        return "there is no .venv yet"
    manifest = read_manifest()
    if manifest is None:
        return "the present .venv was not made by the course"
    if not manifest:
        return "the last installation did not finish"
    if manifest.get("format") != MANIFEST_FORMAT:
        return "the present .venv was made by another version of the course"
    if manifest["folder"] != str(VENV):
        return "the course was moved from another folder"
    answer = ask_python(PYTHON, ["pip"])
    if answer is None:
        return "the Python in .venv does not start"
    if answer["python"] != manifest["python"] or not OLDEST <= tuple(answer["python"]) <= NEWEST:
        return "the version of the Python in .venv has changed"
    return "pip is missing from .venv" if answer["missing"] else None


def read_manifest():
    """Read what was noted when `.venv` was made: {} if that did not finish, None if the course did not make it.

    A note that is damaged counts as one of an installation that did not finish.
    """
    try:
        manifest = json.loads(MANIFEST.read_text(encoding="utf-8") or "{}")
    except FileNotFoundError:
        return {} if VENV.is_dir() and not any(VENV.iterdir()) else None
    except OSError:
        return None
    except (ValueError, RecursionError):
        return {}
    types = {"format": int, "folder": str, "python": list, "project": str, "extras": list}
    if not isinstance(manifest, dict) or not all(isinstance(manifest.get(key), types[key]) for key in types):
        return {}
    return manifest if all(isinstance(extra, str) for extra in manifest["extras"]) else {}


def ask_python(python, needs):
    """Ask a Python for its version, which packages of a list such as ["numpy>=2"] it lacks, and where the course is.

    Returns:
        The answers by name, or None if it does not answer. If it lacks even what compares versions, names count.
    """
    question = """if True:
        import importlib.metadata as metadata, importlib.util, json, re, sys
        def is_missing(need):
            found = next(metadata.distributions(name=re.match(r"[\\w.-]+", need).group()), None)
            if found is None:
                return True
            try:
                from packaging.requirements import Requirement
            except ImportError:
                return False
            return not Requirement(need).specifier.contains(found.version, prereleases=True)
        course = importlib.util.find_spec("course_lib")
        print(json.dumps({
            "python": sys.version_info[:2],
            "missing": [need for need in sys.argv[1:] if is_missing(need)],
            "course_lib": course and course.origin,
        }))
    """
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", question, *needs], capture_output=True, check=True, timeout=60
        )
        return json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def read_pyproject():
    """Read pyproject.toml."""
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def fingerprint():
    """Hash what pip reads in pyproject.toml. The settings of other tools may change without a new installation."""
    table = read_pyproject()
    parts = [table["project"], table["build-system"], table["tool"]["setuptools"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def required_packages(extras):
    """Name the course's own package and those that it needs with these extras, with their ranges."""
    project = read_pyproject()["project"]
    optional = [need for extra in extras for need in project["optional-dependencies"].get(extra, [])]
    return [project["name"], *project["dependencies"], *optional]


def create_venv():
    """Make an empty `.venv`. An earlier one is deleted only if the course made it; anything else is kept aside.

    Of a link to the environment of another folder, only the link is deleted.
    """
    if running_in_venv():
        raise SetupError("This Python is the one in .venv, which has to be made again: run `deactivate`, then retry.")
    if shutil.disk_usage(str(ROOT)).free < DISK_SPACE:
        raise SetupError(disk_full())
    manifest = read_manifest()
    if VENV.is_symlink() and manifest and manifest["folder"] != str(VENV):
        VENV.unlink()
    elif os.path.lexists(str(VENV)) and manifest is None:
        aside = Path(tempfile.mkdtemp(prefix=".venv.set-aside-", dir=str(ROOT))) / VENV.name
        VENV.rename(aside)
        print(f"The present .venv is kept as {aside.relative_to(ROOT)}.", flush=True)
    VENV.mkdir(exist_ok=True)
    MANIFEST.write_text("")
    for old in VENV.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(str(old))
        elif old != MANIFEST:
            old.unlink()
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    if made.returncode:
        if re.search("ensurepip|No module named venv", made.stdout):
            raise SetupError(
                "This Python cannot make virtual environments: on Debian or Ubuntu run `sudo apt install "
                f"python3.{sys.version_info[1]}-venv`, elsewhere install Python from python.org, then retry."
            )
        raise SetupError(explain(made.stdout))


def install(extras, index_options):
    """Install the course into `.venv`, with these extras and those that it had before."""
    earlier_manifest = MANIFEST.read_text(encoding="utf-8")
    extras = sorted({*extras, *read_manifest().get("extras", [])})
    course = f".[{','.join(extras)}]" if extras else "."
    log = VENV / "pip.log"
    log.write_text("")
    MANIFEST.write_text("")
    print("Installing the course into .venv: the first time this takes some minutes.", flush=True)
    words = ["install", "--no-input", "--disable-pip-version-check", *index_options, "--log", str(log)]
    # A pip before 23.1, such as Debian 12's, runs `setup.py install` otherwise, with which seqeval cannot be installed.
    words.append("--use-pep517")
    if run_pip(*words, "--editable", course):
        # When pip gives up by itself, unlike when it is killed, it has changed nothing.
        MANIFEST.write_text(earlier_manifest, encoding="utf-8")
        raise SetupError(explain(log.read_text(encoding="utf-8", errors="replace")))
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(LAB_SETTINGS, indent=2), encoding="utf-8")
    manifest = {
        "format": MANIFEST_FORMAT,
        "folder": str(VENV),
        "python": ask_python(PYTHON, [])["python"],
        "project": fingerprint(),
        "extras": extras,
    }
    MANIFEST.write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def run_pip(*words):
    """Run the pip of `.venv` and give its exit status. It ends with this process, even if that is killed."""
    script = ROOT / "course_lib" / "network" / "run_pip.py"
    with subprocess.Popen([str(PYTHON), "-P", str(script), *words], cwd=str(ROOT), stdin=subprocess.PIPE) as pip:
        return pip.wait()


def choose_index(extras):
    """Give the options that tell pip where the packages are: in the folder itself if `course.py bundle` made it.

    Raises:
        SetupError: It has packages, but they are damaged, or for other computers.
    """
    from course_lib.network import stick

    try:
        options = stick.pip_options(ROOT, extras)
    except stick.BadStick as error:
        raise SetupError(str(error)) from error
    if options:
        print(f"The packages come from {stick.WHEELS}, without a network.", flush=True)
        return options
    return choose_torch_index()


def choose_torch_index():
    """Give the options that make pip install PyTorch's CPU build where the usual index has only the one with CUDA."""
    from course_lib.network.cpu_builds import CPU_INDEX, responds

    if (platform.system(), platform.machine()) != ("Linux", "x86_64") or has_nvidia():
        return []
    if responds(CPU_INDEX, seconds=3):
        return ["--extra-index-url", CPU_INDEX]
    print("PyTorch's index of CPU builds does not respond, so pip may choose the build with CUDA, about 3 GB.")
    return []


def has_nvidia():
    """Say whether this Linux has a driver for an NVIDIA GPU."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def explain(output):
    """Turn what pip or venv wrote into a sentence that says what to do."""
    from course_lib.network.troubles import diagnose, last_error

    trouble = diagnose(output, str(PYTHON))
    if trouble is None:
        return f"The installation failed, and its last message was: {last_error(output)}."
    if trouble.kind == "full disk":
        return disk_full()
    if trouble.kind == "no build" and re.search(r"No matching distribution found for torch\b", output):
        computer = f"{platform.system()} on {platform.machine()} with Python {platform.python_version()}"
        return f"PyTorch has no build for this computer ({computer}): try Python 3.12, or another computer."
    return f"The installation failed, because {trouble.reason}: {trouble.remedy}, then run the same command again."


def disk_full():
    """Give the sentence that says that there is too little disk space."""
    return (
        f"The disk is too full: free {DISK_SPACE / 1e9:.1f} GB in {ROOT} (10 GB for PyTorch with CUDA) and some "
        f"space in {tempfile.gettempdir()}, then run the same command again."
    )


@contextlib.contextmanager
def exclusive_lock():
    """Keep a second installation out, since two at once would damage `.venv`."""
    with (ROOT / ".venv.lock").open("w") as file:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise SetupError("Another course.py is installing: wait until it has finished, then retry.") from error
        yield


def running_in_venv():
    """Say whether the Python that runs this is the one in `.venv`."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def open_closed_streams():
    """Open the standard streams that were closed, since files would take their numbers, and get what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # The lowest number that is free.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")


def replace_process(*words):
    """Run another program in the course's folder in place of this one, so that it gets the keys and signals.

    Returns:
        Its exit status, on Windows. Elsewhere it does not return.
    """
    os.chdir(str(ROOT))
    os.environ.pop("PYTHONOPTIMIZE", None)  # It would leave out the notebooks' asserts and the help.
    if os.name != "nt":
        # Until that program can say something about it, Ctrl-C waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            os.execv(words[0], words)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    process = subprocess.Popen(words)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return process.wait()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # PYTHONSAFEPATH leaves it out.
    sys.exit(main(sys.argv[1:]))
