"""What the source has and what the pages say: directives, variables, error
codes. Each is in both, or is a finding.

    /usr/bin/python3 t/lint/directives.py
"""

import re
import sys

from files import files, read, report

DIRECTIVES = "lua-free-docs/directives.md"
VARIABLES = "lua-free-docs/variables.md"
ERRORS = "lua-free-docs/errors.md"

PARTS = ("**Syntax:**", "**Default:**", "**Context:**")


def table(source, of_type):
    """The rows of the table of that type."""
    return re.search(of_type + r"\s+\w+\[\] = \{(.*?)^\};", source,
                     re.S | re.M).group(1)


def directives_of(source):
    return set(re.findall(r'\{ ngx_string\("(\w+)"\)',
                          table(source, "ngx_command_t")))


def variables_of(source):
    return set(re.findall(r'\{ ngx_string\("(\w+)"\)',
                          table(source, "ngx_http_variable_t")))


def errors_of(source):
    """(code, status, retryable, safe_new_key) of each row"""
    rows = re.findall(r'\{ (\d{3}), "([A-Z_]+)".*?'
                      r'OG_TRI_(\w+), OG_TRI_(\w+) \}',
                      table(source, "ngx_http_og_error_t"), re.S)
    return {(code, status, retryable.lower(), safe.lower())
            for status, code, retryable, safe in rows}


def sections(page):
    """### name -> text below it"""
    parts = re.split(r"^### (\w+)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def documented_variables(page):
    names = re.findall(r"^\| `\$(order_guard_\w+)` \|", page, re.M)
    return {re.sub(r"NAME$", "", name) for name in names}


def documented_errors(page):
    return set(re.findall(r"^\| \[([A-Z_]+)\]\(#[a-z-]+\) \| (\d{3}) \| "
                          r"(\w+) \| (\w+) \|$", page, re.M))


def check_error_sections(page):
    """A problem's type leads to the section of its code."""
    codes = {error[0] for error in documented_errors(page)}
    for code in sorted(codes):
        anchor = code.lower().replace("_", "-")
        if f'<a id="{anchor}"></a>\n\n### {code}\n' not in page:
            yield ERRORS, 1, f"{code} has no section at #{anchor}"
    for code in sorted(set(sections(page)) - codes):
        yield ERRORS, 1, f"{code} has a section and no row"


def compare(page, kind, in_source, in_page):
    for name in sorted(in_source - in_page):
        yield page, 1, f"{kind} {name} is in the source and not here"
    for name in sorted(in_page - in_source):
        yield page, 1, f"{kind} {name} is here and not in the source"


def check_parts(page):
    for name, text in sections(page).items():
        for part in PARTS:
            if part not in text:
                yield DIRECTIVES, 1, f"{name} has no {part}"
        if f"**Syntax:** `{name} " not in text:
            yield DIRECTIVES, 1, f"the syntax of {name} is another's"


def check(source, pages):
    yield from compare(DIRECTIVES, "directive", directives_of(source),
                       set(sections(pages[DIRECTIVES])))
    yield from check_parts(pages[DIRECTIVES])
    yield from compare(VARIABLES, "variable", variables_of(source),
                       documented_variables(pages[VARIABLES]))
    yield from compare(ERRORS, "error", errors_of(source),
                       documented_errors(pages[ERRORS]))
    yield from check_error_sections(pages[ERRORS])


if __name__ == "__main__":
    source = "\n".join(read(path) for path in files("ngx_module/*.c"))
    pages = {page: read(page) for page in (DIRECTIVES, VARIABLES, ERRORS)}
    sys.exit(report(check(source, pages)))
