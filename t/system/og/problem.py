"""What every answer of 400 and above must look like."""

MEMBERS = {"type", "title", "status", "code", "origin", "retryable"}
ALLOWED = MEMBERS | {"detail", "safe_new_key", "trace_id", "errors"}

# what the seed upstream's HTML pages and stack traces contain
SECRETS = (b"db-internal-7", b"hunter2", b"Traceback", b"OrderService.java")


def check_problem(response, status, code, origin=None):
    """The answer is a problem with this status and code; returns it."""
    assert response.status == status, response
    assert response.media_type == "application/problem+json", response
    problem = response.json()
    assert MEMBERS <= set(problem), problem
    assert set(problem) <= ALLOWED, problem
    assert problem["status"] == status, problem
    assert problem["code"] == code, problem
    assert isinstance(problem["retryable"], bool), problem
    if origin:
        assert problem["origin"] == origin, problem
    for secret in SECRETS:
        assert secret not in response.body, response
    length = response.header("Content-Length")
    assert length is None or int(length) == len(response.body), response
    return problem
