"""What nginx itself says of each request: which worker had it (they die with
what they know), and whether it was sent to the upstream."""

import re
import threading

FORMAT = """log_format ledger '$pid $status $http_idempotency_key '
                       '$http_x_attempt $upstream_bytes_sent';"""
LOG = "access_log logs/ledger.log ledger;"


class Witness:
    """Reads the logs of a gateway that was given FORMAT and LOG."""

    def __init__(self, nginx, killed):
        self._nginx = nginx
        self._killed = killed
        self._lock = threading.Lock()
        self._read = 0
        self._requests = {}         # key: {attempt: (pid, status, sent)}

    def died_with(self, key, attempt):
        """Whether the worker is dead that had this attempt, and may have
        claimed the key for it. What was never logged died in its midst."""
        pid, status, _ = self._of(key).get(str(attempt), (None, None, None))
        if status == 409:
            return False            # another attempt has the key
        return (pid is None or pid in self._killed
                or pid in self._left_unsettled())

    def sent(self, key):
        """How many requests with this key went to the upstream."""
        return sum(sent for _, _, sent in self._of(key).values())

    def _of(self, key):
        with self._lock:
            with open(self._nginx.path("logs/ledger.log")) as log:
                log.seek(self._read)
                text = log.read()
            text = text[:text.rfind("\n") + 1]
            self._read += len(text)
            for line in text.splitlines():
                self._note(line)
            return self._requests.get(key, {})

    def _note(self, line):
        pid, status, key, attempt, sizes = line.split(" ", 4)
        sent = bool(re.search("[1-9]", sizes))
        self._requests.setdefault(key, {})[attempt] = (int(pid), int(status),
                                                       sent)

    def _left_unsettled(self):
        """Workers that could not wait any longer for a store that is out."""
        return {int(pid) for pid in re.findall(
            r"#(\d+): store .* left unsettled", self._nginx.error_log())}
