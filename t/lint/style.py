"""The style of the C files: nginx's, and this project's limits.

    /usr/bin/python3 t/lint/style.py [file ...]     default: every C file
"""

import re
import sys

from files import C_FILES, is_glue, is_pure, read, report

LINE = 80           # columns
FUNCTION = 80       # lines, from its name to its brace
FILE = 700          # lines

# what has no bound, or a bound that is easily wrong
UNBOUNDED = ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok",
             "alloca", "atoi")
# nginx has its own of these, and its pools
NOT_IN_GLUE = ("strlen", "strcmp", "strncmp", "strchr", "strdup", "memcpy",
               "memset", "memcmp", "snprintf", "malloc", "calloc", "realloc",
               "printf", "fprintf")
# files that alone may call a function: a client's requests, an operator's
CONTROL = ("ngx_http_og_handler.c", "ngx_http_og_records.c")
ONLY_IN = {
    "ngx_http_finalize_request": CONTROL,
    "ngx_http_core_run_phases": CONTROL,
    "ngx_http_run_posted_requests": CONTROL,
}
# newer nginx versions have these
TAKEN = re.compile(r"\b(ngx_json_|ngx_data_)\w+")

UNREAD = re.compile(r"""/\*.*?\*/ | "(?:\\.|[^"\\\n])*"
                        | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def code_of(text):
    """The text with blanks for what comments and literals say."""
    return UNREAD.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def check_lines(text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE:
            yield number, f"{len(line)} columns, {LINE} at most"
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "white space at the end"
        if lines[number - 1:number + 2] == ["", "", ""]:
            yield number, "three empty lines"
    if not text.endswith("\n") or text.endswith("\n\n\n"):
        yield len(lines), "one line end closes a file"
    if len(lines) - 1 > FILE:
        yield FILE, f"{len(lines) - 1} lines, {FILE} at most"


def check_comments(text):
    for number, line in enumerate(code_of(text).split("\n"), 1):
        if "//" in line:
            yield number, "a // comment"


def functions(lines):
    """(type line, name line, last line, name), counted from 0."""
    for last, line in enumerate(lines):
        if line != "}":
            continue
        first = last
        while first > 0 and lines[first] != "{":
            first -= 1
        while first > 0 and not re.match(r"\w", lines[first]):
            first -= 1
        name = re.match(r"(?:.*?[ *])?(\w+)\(", lines[first])
        if name:
            yield first - 1, first, last, name.group(1)


def check_functions(path, text):
    lines = code_of(text).split("\n")
    for of_type, first, last, name in functions(lines):
        if not lines[first].startswith(name + "("):
            yield first + 1, f"{name}: type and name on one line"
            continue
        if last - first + 1 > FUNCTION:
            yield (first + 1,
                   f"{name}: {last - first + 1} lines, {FUNCTION} at most")
        if not re.match(r"\n\n\n\S|\n\n#|\n$",
                        "\n" + "\n".join(text.split("\n")[last + 1:])):
            yield last + 1, f"{name}: two empty lines follow a function"
        if (path.startswith("ngx_module/")
                and re.match(r"static (?!inline|ngx_inline)", lines[of_type])
                and not re.search(
                    rf"^static [^;{{}}]*\b{name}\([^;{{}}]*\);",
                    "\n".join(lines[:of_type]), re.M)):
            yield first + 1, f"{name}: static without a prototype"


def check_names(path, text):
    name = path.split("/")[-1]
    for number, line in enumerate(code_of(text).split("\n"), 1):
        for called in re.findall(r"\b(\w+)\(", line):
            if called in UNBOUNDED:
                yield number, f"{called}() is not used here"
            if called in NOT_IN_GLUE and is_glue(path):
                yield number, f"{called}(): nginx has its own"
            if name not in ONLY_IN.get(called, name) and is_glue(path):
                who = " and ".join(ONLY_IN[called])
                yield number, f"{called}() is for {who}"
        if TAKEN.search(line):
            yield number, f"{TAKEN.search(line).group()}: nginx has that name"
        if is_pure(path) and re.search(r"\bngx_\w+|\bNGX_\w+", line):
            yield number, "a name of nginx in a pure file"


def check(path, text):
    for found in (check_lines(text), check_comments(text),
                  check_functions(path, text), check_names(path, text)):
        yield from found


if __name__ == "__main__":
    paths = sys.argv[1:] or C_FILES()
    sys.exit(report((path, *found) for path in paths
                    for found in sorted(check(path, read(path)))))
