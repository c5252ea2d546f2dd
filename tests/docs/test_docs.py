#!/usr/bin/env python3
"""The docs are right where a machine can tell: code compiles, commands exist, links lead somewhere. Prints TAP.

    tests/docs/test_docs.py

C code after a line "<!-- compile -->" is compiled as the core is. In shell code each `make
TARGET` has to be a target, each program of ours a file or something that is built, each option of the tool one that
its help names. Python code is parsed. Links between pages resolve, anchors included. Files named in code spans exist.
The plan header that is shown is one.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CC = os.environ.get("CC", "cc")
WARN = ("-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef "
        "-Wcast-align -Wpointer-arith -Wvla -Wswitch-enum -Wimplicit-fallthrough -Werror").split()
README_WORDS_MAX = 1200

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPILED = re.compile(r"^<!-- compile -->\n```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A file of the project that a page shows whole.
SHOWN = re.compile(r"^<!-- file: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a page says is to be typed, from a clean clone on.
STEPS = re.compile(r"^<!-- steps -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")
# Names of files in code spans: a folder of ours, then anything that is no pattern.
NAMED = re.compile(r"`((?:include|src|ports|examples|packaging|cmd|micropython|vboard|maskrom|tests|bench|docs|tools)/[\w./-]+)`")
BUILT = {"build/toy/try": "ports/template/try.c", "build/molt": "cmd/molt/main.c", "build/host/cut": "tests/cut/cut.c", "build/maskrom-board": "maskrom/main.c"}

count = 0
failed = 0


def result(fact, wrong):
    global count, failed
    count += 1
    failed += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", count, fact))
    for line in wrong:
        print("# %s" % line)


def pages():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True,
                            text=True)
    if listed.returncode == 0 and listed.stdout:
        return sorted(ROOT / name for name in listed.stdout.split("\n") if name and (ROOT / name).exists())
    return sorted(p for p in ROOT.rglob("*.md") if "build" not in p.relative_to(ROOT).parts)


def compile_c(text):
    """What the compiler says, in lines; none if it is satisfied."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.c"
        source.write_text(text)
        headers = subprocess.run([CC, "-print-file-name=include"], check=True, capture_output=True, text=True).stdout.strip()
        done = subprocess.run([CC, "-std=c11", "-ffreestanding", "-nostdinc", "-isystem", headers, "-I", str(ROOT / "include"),
                               "-I", str(ROOT / "src"), *WARN, "-c", str(source), "-o", str(source.with_suffix(".o"))], capture_output=True, text=True)
        return done.stderr.splitlines()[:8] or (["exit status %d" % done.returncode] if done.returncode else [])


def check_c(path, text):
    for number, code in enumerate(COMPILED.findall(text), 1):
        result("C code %d of %s compiles" % (number, path), compile_c(code))
    for name, code in SHOWN.findall(text):
        lines = (ROOT / name).read_text()
        result("%s shows %s as it is, in at most 60 lines" % (path, name),
               [] if code == lines and lines.count("\n") <= 60 else ["another text, or %d lines" % lines.count("\n")])


def check_steps(path, text):
    """The steps, in a copy of the sources, end with a line of TAP."""
    for number, code in enumerate(STEPS.findall(text), 1):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("include", "src", "ports", "tools"):
                shutil.copytree(ROOT / name, Path(folder) / name)
            done = subprocess.run(["sh", "-e"], input=code, cwd=folder, capture_output=True, text=True, check=False)
            last = done.stdout.splitlines()[-1:] or [""]
            result("steps %d of %s lead where the page says" % (number, path),
                   [] if done.returncode == 0 and last[0].startswith("ok 1") and last[0] in text
                   else (done.stdout + done.stderr).splitlines()[-8:] + ["exit status %d" % done.returncode])


def check_python(path, text):
    wrong = []
    for language, code in FENCE.findall(text):
        if language == "python":
            try:
                ast.parse(code)
            except SyntaxError as error:
                wrong.append("%s: %s" % (error.msg, error.text))
    result("Python code of %s is Python" % path, wrong)


def shell_lines(text):
    """Commands: what is indented by four spaces or fenced as sh, without prompt and comment."""
    lines = [line[4:] for line in re.findall(r"^ {4}\S.*(?:\\\n.*)*", FENCE.sub("", text), re.MULTILINE)]
    lines += [line for m in FENCE.finditer(text) if m[1] == "sh" for line in m[2].splitlines()]
    lines += [line[2:] for m in FENCE.finditer(text) if m[1] == "console" for line in m[2].splitlines()
              if line.startswith("$ ")]
    return [re.sub(r"\s+#.*$", "", line.replace("\\\n", " ")).strip() for line in lines]


def make_targets():
    files = [ROOT / "Makefile"] + [f for f in ROOT.rglob("*.mk") if f.relative_to(ROOT).parts[0] != "build"]
    text = "".join(f.read_text() for f in files)
    phony = {word for line in re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE) for word in line.split()}
    return phony | set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def tool_help(command):
    tool = ROOT / "build/molt"
    if not tool.exists():
        return None
    done = subprocess.run([str(tool), command, "--help"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def check_tool_words(words):
    if len(words) < 2 or words[1] in ("help", "version"):
        return []
    text = tool_help(words[1])
    if text is None:
        return []
    if not text:
        return ["molt has no command %s" % words[1]]
    options = {w.split("=")[0] for w in words[2:] if w.startswith("--")}
    return ["molt %s has no option %s" % (words[1], o) for o in sorted(options) if o not in text]


def check_board_words(words):
    text = (ROOT / "vboard/run").read_text() + (ROOT / "vboard/network.py").read_text()
    return ["vboard/run has no option %s" % w for w in words[1:] if w.startswith("--") and '"%s"' % w.split("=")[0] not in text]


def check_command(line):
    words = line.split()
    if not words:
        return []
    if words[0] == "make" and "-C" not in words:
        targets = make_targets()
        return ["make has no target %s" % w for w in words[1:] if "=" not in w and not w.startswith("-") and w not in targets]
    program = words[0].removeprefix("./")
    wrong = []
    if program in ("build/molt", "molt"):
        wrong = check_tool_words(words)
    elif program == "vboard/run":
        wrong = check_board_words(words)
    if program.startswith("build/"):
        known = program in BUILT or program.startswith("build/host/")
        return wrong + ([] if known else ["who builds %s?" % program])
    if re.match(r"(tools|tests|bench|vboard)/", program) and not (ROOT / program).exists():
        wrong.append("there is no %s" % program)
    return wrong


def check_shell(path, text):
    wrong = [w for line in shell_lines(text) for w in check_command(line)]
    wrong += [w for span in re.findall(r"`(make [a-z -]+)`", text) for w in check_command(span)]
    result("commands of %s exist" % path, wrong)


def anchors(text):
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def check_links(path, file, text):
    wrong = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (file.parent / name).resolve() if name else file
        if not other.exists():
            wrong.append("%s: there is no such file" % target)
        elif anchor and other.suffix == ".md" and anchor not in anchors(other.read_text()):
            wrong.append("%s: there is no such heading" % target)
    for name in NAMED.findall(text):
        if not (ROOT / name).exists() and not (file.parent / name).exists():
            wrong.append("`%s`: there is no such file" % name)
    result("links of %s lead somewhere" % path, wrong)


def prose_lines(text):
    """Lines that are neither blank, code, nor a table."""
    return [line for line in FENCE.sub("", text).splitlines() if line.strip() and not line.startswith(("|", "    ", "<!--"))]


def check_dump(path, text):
    """The plan header that format.md shows is one of the version that it describes, and its numbers follow from each other as
    it says."""
    words = [int(w, 16) for line in re.findall(r"^00000f[7-9a-f]c:((?: [0-9a-f]{8}){1,4})", text, re.MULTILINE) for w in line.split()]
    if len(words) != 33:
        result("the plan header that %s shows is whole" % path, ["%d words, not 33" % len(words)])
        return
    version = re.search(r"^\| plan \| (\d+) \|", text, re.MULTILINE)
    sectors = -(-words[4] // 4096)
    verify = 1 + 17 * -(-sectors // 16)
    steps, size, extents = verify + 1, 4 * -(-(verify + 2) // 32), 4 * -(-words[11] // 2)
    todo = 0xf7c - size
    want = {0: 0x544c4f4d, 1: int(version[1]), 20: steps, 21: verify, 22: size, 23: todo, 24: todo - extents,
            25: todo - extents - size - words[26]}
    result("the plan header that %s shows is as it describes one" % path,
           ["word %d is %#x, not %#x" % (i, words[i], w) for i, w in want.items() if words[i] != w])


def main():
    for file in pages():
        path = file.relative_to(ROOT)
        text = file.read_text()
        check_steps(path, text)
        check_c(path, text)
        if "```python" in text:
            check_python(path, text)
        if path.parts[0] != "tests":
            check_shell(path, text)
        check_links(path, file, text)
        if path.name == "format.md":
            check_dump(path, text)
    drawn = subprocess.run([str(ROOT / "tools/house")], capture_output=True, text=True, check=False).stdout
    result("docs/house.svg is what tools/house draws", [] if drawn == (ROOT / "docs/house.svg").read_text() else ["draw it again"])
    if not (ROOT / "build/molt").exists():
        result("the options of build/molt that pages have # SKIP it is not built", [])
    readme = ROOT / "README.md"
    if readme.exists():
        words = len(" ".join(prose_lines(readme.read_text())).split())
        result("README.md has %d words of prose, of %d" % (words, README_WORDS_MAX), ["too many"] if words > README_WORDS_MAX else [])
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
