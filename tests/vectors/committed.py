"""What the scripts that make committed files share: files are only added, never edited. Python's standard library only.

    SCRIPT            write the files that are not there yet
    SCRIPT --check    exit 1 if a committed file is not what would be made
"""
import sys


def readme(title, words, meanings):
    """The bytes of a README.md: its title, lines about the files, and a table of names without .bin and their meanings."""
    lines = [f"# {title}", "", *words, "", "| file | meaning |", "| --- | --- |"]
    lines += [f"| {name}.bin | {meaning} |" for name, meaning in meanings.items()]
    return ("\n".join(lines) + "\n").encode()


def keep(files):
    """Write `files`, paths and their bytes, or check them; the exit status. A README.md grows with the files."""
    is_check = "--check" in sys.argv
    fixed = [path for path in files if is_check or path.name != "README.md"]
    wrong = [path for path in fixed if (path.read_bytes() != files[path] if path.exists() else is_check)]
    for path in wrong:
        print("%s is not what would be made" % path, file=sys.stderr)
    if not is_check:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name == "README.md" or not path.exists():
                path.write_bytes(data)
        print("%d files, %d bytes" % (len(files), sum(len(data) for data in files.values())))
    return 1 if wrong else 0
