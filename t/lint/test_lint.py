"""Every rule of the linters can fail, and fails for nothing else."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import directives                                           # noqa: E402
import includes                                             # noqa: E402
import style                                                # noqa: E402

GOOD = """\

/*
 * What "//" and 'strcpy(' say here is no code; it's a comment.
 */


#include "ngx_http_og.h"


static ngx_int_t ngx_http_og_one(ngx_http_request_t *r,
    ngx_str_t *name);


#if (NGX_DEBUG)

static ngx_inline void
ngx_http_og_none(void)
{
}

#endif


ngx_int_t
ngx_http_og_all(ngx_http_request_t *r)
{
    ngx_str_t  name = ngx_string("http://strcpy(");

    return ngx_http_og_one(r, &name);
}


static ngx_int_t
ngx_http_og_one(ngx_http_request_t *r, ngx_str_t *name)
{
    return NGX_OK;
}
"""

GLUE = "ngx_module/ngx_http_og_some.c"
PURE = "ngx_module/og_some.c"


def styled(text, path=GLUE):
    return [what for _, what in style.check(path, text)]


def test_good_style():
    assert styled(GOOD) == []


@pytest.mark.parametrize("old, new, what", [
    ("    return NGX_OK;", "    return NGX_OK; /* " + "x" * 56 + " */",
     "81 columns"),
    ("    return NGX_OK;", "\treturn NGX_OK;", "a tab"),
    ("    return NGX_OK;", "    return NGX_OK; ", "white space at the end"),
    ("#include", "\n#include", "three empty lines"),
    ("    return NGX_OK;", "    return NGX_OK;  // fine", "a // comment"),
    ("}\n\n\nstatic", "}\n\nstatic", "two empty lines"),
    ("\nngx_http_og_all(", " ngx_http_og_all(", "on one line"),
    ("static ngx_int_t ngx_http_og_one", "ngx_int_t ngx_http_og_one",
     "static without a prototype"),
    ("    return NGX_OK;", "    return NGX_OK;\n" * 80, "84 lines, 80"),
    ("    return NGX_OK;", "    strcpy(a, b);", "strcpy() is not used"),
    ("    return NGX_OK;", "    return strlen(a);", "nginx has its own"),
    ("    return NGX_OK;", "    ngx_http_finalize_request(r, rc);",
     "for ngx_http_og_handler.c"),
    ("    return NGX_OK;", "    return ngx_json_new();", "has that name"),
])
def test_bad_style(old, new, what):
    assert old in GOOD
    found = styled(GOOD.replace(old, new))
    assert len(found) == 1 and what in found[0], found


def test_a_long_file():
    assert any("701 lines" in found
               for found in styled("\n" + "int  a;\n" * 700))


def test_a_file_without_an_end():
    assert styled("int  a;") == ["one line end closes a file"]


def test_pure_files_know_no_nginx():
    text = "\nint\nog_some(void)\n{\n    return NGX_OK;\n}\n"
    assert styled(text, PURE) == ["a name of nginx in a pure file"]
    assert styled("\nint  a = strlen(b);\n", PURE) == []


def test_only_the_handler_ends_requests():
    text = "\nint  a = ngx_http_finalize_request(r, 0);\n"
    assert styled(text)
    assert not styled(text, "ngx_module/ngx_http_og_handler.c")


@pytest.mark.parametrize("name, header, allowed", [
    ("og_json.c", "<string.h>", True),
    ("og_json.c", '"og_grow.h"', True),
    ("og_json.c", "<ngx_core.h>", False),
    ("og_json.c", '"ngx_http_og.h"', False),
    ("og_json.c", "<jansson.h>", False),
    ("og_envelope.c", "<jansson.h>", True),
    ("ngx_http_og_redis.h", "<ngx_event.h>", True),
    ("ngx_http_og_redis.h", "<ngx_http.h>", False),
    ("ngx_http_og_redis.h", '"ngx_http_og_store.h"', False),
    ("ngx_http_og_redis_io.c", '"ngx_http_og_redis_link.h"', True),
    ("ngx_http_og_redis_io.c", '"ngx_http_og.h"', False),
    ("ngx_http_og_redis_store.c", '"ngx_http_og_redis_store.h"', True),
    ("ngx_http_og_redis_store.c", "<ngx_http.h>", False),
    ("ngx_http_og_store.h", "<ngx_http.h>", False),
    ("ngx_http_og_store.h", '"ngx_http_og_redis.h"', False),
    ("ngx_http_og_backend.h", '"ngx_http_og_redis.h"', False),
    ("ngx_http_og_filter.c", '"ngx_http_og.h"', True),
    ("ngx_http_og_filter.c", '"ngx_http_og_redis.h"', False),
    ("ngx_http_og_filter.c", '"ngx_http_og_backend.h"', False),
    ("something_else.c", "<string.h>", False),
])
def test_includes(name, header, allowed):
    found = list(includes.check("ngx_module/" + name,
                                f"\n#include {header}\n"))
    assert bool(found) != allowed, found


def test_the_connection_knows_no_store():
    text = ('#include "ngx_http_og_redis_link.h"\n'
            '#include "ngx_http_og_redis_store.h"\n')
    assert len(list(includes.check("ngx_http_og_redis_io.c", text))) == 1


SOURCE = """
ngx_command_t  ngx_http_og_commands[] = {
    { ngx_string("order_guard"), 0 },
    ngx_null_command
};
static ngx_http_variable_t  ngx_http_og_variables[] = {
    { ngx_string("order_guard_body_"), NULL },
    ngx_http_null_variable
};
static const ngx_http_og_error_t  ngx_http_og_errors[] = {
    { 413, "BODY_TOO_LARGE", "",
      OG_TRI_FALSE, OG_TRI_ABSENT }
};
"""

PAGES = {
    directives.DIRECTIVES: "### order_guard\n\n**Syntax:** `order_guard on;`"
                           "\n**Default:** off\n**Context:** http\n",
    directives.VARIABLES: "| `$order_guard_body_NAME` | a member |\n",
    directives.ERRORS: "| [BODY_TOO_LARGE](#body-too-large) | 413 | false | "
                       'absent |\n\n<a id="body-too-large"></a>\n\n'
                       "### BODY_TOO_LARGE\n\nToo large.\n",
}


def test_pages_that_say_all():
    assert list(directives.check(SOURCE, PAGES)) == []


@pytest.mark.parametrize("page, old, new", [
    (directives.DIRECTIVES, "### order_guard", "### order_guard_x"),
    (directives.DIRECTIVES, "**Default:** off", ""),
    (directives.DIRECTIVES, "`order_guard on", "`order_guard_x on"),
    (directives.VARIABLES, "body_NAME", "body"),
    (directives.ERRORS, "413", "414"),
    (directives.ERRORS, "false", "true"),
    (directives.ERRORS, "BODY_TOO_LARGE", "BODY_TOO_SMALL"),
    (directives.ERRORS, "### BODY_TOO_LARGE", "### BODY_TOO_SMALL"),
    (directives.ERRORS, 'id="body', 'id="the-body'),
])
def test_pages_that_do_not(page, old, new):
    assert old in PAGES[page]
    changed = {**PAGES, page: PAGES[page].replace(old, new)}
    found = list(directives.check(SOURCE, changed))
    assert found and {path for path, _, _ in found} == {page}


def test_a_directive_that_no_page_has():
    source = SOURCE.replace("    ngx_null_command",
                            '    { ngx_string("order_guard_new") },')
    assert list(directives.check(source, PAGES)) == [
        (directives.DIRECTIVES, 1,
         "directive order_guard_new is in the source and not here")]
