"""Many at once."""

import threading


def together(count, act):
    """Runs act(0) ... act(count - 1) in threads that start at one moment and
    returns their values in order; raises what the first one raised."""
    barrier = threading.Barrier(count)
    values, errors = [None] * count, []

    def run(number):
        barrier.wait(30)
        try:
            values[number] = act(number)
        except BaseException as error:      # told below, in the caller
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True)
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return values


class Later:
    """One call in a thread of its own; value() waits for it."""

    def __init__(self, act, *arguments, **more):
        self._value = self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        args=(act, arguments, more))
        self._thread.start()

    def done(self):
        return not self._thread.is_alive()

    def value(self, limit=30):
        self._thread.join(limit)
        if self._thread.is_alive():
            raise AssertionError(f"not done within {limit} s")
        if self._error:
            raise self._error
        return self._value

    def _run(self, act, arguments, more):
        try:
            self._value = act(*arguments, **more)
        except BaseException as error:      # raised again by value()
            self._error = error
